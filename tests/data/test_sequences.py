"""Grouping by user and time, and the folder of arrays."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.sequences import UserSequences

FRAME = pd.DataFrame(
    {
        "user": ["bob", "ann", "bob", "ann", "bob"],
        "item": [30, 10, 20, 20, 10],
        "rating": [1.0, 2.0, 3.0, 4.0, 5.0],
        "timestamp": [9, 5, 9, 4, 1],
    }
)
ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=30)


def test_each_user_in_order_of_time_and_ties_in_order_of_rows() -> None:
    sequences = UserSequences.from_frame(FRAME, name="toy")
    assert sequences.users.ids.tolist() == ["ann", "bob"]
    assert sequences.vocabulary.ids.tolist() == [10, 20, 30]
    assert sequences.items.row(0).tolist() == [1, 0]
    assert sequences.items.row(1).tolist() == [0, 2, 1]
    assert sequences.timestamps is not None
    assert sequences.timestamps.tolist() == [4, 5, 1, 9, 9]
    assert sequences.ratings is not None
    assert sequences.ratings.tolist() == [4.0, 2.0, 5.0, 1.0, 3.0]
    assert (sequences.num_users, sequences.num_items, sequences.num_interactions) == (2, 3, 5)
    assert sequences.items.values.dtype == np.int32


@settings(deadline=None)
@given(ROWS, st.booleans())
def test_grouping_agrees_with_sorting_row_by_row(rows: list[tuple[int, int, int]], timed: bool) -> None:
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    sequences = UserSequences.from_frame(frame if timed else frame.drop(columns="timestamp"), name="toy")
    for index, user in enumerate(sorted({row[0] for row in rows})):
        own = [row for row in rows if row[0] == user]
        expected = sorted(own, key=lambda row: row[2]) if timed else own
        assert sequences.vocabulary.ids[sequences.items.row(index)].tolist() == [row[1] for row in expected]
    assert (sequences.timestamps is not None) == timed


def expected_fingerprint() -> str:
    """SHA-256 of FRAME by hand: name, type and length, then little-endian bytes, names in order."""
    parts = [
        (b"items <i4 5\n", struct.pack("<5i", 1, 0, 0, 2, 1)),
        (b"offsets <i8 3\n", struct.pack("<3q", 0, 2, 5)),
        (b"ratings <f8 5\n", struct.pack("<5d", 4, 2, 5, 1, 3)),
        (b"timestamps <i8 5\n", struct.pack("<5q", 4, 5, 1, 9, 9)),
        (b"users <U3 2\n", "annbob".encode("utf-32-le")),
        (b"vocabulary <i8 3\n", struct.pack("<3q", 10, 20, 30)),
    ]
    return hashlib.sha256(b"".join(head + body for head, body in parts)).hexdigest()


def test_the_fingerprint_tells_content_apart_and_nothing_else() -> None:
    first = UserSequences.from_frame(FRAME, name="toy").fingerprint
    assert first == expected_fingerprint()
    reordered = FRAME.iloc[[1, 0, 4, 3, 2]]  # the tie, rows 0 and 2, keeps its order
    assert UserSequences.from_frame(reordered, name="other").fingerprint == first
    for changed in (
        FRAME.iloc[[2, 1, 0, 3, 4]],
        FRAME.drop(columns="timestamp"),
        FRAME.drop(columns="rating"),
        FRAME.assign(user=["bob", "eve", "bob", "eve", "bob"]),
        FRAME.assign(timestamp=FRAME["timestamp"] + 1),
        FRAME.assign(item=FRAME["item"] + 1),
    ):
        assert UserSequences.from_frame(changed, name="toy").fingerprint != first


@pytest.mark.parametrize("columns", [["user", "item"], ["user", "item", "rating", "timestamp"]])
def test_saved_and_loaded_is_the_same_and_memory_mapped(columns: list[str], tmp_path: Path) -> None:
    sequences = UserSequences.from_frame(FRAME[columns], name="toy")
    sequences.save(tmp_path / "toy")
    loaded = UserSequences.load(tmp_path / "toy")
    assert isinstance(loaded.items.values, np.memmap)
    assert loaded.name == "toy"
    assert loaded.fingerprint == sequences.fingerprint
    for part, other in zip(loaded.items[:3], sequences.items[:3], strict=True):
        assert part.tolist() == other.tolist()
    assert loaded.items.timestamps is loaded.timestamps
    assert loaded.users.ids.tolist() == sequences.users.ids.tolist()
    assert loaded.vocabulary.ids.tolist() == sequences.vocabulary.ids.tolist()
    for name in ("timestamps", "ratings"):
        saved, again = getattr(sequences, name), getattr(loaded, name)
        assert (again is None) == (saved is None)
        assert saved is None or again.tolist() == saved.tolist()


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    UserSequences.from_frame(FRAME, name="old").save(tmp_path / "toy")
    UserSequences.from_frame(FRAME[["user", "item"]], name="new").save(tmp_path / "toy")
    assert UserSequences.load(tmp_path / "toy").name == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]
    assert not (tmp_path / "toy" / "ratings.npy").exists()


def test_a_save_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    UserSequences.from_frame(FRAME, name="old").save(tmp_path / "toy")
    monkeypatch.setattr(json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        UserSequences.from_frame(FRAME, name="new").save(tmp_path / "toy")
    assert UserSequences.load(tmp_path / "toy").name == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["toy"]


def test_an_incomplete_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        UserSequences.load(tmp_path / "toy")
    UserSequences.from_frame(FRAME, name="toy").save(tmp_path / "toy")
    items = tmp_path / "toy" / "items.npy"
    items.write_bytes(items.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"items\.npy must have 148 bytes, got 147; delete the folder"):
        UserSequences.load(tmp_path / "toy")
    items.unlink()
    with pytest.raises(FileNotFoundError):
        UserSequences.load(tmp_path / "toy")
    (tmp_path / "toy" / "meta.json").write_text('{"facts": {')
    with pytest.raises(ValueError, match="Expecting"):
        UserSequences.load(tmp_path / "toy")
