"""experiments/archive.py: a study's records go with the code, and a study goes on from them."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.records import write_record

ROOT = Path(__file__).parents[1]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return import_module("experiments.archive")


def a_run(root: Path, name: str, *, data: str = "", **changes: object) -> Path:
    """A finished run with a file of each kind."""
    path = write_record(root / name, overrides=[f"output_dir='{root / name}'", f"data.path={data}"], **changes)
    (path / "config.yaml").write_text(f"output_dir: {root / name}\n")
    (path / "per_user.parquet").write_bytes(b"\0" + str(root).encode())
    (path / "best.ckpt").write_bytes(b"weights")
    return path


def test_runs_come_back_where_they_are_asked_for(archive: ModuleType, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    path = a_run(here, "cell, one/seed0", data="/data/of/mine/ml-1m_sas.txt")
    (here / "cell, one/chosen.json").write_text("{}")
    archive.pack(here, tmp_path / "runs.tar.xz", data=[Path("/data/of/mine/ml-1m_sas.txt")])
    archive.unpack(tmp_path / "runs.tar.xz", there)
    copy = there / "cell, one/seed0"
    assert sorted(file.name for file in copy.iterdir()) == ["config.yaml", "per_user.parquet", "run.json"]
    assert (copy / "config.yaml").read_text() == f"output_dir: {copy}\n"
    record = (copy / "run.json").read_text()
    assert f"output_dir='{copy}'" in record
    assert "data.path=ml-1m_sas.txt" in record
    assert (copy / "per_user.parquet").read_bytes() == (path / "per_user.parquet").read_bytes()
    assert (there / "cell, one/chosen.json").read_text() == "{}"


def test_of_a_pre_training_the_weights_are_kept(archive: ModuleType, tmp_path: Path) -> None:
    path = a_run(tmp_path / "here", "pretraining", metrics={"train/loss": 1.0})
    archive.pack(tmp_path / "here", tmp_path / "runs.tar.xz")
    archive.unpack(tmp_path / "runs.tar.xz", tmp_path / "there")
    assert (tmp_path / "there/pretraining/best.ckpt").read_bytes() == (path / "best.ckpt").read_bytes()


def test_what_has_not_ended_is_left_out_and_what_is_there_is_left_alone(archive: ModuleType, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    a_run(here, "ended")
    (a_run(here, "going") / "run.json").unlink()
    archive.pack(here, tmp_path / "runs.tar.xz")
    (there / "ended").mkdir(parents=True)
    (there / "ended/config.yaml").write_text("begun")
    archive.unpack(tmp_path / "runs.tar.xz", there)
    assert [path.relative_to(there).as_posix() for path in there.rglob("*.*")] == ["ended/config.yaml"]
    assert (there / "ended/config.yaml").read_text() == "begun"


def test_the_same_runs_make_the_same_file(archive: ModuleType, tmp_path: Path) -> None:
    a_run(tmp_path / "here", "run")
    for name in ("one", "other"):
        archive.pack(tmp_path / "here", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_without_an_archive_nothing_happens(archive: ModuleType, tmp_path: Path) -> None:
    archive.unpack(tmp_path / "none.tar.xz", tmp_path / "there")
    assert not (tmp_path / "there").exists()
