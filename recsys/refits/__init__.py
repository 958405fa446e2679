"""A run's model trained on the held-out rows too."""
