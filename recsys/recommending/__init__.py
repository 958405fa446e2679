"""The best unseen items of users, written as a table."""
