"""`recsys diagnose`: what a trained model makes of missing values and of true negatives."""

from recsys.options.diagnose import options_of


def main(argv: list[str]) -> None:
    """Diagnoses; torch is imported no sooner than the arguments are known to be right."""
    options = options_of(argv)
    from recsys.diagnoses.diagnosing import diagnose

    diagnose(options)
