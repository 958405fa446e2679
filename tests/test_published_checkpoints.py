"""A checkpoint in the layout of S3-Rec's released code gives the states that its released encoder gives."""

import math
from pathlib import Path

import pytest
import torch
from grid import build
from torch import Tensor
from torch.nn import functional as F

from recsys.commands.cli import main
from recsys.data.catalogue import Catalogue
from recsys.initialisation import Pretrained, load_fitting
from recsys.published_checkpoints import from_s3rec

V, D, LENGTH, HEADS = 9, 8, 6, 2


def released() -> dict[str, Tensor]:
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
    for layer in range(2):
        prefix = f"item_encoder.layer.{layer}"
        for name in ("query", "key", "value", "dense"):
            state |= linear(f"{prefix}.attention.{name}", D, D)
        state |= linear(f"{prefix}.intermediate.dense_1", D, 4 * D) | linear(f"{prefix}.intermediate.dense_2", 4 * D, D)
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "source is required: recsys import-checkpoint source=FILE out=FILE"),
        (["source=x.pt"], "out is required"),
        (["source=x.pt", "out=y", "model=s3rec"], "model: unknown key of import-checkpoint"),
        (["source=nowhere.pt", "out=y"], "source (nowhere.pt) does not exist"),
        (["source=other.pt", "out=y"], "the checkpoint has no item_embeddings.weight"),
        (["source=text.pt", "out=y"], "source (text.pt) is no state dict of tensors"),
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
    assert not Path("y").exists()
