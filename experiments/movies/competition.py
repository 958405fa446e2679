"""A folder laid out as the movie competition's, made from a seed: python -m experiments.movies.competition --out FOLDER

train_ratings.csv (user,item,time) and genres, directors, writers, titles and years as tables of pairs. Popularity and
lengths are long-tailed as in MovieLens-20M (experiments/speed/synthetic.py); who likes what follows the genres, and so
does what comes after what, so that there is something to learn. No number on it says anything about films.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.speed.synthetic import interactions

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
FIRST, LAST = 1_112_000_000, 1_427_784_002  # seconds: 2005 to 2015
FAVOURITES = 3  # genres of a user, of which films are kept; of the others one in five
FEWEST = 10  # rows of a user
SPARE = 1.6  # times as many users are drawn: some keep too few rows
WITHOUT_YEAR = 8  # films


def films(num_items: int, random: np.random.Generator) -> pd.DataFrame:
    """One row per film: item, genre (its first), second (or empty), director, writer, year, title."""
    items = np.arange(num_items) * 7 + 1  # as interactions() numbers them
    first = random.integers(len(GENRES), size=num_items)
    second = np.where(random.random(num_items) < 0.6, random.integers(len(GENRES), size=num_items), first)
    years = random.integers(1950, 2016, size=num_items)
    people = {
        name: [f"nm{number:07}" for number in random.zipf(1.6, size=num_items) % num_items]
        for name in ("director", "writer")
    }
    titles = [f"Film {item} ({year})" for item, year in zip(items, years, strict=True)]
    return pd.DataFrame({"item": items, "genre": first, "second": second, **people, "year": years, "title": titles})


def ratings(catalogue: pd.DataFrame, *, num_users: int, num_rows: int, seed: int) -> pd.DataFrame:
    """Columns user, item, time; about `num_rows` rows, no pair twice, users in order."""
    random = np.random.default_rng(seed)
    drawn = interactions(
        num_users=int(SPARE * num_users), num_items=len(catalogue), num_rows=int(5 * SPARE * num_rows), seed=seed
    )
    drawn = drawn[["user", "item"]].drop_duplicates()
    genre = catalogue.set_index("item")["genre"].reindex(drawn["item"]).to_numpy()
    codes = drawn["user"].factorize(sort=True)[0]
    likes = random.integers(len(GENRES), size=(codes.max() + 1, FAVOURITES))
    liked = (likes[codes] == genre[:, None]).any(1)
    kept = drawn.assign(genre=genre)[liked | (random.random(len(drawn)) < 0.2)]
    sizes = kept["user"].value_counts().sort_index()
    users = sizes.index[sizes >= FEWEST].to_numpy()
    kept = kept[kept["user"].isin(random.permutation(users)[:num_users])]
    surplus = (random.random(len(kept)) > num_rows / len(kept)) & (kept.groupby("user").cumcount() >= FEWEST)
    kept = kept[~surplus]
    return timed(kept, random)


def timed(kept: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """With times: a user watches for some months, films of a genre after each other."""
    users = kept["user"].factorize(sort=True)[0]
    order = (kept["genre"] * 0.618 % 1 + random.normal(0, 0.1, len(kept))).to_numpy()  # a genre has its turn
    kept = kept.assign(code=users).iloc[np.lexsort((order, users))]
    gaps = random.exponential(40_000, size=len(kept))
    within = pd.Series(gaps).groupby(kept["code"].to_numpy()).cumsum().to_numpy()
    start = random.integers(FIRST, LAST - 60 * 86_400, size=users.max() + 1)[kept["code"]]
    times = np.minimum(start + within, LAST).astype(np.int64)
    return pd.DataFrame({"user": kept["user"], "item": kept["item"], "time": times})


def write(out: Path, catalogue: pd.DataFrame, rows: pd.DataFrame) -> None:
    """The six files; films that nobody has rated are left out, as in the competition."""
    out.mkdir(parents=True, exist_ok=True)
    rows.to_csv(out / "train_ratings.csv", index=False)
    known = catalogue[catalogue["item"].isin(rows["item"])]
    names = np.array(GENRES)
    genres = pd.concat([known.assign(genre=names[known[column]]) for column in ("genre", "second")])
    tables = {"genre": genres.drop_duplicates(["item", "genre"]), "year": known.iloc[WITHOUT_YEAR:]}
    for kind in ("genre", "director", "writer", "title", "year"):
        table = tables.get(kind, known).sort_values("item")[["item", kind]]
        table.to_csv(out / f"{kind}s.tsv", sep="\t", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder")
    parser.add_argument("--users", type=int, default=31_360, help="users (default: 31360, as there)")
    parser.add_argument("--items", type=int, default=6_807, help="films (default: 6807, as there)")
    parser.add_argument("--rows", type=int, default=5_154_471, help="interactions, about (default: 5154471, as there)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same files (default: 0)")
    options = parser.parse_args()
    catalogue = films(options.items, np.random.default_rng(options.seed))
    rows = ratings(catalogue, num_users=options.users, num_rows=options.rows, seed=options.seed)
    write(options.out, catalogue, rows)
    users, items = rows["user"].nunique(), rows["item"].nunique()
    print(f"{options.out}: {users:,} users, {items:,} films, {len(rows):,} interactions")


if __name__ == "__main__":
    main()
