"""`recsys refit`: a run's model trained on the held-out rows too, as it should be before a submission."""

from recsys.options.refit import options_of


def main(argv: list[str]) -> None:
    """Trains, measures and records; torch is imported no sooner than the arguments are known to be right."""
    options = options_of(argv)
    from recsys.refits.refitting import refit

    refit(options)
