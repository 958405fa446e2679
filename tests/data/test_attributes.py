"""Attributes of items: each format on hand-made files, well-formed and not, and on the published ones."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from recsys.data.attributes import (
    AtomicItems,
    AttributeFile,
    AttributeReader,
    FirstMatch,
    ItemAttributes,
    ItemLists,
    ItemTable,
    MovieGenres,
    MovieTitles,
    MovieYears,
)
from recsys.data.interactions import Vocabulary

RECIPES = Path(__file__).parents[2] / "conf" / "data"
ITEMS = Vocabulary(np.array([2, 5, 7, 9]))


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def pairs(reader: AttributeReader, path: Path) -> list[tuple[str, str]]:
    """As text, in the order of the file."""
    frame = reader.read(path).astype(str)
    return list(zip(frame["item"], frame["value"], strict=True))


def flags(*genres: int) -> str:
    """The last 19 columns of u.item, with these set."""
    return "|".join(str(int(genre in genres)) for genre in range(19))


GENRES = [("1", "Comedy"), ("1", "Sci-Fi"), ("3", "Drama")]
FILES = [
    (ItemLists(), "x_item2attributes.json", '{"1": ["Comedy", "Sci-Fi"], "2": [], "3": ["Drama"]}'),
    (ItemLists(), "x_item2attributes.json.gz", '{"1": ["Comedy", "Sci-Fi"], "3": ["Drama"]}'),
    (
        AtomicItems(column="class"),
        "x.item",
        "item_id:token\tclass:token_seq\n1\tComedy Sci-Fi\n2\t\n3\tDrama\n",
    ),
    (MovieGenres(), "movies.dat", "1::A (1985)::Comedy|Sci-Fi\n2::B::(no genres listed)\n3::Caf\xe9 (2001)::Drama\n"),
    (MovieGenres(), "movies.csv", 'movieId,title,genres\n1,"A, B",Comedy|Sci-Fi\n2,B,(no genres listed)\n3,C,Drama\n'),
    (MovieGenres(), "u.item", f"1|A (1985)|||x|{flags(5, 15)}\n2|B||||{flags()}\n3|Caf\xe9 (2001)||||{flags(8)}\n\n"),
    (ItemTable(value="genre"), "genres.tsv", "item\tgenre\n1\tComedy\n1\tSci-Fi\n2\t\n3\tDrama\n"),
    (ItemTable(value="genre", separator="|"), "genres.csv", "genre,item\nComedy|Sci-Fi,1\n,2\nDrama,3\n"),
]  # fmt: skip


@pytest.mark.parametrize(("reader", "name", "text"), FILES, ids=[f"{type(r).__name__} {n}" for r, n, _ in FILES])
def test_every_format_gives_the_same_pairs(reader: AttributeReader, name: str, text: str, tmp_path: Path) -> None:
    assert (
        pairs(reader, write(tmp_path / name, text, "latin-1" if name in ("movies.dat", "u.item") else "utf-8"))
        == GENRES
    )
    (pattern,) = [pattern for pattern in reader.patterns if (tmp_path / name).match(pattern)]
    assert pattern


def test_years_stand_at_the_end_of_titles(tmp_path: Path) -> None:
    text = "1::Toy Story (1995)::A\n2::2001: A Space Odyssey::A\n3::(500) Days (of) Summer (2009) ::A\n"
    assert MovieYears().read(write(tmp_path / "movies.dat", text)).values.tolist() == [["1", 1995], ["3", 2009]]


def test_a_token_column_of_one_value_is_an_attribute(tmp_path: Path) -> None:
    path = write(tmp_path / "x.item", "item_id:token\tyear:token\n1\t1995\n2\t\n")
    assert pairs(AtomicItems(column="year"), path) == [("1", "1995")]
    with pytest.raises(ValueError, match=r"x\.item: there is no column 'class', only 'item_id', 'year'"):
        AtomicItems(column="class").read(path)


def test_whole_numbers_of_an_atomic_file_are_attributes_and_amounts_are_none(tmp_path: Path) -> None:
    header = "item_id:token\tyear:float\tyears:float_seq\tprice:float\thuge:float\n"
    rows = "1\t1995.0\t1995 1.996e3\t2\t1e20\n2\t\t\t2.5\t\n3\t1995\t1996\t3\t\n"
    path = write(tmp_path / "x.item", header + rows)
    assert pairs(AtomicItems(column="year"), path) == [("1", "1995"), ("3", "1995")]
    assert pairs(AtomicItems(column="years"), path) == [("1", "1995"), ("1", "1996"), ("3", "1996")]
    kind = ItemAttributes.from_pairs(AtomicItems(column="year").read(path), name="year", items=Vocabulary(np.arange(4)))
    assert kind.vocabulary.ids.tolist() == [1995]
    with pytest.raises(ValueError, match=r"x\.item: column 'price' holds 2\.5; numbers must be whole to be attributes"):
        AtomicItems(column="price").read(path)
    with pytest.raises(ValueError, match=r"x\.item: column 'huge' holds 1e\+20; numbers must be whole"):
        AtomicItems(column="huge").read(path)


@pytest.mark.parametrize(
    ("reader", "name", "text", "message"),
    [
        (ItemLists(), "x.json", '{"1": [2],}', ", line 1, column 11: not JSON ("),
        (ItemLists(), "x.json", "[1]", " must hold one JSON object, item to list, got list"),
        (ItemLists(), "x.json", '{"1": 2}', ": item '1' must have a list of numbers or texts, got 2; fix the entry"),
        (ItemLists(), "x.json", '{"1": [true]}', ": item '1' must have a list of numbers or texts, got [True]"),
        (MovieGenres(), "movies.dat", "1::A::B\n2::C\n", ", line 2: expected 3 columns (id, title, genres), found 2"),
        (MovieGenres(), "u.item", f"1|A||||{flags()}\n2|B|||{flags()}\n", ", line 2: expected 24 columns (id, title, "),
        (MovieGenres(), "u.item", f"1|A||||2{flags()[1:]}\n", ", line 1: the column unknown must be 0 or 1, got '2'"),
        (ItemTable(value="genre"), "x.tsv", "item\tgenre\n\tA\n", ", line 2, column 1 ('item'): the id is empty"),
        (ItemTable(value="genre"), "x.tsv", "item\tkind\n1\tA\n", ": there is no column 'genre', only 'item', 'kind'"),
        (ItemTable(value="genre"), "x.json", "{}", ": a table of attributes must end in .tsv or .csv, got '.json'"),
    ],
)
def test_a_malformed_file_is_named(reader: AttributeReader, name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / name}{message}")):
        reader.read(write(tmp_path / name, text))


def test_items_and_attributes_are_numbered_anew_and_faults_are_counted() -> None:
    frame = pd.DataFrame({"item": [7, 7, 2, 7, 100, 101, 101], "value": [30, 10, 30, 10, 10, 50, 50]})
    made = ItemAttributes.from_pairs(frame, name="genre", items=ITEMS)
    assert [made.rows.row(item).tolist() for item in range(4)] == [[1], [], [0, 1], []]
    assert made.vocabulary.ids.tolist() == [10, 30]  # 50 belongs to no item of the data
    assert (made.unknown, made.duplicates) == (2, 1)
    assert made.describe() == (
        "genre: 2 values, 0.8 per item, 2 items without; left out: 2 items not in the data, 1 repeated pairs"
    )


def test_numbers_and_their_text_are_the_same_item() -> None:
    made = ItemAttributes.from_pairs(pd.DataFrame({"item": ["9", "5"], "value": [1, 1]}), name="x", items=ITEMS)
    assert made.rows.lengths.tolist() == [0, 1, 0, 1]


def test_attributes_of_other_items_are_refused() -> None:
    frame = pd.DataFrame({"item": ["tt1", "tt2"], "value": ["a", "b"]})
    with pytest.raises(
        ValueError, match=r"attribute genre: none of its 2 items \(such as tt1, tt2\) is among the data's"
    ):
        ItemAttributes.from_pairs(frame, name="genre", items=ITEMS)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from("abcd")), min_size=1).filter(
        lambda x: {2, 5} & dict(x).keys()
    )
)
def test_multi_hot_is_membership(drawn: list[tuple[int, str]]) -> None:
    made = ItemAttributes.from_pairs(pd.DataFrame(drawn, columns=["item", "value"]), name="x", items=ITEMS)
    expected = [[(item, value) in drawn for value in made.vocabulary.ids] for item in ITEMS.ids]
    assert made.multi_hot().tolist() == expected
    assert made.duplicates == sum(i in ITEMS.ids for i, _ in drawn) - len({p for p in drawn if p[0] in ITEMS.ids})


def test_the_fingerprint_tells_name_and_content_apart_and_nothing_else() -> None:
    frame = pd.DataFrame({"item": [7, 2], "value": [30, 10]})

    def print_of(frame: pd.DataFrame, name: str = "x") -> str:
        return ItemAttributes.from_pairs(frame, name=name, items=ITEMS).fingerprint

    assert print_of(frame) == print_of(frame.iloc[::-1]) == print_of(pd.concat([frame, frame]))
    assert len({print_of(frame), print_of(frame, "y"), print_of(frame.assign(value=[30, 11]))}) == 3


def test_a_file_is_looked_for_beside_the_data(tmp_path: Path) -> None:
    data = write(tmp_path / "rows.txt", "")
    source = AttributeFile(reader=ItemTable(value="genre"))
    message = (
        r"attribute g: there is no genres.tsv or genres.csv in .*data.attributes.g.path=FILE.*data.attributes.g=null"
    )
    with pytest.raises(FileNotFoundError, match=message):
        source.read("g", data_file=data, items=ITEMS)
    beside = write(tmp_path / "genres.tsv", "item\tgenre\n2\tA\n")
    assert source.read("g", data_file=data, items=ITEMS).rows.lengths.tolist() == [1, 0, 0, 0]
    (tmp_path / "far").mkdir()
    beside.rename(tmp_path / "far/any.tsv")
    given_path = AttributeFile(reader=ItemTable(value="genre"), path=tmp_path / "far/any.tsv")
    assert given_path.read("g", data_file=data, items=ITEMS).num_values == 1


def test_ids_of_another_numbering_are_translated(tmp_path: Path) -> None:
    write(tmp_path / "movies.dat", "10::A (1990)::X\n20::B (1991)::Y\n30::C::Z\n")
    source = AttributeFile(reader=MovieGenres(), ids={"*_sas.txt": "list.txt"})
    with pytest.raises(FileNotFoundError, match=r"list.txt, which translates the data's item ids, does not exist"):
        source.read("g", data_file=tmp_path / "x_sas.txt", items=ITEMS)
    write(tmp_path / "list.txt", "2 30\n5 10\n9 77\n")
    made = source.read("g", data_file=tmp_path / "x_sas.txt", items=ITEMS)
    assert [made.vocabulary.ids[made.rows.row(item)].tolist() for item in range(4)] == [["Z"], ["X"], [], []]
    with pytest.raises(ValueError, match=r"none of its 3 items \(such as 10, 20, 30\)"):
        source.read("g", data_file=tmp_path / "ratings.dat", items=ITEMS)


@pytest.mark.parametrize(
    ("name", "place", "sizes"),
    [
        ("amazon-beauty", "s3rec", {"attribute": (637, 45_032)}),
        ("amazon-sports", "s3rec", {"attribute": (2277, None)}),
        ("lastfm", "s3rec", {"attribute": (388, None)}),
        ("ml-1m", "ml-1m", {"genre": (18, None), "year": (81, 3416)}),
    ],
)
def test_published_attributes(name: str, place: str, sizes: dict, shared: Path) -> None:
    dataset = instantiate(OmegaConf.merge(OmegaConf.load(RECIPES / f"{name}.yaml"), {"path": str(shared / place)}))
    made = dataset.attributes(dataset.sequences())
    assert [one.name for one in made] == list(sizes)
    for one in made:
        num_values, num_pairs = sizes[one.name]
        assert one.num_values == num_values
        assert (one.rows.lengths > 0).all()
        assert num_pairs is None or len(one.rows.flat()) == num_pairs


def test_published_lists_are_the_files_own(shared: Path) -> None:
    dataset = instantiate(OmegaConf.merge(OmegaConf.load(RECIPES / "lastfm.yaml"), {"path": str(shared / "s3rec")}))
    sequences = dataset.sequences()
    (made,) = dataset.attributes(sequences)
    lists = json.loads(gzip.decompress((shared / "s3rec/LastFM_item2attributes.json.gz").read_bytes()))
    for item in (0, 1, 1000, 3645):
        raw = lists[str(sequences.vocabulary.ids[item])]
        assert made.vocabulary.ids[made.rows.row(item)].tolist() == sorted(set(raw))
    assert made.duplicates == sum(len(row) - len(set(row)) for row in lists.values())


def test_movielens_100k_has_genres_and_years(ml_100k: Path) -> None:
    dataset = instantiate(OmegaConf.load(RECIPES / "ml-100k.yaml"))
    sequences = dataset.sequences()
    genre, year = dataset.attributes(sequences)
    toy_story = sequences.vocabulary.find([1])[0]
    assert genre.vocabulary.ids[genre.rows.row(toy_story)].tolist() == ["Animation", "Children's", "Comedy"]
    assert year.vocabulary.ids[year.rows.row(toy_story)].astype(str).tolist() == ["1995"]


def test_the_archive_of_movielens_100k_says_what_recbole_says(ml_100k: Path, tmp_path: Path) -> None:
    """u.item, made here of what RecBole's file says of each film, read by the same recipe."""
    order = (
        "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical"
    )
    genres = [*order.split(), "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"]  # as u.genre numbers them
    lines = (ml_100k / "ml-100k.item").read_text(encoding="utf-8").splitlines()[1:]
    films = [line.split("\t") for line in lines]
    rows = [
        f"{item}|{title} ({year})|01-Jan-{year}||http://x|{flags(*map(genres.index, kinds.split()))}\n"
        for item, title, year, kinds in films
    ]
    (tmp_path / "u.item").write_bytes("".join(rows).encode("latin-1", "replace"))
    ratings = (ml_100k / "ml-100k.inter").read_text().partition("\n")[2]
    (tmp_path / "u.data").write_text(ratings)
    made = []
    for place in (None, str(tmp_path)):
        dataset = instantiate(OmegaConf.merge(OmegaConf.load(RECIPES / "ml-100k.yaml"), {"path": place}))
        sequences = dataset.sequences()
        genre, year = dataset.attributes(sequences)
        toy_story = sequences.vocabulary.find([1])[0]
        made.append((sequences.fingerprint, genre.fingerprint, dataset.titles_of(sequences)[toy_story]))
        assert year.vocabulary.ids[year.rows.row(toy_story)].astype(str).tolist() == ["1995"]
    assert made[0][:2] == made[1][:2]
    assert [title for *_, title in made] == ["Toy Story", "Toy Story (1995)"]


def test_the_first_reader_that_knows_the_name_reads_and_the_last_any_other(tmp_path: Path) -> None:
    either = FirstMatch(readers=[MovieTitles(), AtomicItems(column="name")])
    atomic = write(tmp_path / "x.item", "item_id:token\tname:token\n1\tA\n")
    assert pairs(either, atomic) == [("1", "A")]
    assert pairs(either, atomic.rename(tmp_path / "x.other")) == [("1", "A")]
    assert pairs(either, write(tmp_path / "u.item", f"1|B||||{flags()}\n")) == [("1", "B")]
    assert pairs(either, write(tmp_path / "movies.dat", "1::C::D\n")) == [("1", "C")]
    with pytest.raises(ValueError, match="at least one reader"):
        FirstMatch(readers=[])


def test_an_attribute_can_be_done_without() -> None:
    recipe = OmegaConf.merge(OmegaConf.load(RECIPES / "ml-100k.yaml"), {"attributes": {"genre": None, "year": None}})
    dataset = instantiate(recipe)
    assert dataset.attributes(dataset.sequences()) == ()


def test_titles_keep_their_accents_in_either_encoding(tmp_path: Path) -> None:
    line = "1::Misérables, Les (1995)::Drama\n"
    for encoding in ("latin-1", "utf-8"):
        (tmp_path / "movies.dat").write_bytes(line.encode(encoding))
        assert MovieTitles().read(tmp_path / "movies.dat")["value"].to_list() == ["Misérables, Les (1995)"]


def test_the_words_of_an_atomic_title_are_one_value(tmp_path: Path) -> None:
    (tmp_path / "x.item").write_text("item_id:token\tmovie_title:token_seq\n1\tToy Story\n2\tHeat\n")
    pairs = AtomicItems(column="movie_title", joined=True).read(tmp_path / "x.item")
    assert pairs["value"].to_list() == ["Toy Story", "Heat"]
