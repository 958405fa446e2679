"""Weights from another run, and frozen weights: by name, on models of different catalogues and sizes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from grid import build
from torch import nn

from recsys.data.catalogue import Catalogue
from recsys.initialisation import Loading, Pretrained, Scratch, freeze, load_fitting
from recsys.report.weights import loading_table, trainable_line


def sasrec(num_items: int = 7, **sizes: Any) -> nn.Module:
    overrides = [f"model.{key}={value}" for key, value in ({"dim": 8, "feedforward_dim": 12} | sizes).items()]
    return build("model", "sasrec", "max_length=5", *overrides)(Catalogue(num_items=num_items))


def saved(model: nn.Module, directory: Path) -> Path:
    """A checkpoint as a task's: the model's tensors beside those of another part."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": tensors | {"sampler.counts": torch.ones(3)}}, directory / "best.ckpt")
    return directory


def loaded(source: str, model: nn.Module) -> Loading:
    """What became of a run's tensors."""
    return load_fitting(model, Pretrained(source=source).source_for({}))


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("source", ["", "best.ckpt"], ids=["run directory", "checkpoint"])
def test_a_model_of_the_same_shape_becomes_the_same_model(source: str, tmp_path: Path):
    there, here = sasrec(), sasrec()
    assert not same(there, here)
    loading = loaded(str(saved(there, tmp_path) / source), here)
    assert same(there, here)
    assert set(loading.loaded) == set(here.state_dict())
    assert loading.missing == loading.unexpected == loading.mismatched == []


def test_what_does_not_fit_is_named_and_keeps_its_start(tmp_path: Path):
    there, here = sasrec(num_items=7, num_blocks=1), sasrec(num_items=9, num_blocks=2)
    before = {name: tensor.clone() for name, tensor in here.state_dict().items()}
    loading = loaded(str(saved(there, tmp_path)), here)
    assert loading.mismatched == ["embedding.weight [9, 8] -> [11, 8]"]  # 7 and 9 items, two special rows
    assert loading.missing
    assert all(name.startswith("transformer.blocks.1.") for name in loading.missing)
    assert loading.unexpected == []
    after = here.state_dict()
    for name in [*loading.missing, "embedding.weight"]:
        assert torch.equal(after[name], before[name])
    for name in loading.loaded:
        assert torch.equal(after[name], there.state_dict()[name])
    assert len(loading.loaded) + len(loading.missing) + 1 == len(after)


def test_rows_of_other_items_stay_behind_though_they_fit(tmp_path: Path):
    there, here = sasrec(num_items=20), sasrec(num_items=20)
    before = here.state_dict()["embedding.weight"].clone()
    loading = load_fitting(here, saved(there, tmp_path) / "best.ckpt", foreign={20, 21, 22})
    assert loading.mismatched == ["embedding.weight [22, 8] -> [22, 8]"]
    assert torch.equal(here.state_dict()["embedding.weight"], before)
    assert torch.equal(here.state_dict()["norm.weight"], there.state_dict()["norm.weight"])


def test_what_the_model_has_no_place_for_is_named(tmp_path: Path):
    loading = loaded(str(saved(sasrec(num_blocks=2), tmp_path)), sasrec(num_blocks=1))
    assert loading.unexpected
    assert all(name.startswith("transformer.blocks.1.") for name in loading.unexpected)


def test_nothing_that_fits_is_an_error(tmp_path: Path):
    source = saved(nn.Linear(2, 3), tmp_path)
    with pytest.raises(ValueError, match=r"none of its 2 tensors fits SASRec .* \(it holds weight, bias; the model"):
        loaded(str(source), sasrec())


def test_scratch_leaves_the_random_start():
    model = sasrec()
    before = [parameter.clone() for parameter in model.parameters()]
    assert Scratch().source_for({}) is None
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_source_that_is_not_there_is_named_at_once(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"init.source \(.*nowhere\): there is no .*nowhere; give a run's dir"):
        Pretrained(source=str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match=r"there is no .*best.ckpt"):
        Pretrained(source=str(tmp_path))


class Trap:
    """What unpickling would run."""

    def __reduce__(self) -> tuple:
        return (print, ("executed",))


@pytest.mark.parametrize("content", [Trap(), {"weights": 1}, {"state_dict": 3}, [1]])
def test_a_file_that_is_no_checkpoint_is_refused(content: Any, tmp_path: Path, capsys: pytest.CaptureFixture):
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(
        ValueError,
        match=r"init.source \(.*other.ckpt\) is no checkpoint of a run: (it has no state_dict|torch.save has not)",
    ):
        loaded(str(tmp_path / "other.ckpt"), sasrec())
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"user,item\n1,2\n"])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / "other.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match="is no checkpoint of a run"):
        loaded(str(tmp_path / "other.ckpt"), sasrec())


def frozen(model: nn.Module) -> set[str]:
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}


@pytest.mark.parametrize(
    ("patterns", "begins"),
    [
        ([], ()),
        (["embedding.weight"], ("embedding.",)),
        (["transformer.blocks.0.*"], ("transformer.blocks.0.",)),
        (["embedding.*", "transformer.blocks.?.feedforward.*"], ("embedding.", "transformer.blocks.0.feedforward.",
                                                                 "transformer.blocks.1.feedforward.")),
    ],
)  # fmt: skip
def test_patterns_freeze_by_name(patterns: list[str], begins: tuple[str, ...]):
    model = sasrec()
    freeze(model, patterns)
    assert frozen(model) == {name for name, _ in model.named_parameters() if name.startswith(begins or "nothing")}


def test_a_pattern_without_a_match_lists_the_names():
    sentence = r"init.freeze \(encoder.\*\) matches no parameter; the names are embedding.weight, positions.weight, "
    with pytest.raises(ValueError, match=sentence):
        freeze(sasrec(), ["embedding.*", "encoder.*"])


def test_freezing_everything_is_an_error():
    with pytest.raises(ValueError, match=r"init.freeze \(\*\) freezes every parameter; leave at least one to train"):
        freeze(sasrec(), ["*"])
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"init.freeze \(0.\*, 1.\*\) freezes every parameter"):
        freeze(layers, ["0.*", "1.*"])


def test_the_count_of_what_is_trained():
    layers = nn.Sequential(nn.Linear(100, 10), nn.Linear(10, 5))
    freeze(layers, ["0.weight"])
    assert trainable_line(layers).plain == "trainable: 65 of 1,065 parameters; frozen: 0.weight"


def test_the_table_names_all_that_was_not_loaded(tmp_path: Path):
    loading = loaded(str(saved(sasrec(num_blocks=1), tmp_path)), sasrec(num_blocks=2))
    table = loading_table(loading)
    what, tensors, names = ([str(cell) for cell in column._cells] for column in table.columns)
    assert what == ["loaded", "missing", "unexpected", "mismatched"]
    assert tensors == [str(len(part)) for part in loading]
    assert names[0].endswith(f", and {len(loading.loaded) - 12} more")
    assert names[1] == ", ".join(loading.missing)
    assert not loading.whole
