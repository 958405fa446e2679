"""Several runs as one: top lists joined, folds put together."""
