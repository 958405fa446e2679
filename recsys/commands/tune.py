"""`recsys tune`: a search for hyper-parameters over Optuna, each trial an ordinary run."""

from recsys.config.extras import require
from recsys.options.tune import options_of


def main(argv: list[str]) -> None:
    """Searches, writes tables and plots of the search, and trains the best trial with other seeds."""
    options = options_of(argv)
    require("optuna", extra="tune", purpose="recsys tune")
    from recsys.searches import search

    search.tune(options)
