"""Checkpoints of published code under our names and ids."""

from pathlib import Path

import torch
from torch import Tensor

from recsys.initialisation import PREFIX, State

# S3-Rec's layers (CIKM 2020, released code) and ours: without an entry here a tensor is left behind.
S3REC_LAYERS = {
    "attention.query": "attention.query",
    "attention.dense": "attention.output",
    "attention.LayerNorm": "attention_norm",
    "intermediate.dense_1": "feedforward.expand",
    "intermediate.dense_2": "feedforward.contract",
    "intermediate.LayerNorm": "feedforward_norm",
}


def from_s3rec(there: State) -> State:
    """The encoder of a released S3-Rec state dict as `model=s3rec` names it.

    Item 0 is padding there and the last row the mask, items being 1..V: here items are 0..V-1 (raw id minus 1, which is
    their index in the data's vocabulary where the ids have no gaps), padding follows as zeros, then the mask. Rows are
    padded on the left there, so position L - 1 is the latest item's: here it is 0 (`model/positions=from_end`, with
    max_length=L). Keys and values are two layers there and one here. The heads of pre-training are left behind.
    Raises ValueError that names the first tensor that is not there.
    """
    items = _get(there, "item_embeddings.weight")  # [V + 2, D]
    here = {
        "embedding.weight": torch.cat([items[1:-1], torch.zeros_like(items[:1]), items[-1:]]),
        "positions.weight": _get(there, "position_embeddings.weight").flip(0),
    }
    for part in ("weight", "bias"):
        here[f"norm.{part}"] = _get(there, f"LayerNorm.{part}")
        for number in range(_num_layers(there)):
            theirs, ours = f"item_encoder.layer.{number}.", f"transformer.blocks.{number}."
            for layer, name in S3REC_LAYERS.items():
                here[f"{ours}{name}.{part}"] = _get(there, f"{theirs}{layer}.{part}")
            pair = [_get(there, f"{theirs}attention.{layer}.{part}") for layer in ("key", "value")]
            here[f"{ours}attention.key_value.{part}"] = torch.cat(pair)
    return here


def read_state(path: Path) -> State:
    """The tensors of a file that `torch.save(model.state_dict(), path)` wrote; nothing in it is executed."""
    if not path.is_file():
        raise FileNotFoundError(f"source ({path}) does not exist; give the file of a released model")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {str(name): tensor.float() for name, tensor in state.items()}
    except Exception as error:  # a file of another kind fails in as many ways as there are kinds
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
        raise ValueError(f"source ({path}) is no state dict of tensors ({reason}); save model.state_dict()") from error


def write_checkpoint(state: State, path: Path) -> None:
    """A checkpoint for `init=pretrained init.source=PATH`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {f"{PREFIX}{name}": tensor.contiguous() for name, tensor in state.items()}
    torch.save({"epoch": 0, "state_dict": tensors}, path)


def _get(state: State, name: str) -> Tensor:
    if name not in state:
        raise ValueError(
            f"the checkpoint has no {name}, so it is none of S3-Rec's released code "
            f"(it has {', '.join(list(state)[:3])}, ...); check source"
        )
    return state[name]


def _num_layers(state: State) -> int:
    prefix = "item_encoder.layer."
    return len({name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)})
