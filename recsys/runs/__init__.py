"""A run: assembled from its config, trained, recorded, and made again from its record."""
