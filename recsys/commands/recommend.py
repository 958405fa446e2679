"""`recsys recommend`: the best unseen items of users, as a table to hand in or to serve."""

from recsys.options.recommend import options_of


def main(argv: list[str]) -> None:
    """Writes the recommendations; torch is imported no sooner than the arguments are known to be right."""
    options = options_of(argv)
    from recsys.recommending.recommending import recommend

    recommend(options)
