"""What RecBole's models keep outside of parameters and buffers: step counts, neighbours, embeddings for ranking."""

from typing import Any

from torch import Tensor, nn

OF_EVERY_MODULE = frozenset(vars(nn.Module()))


def kept(module: nn.Module) -> dict[str, Any]:
    """Numbers, tensors and None that the module and those within it hold as attributes, by dotted name."""
    return {
        ".".join(filter(None, (path, name))): value
        for path, part in module.named_modules()
        for name, value in vars(part).items()
        if name not in OF_EVERY_MODULE and isinstance(value, int | float | Tensor | None)
    }


def put(module: nn.Module, name: str, value: Any) -> None:
    """Sets the attribute of that dotted name."""
    path, _, attribute = name.rpartition(".")
    setattr(module.get_submodule(path), attribute, value)
