"""RecBole's atomic files: types in the header, ragged fields."""

import re
from pathlib import Path

import numpy as np
import pytest
from written import write

from recsys.data.sources import AtomicFile, read_atomic


def test_an_atomic_file_without_ratings_and_times(tmp_path: Path) -> None:
    path = write(tmp_path / "x.inter", "item_id:token\tuser_id:token\n5\tann\n")
    assert AtomicFile().read(path).to_dict("list") == {"user": ["ann"], "item": [5]}
    with pytest.raises(ValueError, match=r"no column 'time', only 'item_id', 'user_id'.*timestamp=NAME"):
        AtomicFile(timestamp="time").read(path)


def test_ragged_fields_of_an_atomic_file(tmp_path: Path) -> None:
    text = (
        "item_id:token\tname:token_seq\tvec:float_seq\tyear:token\tprice:float\n"
        '1\tA "quoted" name\t0.5 -1 2e3\t1995\t2.5\n'
        "2\t\t\t\t\n"
    )
    frame = read_atomic(write(tmp_path / "x.item", text))
    assert frame["item_id"].tolist() == [1, 2]
    assert frame["name"].tolist() == [["A", '"quoted"', "name"], []]
    assert [vector.tolist() for vector in frame["vec"]] == [[0.5, -1.0, 2000.0], []]
    assert frame["year"].tolist() == ["1995", ""]
    assert frame["price"].tolist()[0] == 2.5
    assert np.isnan(frame["price"][1])


@pytest.mark.parametrize(
    ("kind", "field"), [("float_seq", "1 x 2"), ("float_seq", "1 2_0"), ("float", "1 2"), ("float", "nan")]
)
def test_a_bad_number_of_an_atomic_file_is_named(kind: str, field: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.item", f"item_id:token\tvec:{kind}\n1\t1\n2\t{field}\n")
    with pytest.raises(ValueError, match=r"x\.item, line 3, column 2 \('vec'\): value '.*' is not a number"):
        read_atomic(path)


@pytest.mark.parametrize("field", ["name", "name:text", ":token"])
def test_a_header_without_types_is_refused(field: str, tmp_path: Path) -> None:
    message = f", line 1, column 2 ({field!r}): a column must be named NAME:TYPE"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_atomic(write(tmp_path / "x.item", f"item_id:token\t{field}\n1\t2\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:token\tb:float\ta:float\n1\t2\t3\n", "line 1, column 3 ('a:float'): there is a column 'a' before it"),
        ("user_id:token,item_id:token\n1,2\n", "line 1, column 1 ('user_id:token,item_id:token'): a column must be"),
        ("item_id:token\tb:float\n1\t2\n\t2\n", "line 3, column 1 ('item_id'): the id is empty"),
        ("item_id:token\tb:token\n1\t2\n2\tx\0\n", "line 3, column 2 ('b'): value 'x\\x00' holds a NUL byte"),
    ],
)
def test_what_an_atomic_file_cannot_mean_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x.item, {message}")):
        read_atomic(write(tmp_path / "x.item", text))
