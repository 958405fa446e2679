"""`recsys tune`: a search for hyper-parameters over Optuna, each trial an ordinary run."""

from recsys.commands.extras import require
from recsys.commands.tune_options import USAGE, parse


def main(argv: list[str]) -> None:
    """Searches, writes tables and plots of the search, and trains the best trial with other seeds."""
    if set(argv) & {"-h", "--help"}:
        print(USAGE)
        return
    options = parse(argv)
    require("optuna", extra="tune", purpose="recsys tune")
    from recsys.commands import search

    search.tune(options)
