"""Atomic files written: they read back the same, and RecBole itself splits them as we do."""

import math
import re
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.atomic_export import export_atomic, recbole_settings
from recsys.data.attributes import ItemAttributes
from recsys.data.sequences import UserSequences
from recsys.data.sources import AtomicFile, read_atomic, write_atomic
from recsys.data.splits import LeaveOneOut

WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROW = st.tuples(WORD.map("x".__add__), FINITE, st.lists(WORD), st.lists(FINITE))


@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_what_is_written_reads_back(rows: list[tuple], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("atomic") / "x.item"
    kinds = ("token", "float", "token_seq", "float_seq")
    write_atomic(path, {f"{kind}:{kind}": column for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)})
    assert contents(path) == rows


TEXT = WORD | st.sampled_from(["", " ", "NA", "null", '"', "\0", "\ufeff", "\x85", "007", "1e3"])
ANY = {
    "token": TEXT | st.text(max_size=3) | st.sampled_from([None, math.nan]),
    "float": FINITE | st.integers() | st.sampled_from([None, math.nan, math.inf]),
    "token_seq": st.lists(TEXT, max_size=3),
    "float_seq": st.lists(FINITE, max_size=3) | st.just([math.nan]),
}
NAME = st.sampled_from(["a", "b", "c", "item_id"]) | st.text(max_size=3)


@given(data=st.data())
def test_what_cannot_be_read_back_is_not_written(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever it is given, it refuses or writes what reads back equal."""
    path = tmp_path_factory.mktemp("atomic") / "x.item"
    headers = data.draw(
        st.lists(st.tuples(NAME, st.sampled_from(sorted(ANY))), min_size=1, max_size=3, unique_by=itemgetter(0))
    )
    rows = data.draw(st.lists(st.tuples(*(ANY[kind] for _, kind in headers)), min_size=1, max_size=2))
    columns = dict(zip((f"{name}:{kind}" for name, kind in headers), zip(*rows, strict=True), strict=True))
    try:
        write_atomic(path, columns)
    except ValueError:
        assert not path.exists()
        return
    assert list(read_atomic(path).columns) == [name for name, _ in headers]
    assert [repr(row) for row in contents(path)] == [repr(as_read(row, headers)) for row in rows]


def as_read(row: tuple, headers: list[tuple[str, str]]) -> tuple:
    """Numbers as floats; the rest as it is."""
    return tuple(float(value) if kind == "float" else value for value, (_, kind) in zip(row, headers, strict=True))


def contents(path: Path) -> list[tuple]:
    """The rows as they were written: tokens as text, sequences as lists."""
    return [tuple(map(plain, row)) for row in read_atomic(path).itertuples(index=False, name=None)]


def plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if isinstance(value, list | float) else str(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("a:token", "x\ty", "x.user, row 2, column 'a:token': 'x\\ty' holds white space that ends the field"),
        ("a:token_seq", ["x y"], "x.user, row 2, column 'a:token_seq': 'x y' holds white space that ends the field"),
        ("a:token", None, "x.user, row 2, column 'a:token': there is no value"),
        ("a:token", math.nan, "x.user, row 2, column 'a:token': there is no value"),
        ("a:token", "", "x.user, row 2: the row's only field is empty, and so would be its line"),
        ("item_id:token", "", "x.user, row 2, column 'item_id:token': the id is empty"),
        ("a:token_seq", ["x", ""], "x.user, row 2, column 'a:token_seq': a part of the sequence is empty"),
        ("a:text", "x", "a column must be named NAME:TYPE with TYPE one of token, float, token_seq, float_seq"),
    ],
)
def test_what_the_format_cannot_hold_is_named(name: str, value: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        write_atomic(tmp_path / "x.user", {name: [["x"], value] if isinstance(value, list) else ["x", value]})
    assert not list(tmp_path.iterdir())


def test_infinite_numbers_and_a_name_given_twice_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("x.item, row 1, column 'a:float': value 'inf' is not a number")):
        write_atomic(tmp_path / "x.item", {"a:float": [math.inf]})
    with pytest.raises(ValueError, match=re.escape("line 1, column 2 ('a:float'): there is a column 'a' before it")):
        write_atomic(tmp_path / "x.item", {"a:token": ["x"], "a:float": [1.0]})


def sequences() -> UserSequences:
    """Ties within users, and times that differ by less than RecBole's 32 bits tell apart."""
    rng = np.random.default_rng(0)
    rows = [(user, item) for user in range(30) for item in rng.permutation(40)[: rng.integers(4, 12)]]
    frame = pd.DataFrame(rows, columns=["user", "item"]).sample(frac=1, random_state=0)
    times = 874_965_000 + rng.integers(0, 200, len(frame))
    return UserSequences.from_frame(frame.assign(timestamp=times, rating=1.5), name="toy")


def test_the_export_is_the_data_again(tmp_path: Path) -> None:
    original = sequences()
    split = LeaveOneOut()(original)
    export_atomic(original, split, (), tmp_path / "toy")
    again = UserSequences.from_frame(AtomicFile().read(tmp_path / "toy/toy.inter"), name="toy")
    assert again.fingerprint == original.fingerprint
    assert LeaveOneOut()(again).fingerprint() == split.fingerprint()
    train, test = (read_atomic(tmp_path / f"toy/toy.{part}.inter") for part in ("train", "test"))
    assert len(train) == split.train.lengths.sum()
    assert (test["item_id"].to_numpy() == original.vocabulary.ids[split.test.targets.flat()]).all()


def test_an_earlier_exports_attributes_do_not_stay(tmp_path: Path) -> None:
    original = sequences()
    pairs = pd.DataFrame({"item": original.vocabulary.ids, "value": "a"})
    kind = ItemAttributes.from_pairs(pairs, name="kind", items=original.vocabulary, key="x")
    assert export_atomic(original, LeaveOneOut()(original), (kind,), tmp_path / "toy")[-1].name == "toy.item"
    export_atomic(original, LeaveOneOut()(original), (), tmp_path / "toy")
    assert not (tmp_path / "toy/toy.item").exists()


def settings_of(text: str) -> tuple[dict, dict]:
    """What is printed for general models, and what for sequential ones."""
    lines = text.splitlines()
    commented = [line.removeprefix("# ") for line in lines[1:] if line.startswith("#")]
    return yaml.safe_load(text), yaml.safe_load("\n".join(commented[1:]))


@pytest.fixture
def recbole() -> Callable[..., list[Any]]:
    """RecBole's own parts of a data set, by the model and its settings."""
    pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")
    from recsys.models.recbole import shims

    shims.install()
    from recbole.config import Config
    from recbole.data.utils import create_dataset

    def built(model: str, settings: dict[str, Any]) -> list[Any]:
        with shims.contained():
            return create_dataset(Config(model=model, config_dict=settings | {"gpu_id": ""})).build()

    return built


def test_recbole_itself_reads_the_very_split(tmp_path: Path, recbole: Callable[..., list[Any]]) -> None:
    original = sequences()
    split = LeaveOneOut()(original)
    export_atomic(original, split, (), tmp_path / "toy")
    general, _ = settings_of(recbole_settings(original, (), tmp_path / "toy"))
    parts = recbole("BPR", general)
    assert [len(part.inter_feat) for part in parts] == [split.train.lengths.sum(), *[original.num_users] * 2]


def test_recbole_itself_leaves_the_same_items_out(tmp_path: Path, recbole: Callable[..., list[Any]]) -> None:
    original = sequences()
    split = LeaveOneOut()(original)
    export_atomic(original, split, (), tmp_path / "toy")
    _, settings = settings_of(recbole_settings(original, (), tmp_path / "toy"))
    _, _, test = recbole("GRU4Rec", settings | {"train_neg_sample_args": None})
    theirs = {
        int(user): int(item)
        for user, item in zip(
            test.id2token("user_id", test.inter_feat["user_id"].numpy()),
            test.id2token("item_id", test.inter_feat["item_id"].numpy()),
            strict=True,
        )
    }
    ours = zip(original.users.ids, original.vocabulary.ids[split.test.targets.flat()], strict=True)
    assert theirs == {int(user): int(item) for user, item in ours}
