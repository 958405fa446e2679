"""`recsys train`: one run, or a grid of them."""

from recsys.runs.training import main

__all__ = ["main"]
