"""Checkpoints of published code under our names and ids."""

from pathlib import Path

import torch
from torch import Tensor

from recsys.initialisation import PREFIX, State
from recsys.tensor_files import read_plain
from recsys.whole_files import written_whole

# S3-Rec's layers (CIKM 2020, released code) and ours; the key and the value are one layer here.
S3REC_LAYERS = {
    "attention.query": "attention.query",
    "attention.dense": "attention.output",
    "attention.LayerNorm": "attention_norm",
    "intermediate.dense_1": "feedforward.expand",
    "intermediate.dense_2": "feedforward.contract",
    "intermediate.LayerNorm": "feedforward_norm",
}
S3REC_HEADS = ("attribute_embeddings.", "aap_norm.", "mip_norm.", "map_norm.", "sp_norm.")
FIRST = "item_encoder.layer.0.intermediate.dense_1.weight"  # without a layer it is no encoder


def from_s3rec(there: State) -> State:
    """The encoder of a released S3-Rec state dict as `model=s3rec` names it.

    Item 0 is padding there and the last row the mask, items being 1..V: here items are 0..V-1 (raw id minus 1, which is
    their index in the data's vocabulary where the ids have no gaps), padding follows as zeros, then the mask. Rows are
    padded on the left there, so position L - 1 is the latest item's: here it is 0 (`model/positions=from_end`, with
    max_length=L). Keys and values are two layers there and one here. What else there is, see `left_behind`.
    Raises ValueError that names the first tensor that is not there, or has another shape than its like.
    """
    for name, shape in _shapes(there).items():
        _get(there, name, shape)
    items = there["item_embeddings.weight"]  # [V + 2, D]
    here = {
        "embedding.weight": torch.cat([items[1:-1], torch.zeros_like(items[:1]), items[-1:]]),
        "positions.weight": there["position_embeddings.weight"].flip(0),
    }
    for part in ("weight", "bias"):
        here[f"norm.{part}"] = there[f"LayerNorm.{part}"]
        for number in range(_num_layers(there)):
            theirs, ours = f"item_encoder.layer.{number}.", f"transformer.blocks.{number}."
            for layer, name in S3REC_LAYERS.items():
                here[f"{ours}{name}.{part}"] = there[f"{theirs}{layer}.{part}"]
            pair = [there[f"{theirs}attention.{layer}.{part}"] for layer in ("key", "value")]
            here[f"{ours}attention.key_value.{part}"] = torch.cat(pair)
    return here


def sizes(there: State) -> list[str]:
    """The overrides of `recsys train model=s3rec` that make an encoder of the sizes of a released one."""
    inner, dim = there[FIRST].shape
    return [
        f"max_length={len(there['position_embeddings.weight'])}",
        f"model.dim={dim}",
        f"model.feedforward_dim={inner}",
        f"model.num_blocks={_num_layers(there)}",
    ]


def left_behind(there: State) -> tuple[list[str], list[str]]:
    """What `from_s3rec` has no use for of a released state dict: the heads of pre-training, and unknown tensors."""
    known = _shapes(there)
    names = [name for name in there if name not in known]
    heads = [name for name in names if name.startswith(S3REC_HEADS)]
    return heads, [name for name in names if name not in heads]


def read_state(path: Path) -> State:
    """The tensors of a file that `torch.save(model.state_dict(), path)` wrote; nothing in it is executed."""
    if not path.is_file():
        raise FileNotFoundError(f"source ({path}) does not exist; give the file of a released model")
    try:
        state = read_plain(path)
    except ValueError as reason:
        raise ValueError(f"source ({path}) is no plain state dict: {reason}; save model.state_dict()") from reason
    others = [name for name, value in state.items() if not isinstance(value, Tensor)] if isinstance(state, dict) else []
    if not isinstance(state, dict) or others:
        what = f"{others[0]} in it is no tensor" if others else f"it holds a {type(state).__name__}"
        raise ValueError(f"source ({path}) is no plain state dict: {what}; save model.state_dict()")
    for name, tensor in state.items():
        if not tensor.float().isfinite().all():
            raise ValueError(f"source ({path}): {name} holds a number that is not finite; its training has diverged")
    return {str(name): tensor.float() for name, tensor in state.items()}


def write_checkpoint(state: State, path: Path) -> None:
    """A checkpoint for `init=pretrained init.source=PATH`; all of it or nothing."""
    tensors = {f"{PREFIX}{name}": tensor.contiguous() for name, tensor in state.items()}
    with written_whole(path) as partial:
        torch.save({"epoch": 0, "state_dict": tensors}, partial)


def _shapes(there: State) -> dict[str, tuple[int, ...]]:
    """The tensors of a released encoder of that width, with those numbers of items, positions and layers."""
    rows, dim = _get(there, "item_embeddings.weight", ("items + 2", "dim")).shape
    if rows < 3:
        raise ValueError(f"the checkpoint's item_embeddings.weight has {rows} rows, so it knows no item; check source")
    length, _ = _get(there, "position_embeddings.weight", ("max_length", dim)).shape
    inner, _ = _get(there, FIRST, ("feedforward_dim", dim)).shape
    layer = {f"attention.{name}": (dim, dim) for name in ("query", "key", "value", "dense")}
    layer |= {"attention.LayerNorm": (dim,), "intermediate.LayerNorm": (dim,)}
    layer |= {"intermediate.dense_1": (inner, dim), "intermediate.dense_2": (dim, inner)}
    shapes: dict[str, tuple[int, ...]] = {"LayerNorm": (dim,)}
    for number in range(_num_layers(there)):
        shapes |= {f"item_encoder.layer.{number}.{name}": shape for name, shape in layer.items()}
    weights = {f"{name}.weight": shape for name, shape in shapes.items()}
    biases = {f"{name}.bias": shape[:1] for name, shape in shapes.items()}
    tables = {"item_embeddings.weight": (rows, dim), "position_embeddings.weight": (length, dim)}
    return tables | weights | biases


def _get(state: State, name: str, shape: tuple[int | str, ...]) -> Tensor:
    """The tensor. shape: what it must have; a word stands for any number. ValueError where it has not."""
    if name not in state:
        first = ", ".join([*state][:3]) + (", ..." if len(state) > 3 else "") or "nothing"
        raise ValueError(
            f"the checkpoint has no {name}, so it is none of S3-Rec's released code (it has {first}); check source"
        )
    there = state[name].shape
    if len(there) != len(shape) or any(isinstance(n, int) and n != m for m, n in zip(there, shape, strict=True)):
        raise ValueError(
            f"the checkpoint's {name} is [{', '.join(map(str, there))}], in S3-Rec's released code it is "
            f"[{', '.join(map(str, shape))}]; check source"
        )
    return state[name]


def _num_layers(state: State) -> int:
    prefix = "item_encoder.layer."
    return len({name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)})
