"""Finding the pre-training run of the same data and seed in a study."""

from pathlib import Path

import pytest

from recsys.pretraining_runs import FromStudy
from tests.records import write_record


def record(
    folder: Path, *, data: str = "abc", split: str = "xyz", seed: int = 0, status: str = "finished", **metrics: float
) -> Path:
    """A run's directory with its record and a checkpoint."""
    facts = {"fingerprints": {"data": data, "split": split}, "metrics": metrics or {"train/loss": 1.0}}
    write_record(folder, name=folder.parent.name, seed=seed, status=status, **facts)
    (folder / "best.ckpt").touch()
    return folder


def find(root: Path, *, seed: int = 0, data: str = "abc") -> Path:
    return FromStudy(study="s", data="toy", seed=seed, root=str(root)).source_for({"data": data, "split": "xyz"})


def test_it_is_the_run_of_the_same_data_and_seed(tmp_path: Path) -> None:
    wanted = record(tmp_path / "s/toy/pre/seed0")
    record(tmp_path / "s/toy/pre/seed1", seed=1)
    record(tmp_path / "s/toy/old/seed0", data="other")
    record(tmp_path / "s/toy/stopped/seed0", status="interrupted")
    record(tmp_path / "s/toy/tuned/seed0", **{"test/ndcg@10": 0.1})
    record(tmp_path / "another/toy/pre/seed0")
    assert find(tmp_path) == wanted / "best.ckpt"
    assert find(tmp_path, seed=1).parent.name == "seed1"


def test_none_at_all_says_how_to_make_one(tmp_path: Path) -> None:
    record(tmp_path / "s/toy/tuned/seed0", **{"test/ndcg@10": 0.1})
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match=r"holds no finished pre-training; run one with task=s3_pretrain"):
            find(root)


def test_other_data_are_named(tmp_path: Path) -> None:
    record(tmp_path / "s/toy/pre/seed0", data="0123456789")
    with pytest.raises(ValueError, match=r"another fingerprint \(01234567\.\.\. there, abc\.\.\. here\); pre-train on"):
        find(tmp_path)


def test_another_split_may_hold_what_this_one_asks_for(tmp_path: Path) -> None:
    record(tmp_path / "s/toy/pre/seed0", split="123456789")
    with pytest.raises(
        ValueError, match=r"the split of its 1 .* \(12345678\.\.\. there, xyz\.\.\. here\); pre-train on"
    ):
        find(tmp_path)


def test_other_seeds_are_named(tmp_path: Path) -> None:
    for seed in (3, 1):
        record(tmp_path / f"s/toy/pre/seed{seed}", seed=seed)
    with pytest.raises(ValueError, match=r"has no pre-training of seed 0, only 1, 3; pre-train with that"):
        find(tmp_path)


def test_several_are_not_chosen_from(tmp_path: Path) -> None:
    for name in ("one", "two"):
        record(tmp_path / f"s/toy/{name}/seed0")
    with pytest.raises(
        ValueError, match=r"has 2 pre-trainings of seed 0 \(one, two\); choose one with init=pretrained"
    ):
        find(tmp_path)
