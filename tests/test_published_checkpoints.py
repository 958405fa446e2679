"""A checkpoint in the layout of S3-Rec's released code gives the states that its released encoder gives."""

import math
import shlex
from pathlib import Path

import pytest
import torch
from grid import build
from hydra.core.override_parser.overrides_parser import OverridesParser
from torch import Tensor, nn
from torch.nn import functional as F

from recsys.commands.cli import main
from recsys.data.catalogue import Catalogue
from recsys.initialisation import Pretrained, load_fitting
from recsys.published_checkpoints import from_s3rec, write_checkpoint

V, D, LENGTH, HEADS = 9, 8, 6, 2


def released(*, layers: int = 2, inner: int = 4 * D) -> dict[str, Tensor]:
    """Random tensors under the names and in the shapes of the released model."""
    state = {
        "item_embeddings.weight": torch.randn(V + 2, D),
        "attribute_embeddings.weight": torch.randn(5, D),
        "position_embeddings.weight": torch.randn(LENGTH, D),
        "LayerNorm.weight": torch.rand(D) + 0.5,
        "LayerNorm.bias": torch.randn(D),
    }
    for name in ("aap_norm", "mip_norm", "map_norm", "sp_norm"):
        state |= linear(name, D, D)
    for layer in range(layers):
        prefix = f"item_encoder.layer.{layer}"
        for name in ("query", "key", "value", "dense"):
            state |= linear(f"{prefix}.attention.{name}", D, D)
        state |= linear(f"{prefix}.intermediate.dense_1", D, inner) | linear(f"{prefix}.intermediate.dense_2", inner, D)
        for part in ("attention", "intermediate"):
            state[f"{prefix}.{part}.LayerNorm.weight"] = torch.rand(D) + 0.5
            state[f"{prefix}.{part}.LayerNorm.bias"] = torch.randn(D)
    return state


def linear(name: str, width: int, out: int) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.randn(out, width) / width**0.5, f"{name}.bias": torch.randn(out)}


def encode(state: dict[str, Tensor], row: list[int], *, causal: bool) -> Tensor:
    """The released encoder on one row of released ids, padded on the left, [L, D]; its mask is added to the scores."""
    items = torch.tensor([0] * (LENGTH - len(row)) + row)

    def through(name: str, x: Tensor) -> Tensor:
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (D,), state[f"{name}LayerNorm.weight"], state[f"{name}LayerNorm.bias"], eps=1e-12)

    seen = (items > 0)[None, :] & (torch.ones(LENGTH, LENGTH).tril() > 0 if causal else torch.tensor(True))
    x = norm("", state["item_embeddings.weight"][items] + state["position_embeddings.weight"])
    for layer in range(2):
        prefix = f"item_encoder.layer.{layer}."
        query, key, value = (
            through(f"{prefix}attention.{name}", x).view(LENGTH, HEADS, -1).transpose(0, 1)
            for name in ("query", "key", "value")
        )
        scores = query @ key.mT / math.sqrt(D / HEADS) + (~seen).float() * -10000.0
        mixed = (scores.softmax(-1) @ value).transpose(0, 1).reshape(LENGTH, D)
        x = norm(f"{prefix}attention.", through(f"{prefix}attention.dense", mixed) + x)
        hidden = F.gelu(through(f"{prefix}intermediate.dense_1", x))
        x = norm(f"{prefix}intermediate.", through(f"{prefix}intermediate.dense_2", hidden) + x)
    return x[-len(row) :]


def imported(state: dict[str, Tensor], tmp_path: Path) -> torch.nn.Module:
    torch.save(state, tmp_path / "released.pt")
    out = tmp_path / "made/ours.ckpt"
    assert main(["import-checkpoint", f"source={tmp_path / 'released.pt'}", f"out={out}"]) == 0
    sizes = (f"max_length={LENGTH}", f"model.dim={D}", f"model.feedforward_dim={4 * D}")
    model = build("model", "s3rec", *sizes)(Catalogue(num_items=V)).eval()
    loading = load_fitting(model, Pretrained(source=str(out)).source_for({}))
    assert loading.missing == loading.unexpected == loading.mismatched == []
    return model


@pytest.mark.parametrize("row", [[3, 1, 9], [5], [2, 4, 6, 8, 1, 3]])
def test_states_and_scores_are_those_of_the_released_encoder(
    row: list[int], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    state = released()
    model = imported(state, tmp_path)
    printed = capsys.readouterr().out
    assert "9 items, 8 wide, 6 positions ->" in printed
    assert "left behind, heads of pre-training: attribute_embeddings.weight, aap_norm.weight" in printed
    items = torch.tensor([[item - 1 for item in row] + [model.pad] * (LENGTH - len(row))])
    states = model.encode(items)[0, : len(row)]
    torch.testing.assert_close(states, encode(state, row, causal=True), atol=1e-3, rtol=1e-3)
    scores = states[-1] @ state["item_embeddings.weight"].T  # of padding, V items, mask
    torch.testing.assert_close(model.score(model.next_query(items))[0], scores[1:-1], atol=1e-4, rtol=1e-4)


def test_masks_are_read_both_ways_as_in_its_pre_training(tmp_path: Path) -> None:
    state = released()
    model = imported(state, tmp_path)
    states = model.encode_both_ways(torch.tensor([[2, model.mask, 4, model.pad]]))[0, :3]
    torch.testing.assert_close(states, encode(state, [3, V + 1, 5], causal=False), atol=1e-3, rtol=1e-3)


def test_padding_is_zero_whatever_was_there() -> None:
    """The released code draws the padding row anew after torch has made it zero."""
    assert from_s3rec(released())["embedding.weight"][V].abs().sum() == 0


def run(state: object, out: str | Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What the verb says of such a file, or why it fails."""
    torch.save(state, "released.pt")
    code = main(["import-checkpoint", "source=released.pt", f"out={out}"])
    printed, error = capsys.readouterr()
    assert error.count("\n") == (1 if code else 0)
    return error if code else printed


@pytest.mark.parametrize("out", ["ours.ckpt", 'a=b, it\'s "1"/ours.ckpt'])
def test_the_printed_command_says_every_size(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run(released(layers=3, inner=12), out, capsys)
    (command,) = (line for line in printed.splitlines() if line.startswith("recsys train "))
    assert "in place of DATA" in printed
    parsed = OverridesParser.create().parse_overrides(shlex.split(command)[2:])
    given = {override.key_or_group: override.value() for override in parsed}
    assert given == {
        "data": "DATA",
        "model": "s3rec",
        "max_length": LENGTH,
        "model.dim": D,
        "model.feedforward_dim": 12,
        "model.num_blocks": 3,
        "init": "pretrained",
        "init.source": out,
    }
    sizes = [f"{key}={value}" for key, value in given.items() if key.startswith(("max_length", "model."))]
    loading = load_fitting(build("model", "s3rec", *sizes)(Catalogue(num_items=V)), Path(out))
    assert loading.missing == loading.unexpected == loading.mismatched == []


def test_tensors_that_the_released_code_has_not_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    state = released() | linear("item_encoder.layer.1.attention.gate", D, D)
    printed = run(state | {"extra.[bold]": torch.ones(1)}, "ours.ckpt", capsys)
    assert "unknown in S3-Rec's released code: " in printed
    names = printed.partition("unknown in S3-Rec's released code: ")[2].splitlines()[0].split(", ")
    assert names == [f"item_encoder.layer.1.attention.gate.{part}" for part in ("weight", "bias")] + ["extra.[bold]"]


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("item_embeddings.weight", torch.ones(D), f"is [{D}], in S3-Rec's released code it is [items + 2, dim]"),
        ("item_embeddings.weight", torch.ones(2, D), "has 2 rows, so it knows no item"),
        (
            "position_embeddings.weight",
            torch.ones(3, 5),
            f"is [3, 5], in S3-Rec's released code it is [max_length, {D}]",
        ),
        (
            "item_encoder.layer.1.attention.key.weight",
            torch.ones(D, 3),
            f"is [{D}, 3], in S3-Rec's released code it is",
        ),
        (
            "item_encoder.layer.0.attention.value.bias",
            torch.ones(1, D),
            f"is [1, {D}], in S3-Rec's released code it is",
        ),
        ("item_encoder.layer.0.intermediate.dense_1.weight", torch.ones(()), "is [], in S3-Rec's released code it is"),
        ("LayerNorm.bias", torch.ones(1), f"is [1], in S3-Rec's released code it is [{D}]"),
    ],
)
def test_a_tensor_of_another_shape_is_named(
    name: str,
    tensor: Tensor,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"the checkpoint's {name} {message}" in run(released() | {name: tensor}, "made/ours.ckpt", capsys)
    assert not Path("made").exists()


def test_a_model_without_an_encoder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    error = run(released(layers=0), "made/ours.ckpt", capsys)
    assert "the checkpoint has no item_encoder.layer.0." in error
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (".", "out (.) is a directory"),
        ("released.pt/ours.ckpt", "out (released.pt/ours.ckpt) can't be written there"),
        ("/proc/x/ours.ckpt", "out (/proc/x/ours.ckpt) can't be written there"),
    ],
)
def test_a_place_that_takes_no_file_is_refused(
    out: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in run(released(), out, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["released.pt"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nn.Linear(2, 2), "torch.save has not written it"),
        ({"epoch": 3, "state_dict": {}}, "epoch in it is no tensor"),
        ([torch.ones(2)], "it holds a list"),
    ],
)
def test_another_content_is_said_in_words(
    content: object,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    error = run(content, "ours.ckpt", capsys)
    assert f"source (released.pt) is no plain state dict: {reason}" in error
    assert error.endswith("; save model.state_dict()\n")
    assert not Path("ours.ckpt").exists()


def test_the_source_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "out (released.pt) is the source itself" in run(released(), "./released.pt", capsys)
    assert "position_embeddings.weight" in torch.load("released.pt")


def test_a_diverged_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    state = released()
    state["LayerNorm.bias"][0] = torch.nan
    assert "LayerNorm.bias holds a number that is not finite" in run(state, "ours.ckpt", capsys)


def test_a_failed_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(content: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("no space left")

    monkeypatch.setattr(torch, "save", fill)
    with pytest.raises(RuntimeError, match="no space"):
        write_checkpoint({}, tmp_path / "ours.ckpt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_answered(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["import-checkpoint", flag])
    assert capsys.readouterr().out.startswith("usage: recsys import-checkpoint source=FILE out=FILE\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "source is required: recsys import-checkpoint source=FILE out=FILE"),
        (["source=x.pt"], "out is required"),
        (["source=x.pt", "out=y", "model=s3rec"], "model: unknown key of import-checkpoint"),
        (["source=nowhere.pt", "out=y"], "source (nowhere.pt) does not exist"),
        (["source=other.pt", "out=y"], "the checkpoint has no item_embeddings.weight"),
        (["source=text.pt", "out=y"], "source (text.pt) is no plain state dict: torch.save has not written it, or not"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": torch.ones(2)}, "other.pt")
    Path("text.pt").write_text("no checkpoint")
    assert main(["import-checkpoint", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "weights only" not in error.lower()
    assert not Path("y").exists()
