"""What a run may start from: weights that fit by name and shape and mean the same, trained on nothing that is asked."""

from pathlib import Path
from typing import Any

import pytest

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.initialisation import Loading, Pretrained, Scratch
from recsys.report.runs import Run, load_run
from recsys.runs.sources import again, check_alike, check_fits, foreign_rows, origin, run_of
from tests.records import write_record

MODEL = {"_target_": "S3Rec", "num_heads": 2, "dim": 64, "dropout": 0.2, "block": {"inner_dropout": 0.0}}
HERE = {"data": "abc", "split": "xyz"}


def checkpoint(folder: Path, *, init: dict[str, str] | None = None) -> Path:
    """The checkpoint of a run with `MODEL`, on the data and the split of HERE."""
    write_record(folder, config={"model": MODEL}, fingerprints=HERE, init=init or {})
    (folder / "best.ckpt").write_bytes(b"weights")
    return folder / "best.ckpt"


def a_run(root: Path) -> Run:
    """The run that a checkpoint is known to be of."""
    run = run_of(checkpoint(root / "run"))
    assert run is not None
    return run


@pytest.mark.parametrize(
    "options", [MODEL, MODEL | {"dropout": 0.5, "block": {"inner_dropout": 0.1}}, MODEL | {"max_length": 5, "dim": 8}]
)
def test_sizes_and_rates_may_differ(options: dict[str, Any], tmp_path: Path) -> None:
    check_alike(a_run(tmp_path), options, fingerprints=HERE)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (MODEL | {"num_heads": 4}, "model.num_heads is 2 there, 4 here"),
        (MODEL | {"_target_": "SASRec"}, "model._target_ is S3Rec there, SASRec here"),
        (MODEL | {"block": {"_target_": "PreNormBlock"}}, "model.block._target_ is not set there, PreNormBlock here"),
    ],
)
def test_what_fits_and_means_something_else_is_refused(options: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"has another model \\({named}"):
        check_alike(a_run(tmp_path), options, fingerprints=HERE)


def test_another_split_of_the_same_data_may_have_shown_what_is_asked(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with pytest.raises(ValueError, match="was trained on another split of the same data"):
        check_alike(run, MODEL, fingerprints=HERE | {"split": "uvw"})
    check_alike(run, MODEL, fingerprints={"data": "other", "split": "uvw"})


def test_of_a_checkpoint_without_a_run_nothing_is_known(tmp_path: Path) -> None:
    assert run_of(checkpoint(tmp_path / "run").rename(tmp_path / "imported.ckpt")) is None


def test_other_sizes_on_the_same_data_are_refused(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    loading = Loading(["a"], [], [], ["embedding.weight [9, 8] -> [9, 4]"])
    with pytest.raises(
        ValueError, match=r"has other sizes \(embedding.weight \[9, 8\] -> \[9, 4\]\); use its max_length"
    ):
        check_fits(run, loading, fingerprints=HERE)
    check_fits(run, loading, fingerprints={"data": "other"})  # whose items are others
    check_fits(run, loading._replace(mismatched=[], missing=["b"]), fingerprints=HERE)  # a block more


def test_other_data_has_other_items_and_users(tmp_path: Path) -> None:
    run, catalogue = a_run(tmp_path), Catalogue(num_items=7, train=Ragged.from_rows([[0, 1]] * 20))
    assert foreign_rows(run, catalogue, fingerprints=HERE) == set()
    assert foreign_rows(run, catalogue, fingerprints={"data": "other"}) == {7, 8, 9, 20, 21, 22}


def test_a_run_starts_again_from_the_very_checkpoint(tmp_path: Path) -> None:
    source = checkpoint(tmp_path / "pre")
    run = load_run(checkpoint(tmp_path / "run", init=origin(source)).parent)
    start = again(Scratch(freeze=["norm.*"]), run)
    assert isinstance(start, Pretrained)
    assert (start.path, start.freeze) == (source, ["norm.*"])
    source.write_bytes(b"others")
    with pytest.raises(ValueError, match="has changed since"):
        again(Scratch(), run)


def test_a_run_from_scratch_starts_again_as_its_config_says(tmp_path: Path) -> None:
    init = Scratch()
    assert again(init, load_run(checkpoint(tmp_path / "run").parent)) is init
