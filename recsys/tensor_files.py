"""Files of tensors that torch.save has written, read without running anything in them."""

from pathlib import Path
from typing import Any

import torch


def read_plain(path: Path) -> Any:
    """The file's tensors and plain values, on the processor.

    ValueError that says in words why there are none: a reason alone, for the caller to say which key named the file.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ValueError(f"it can't be read: {error.strerror}") from error
    except Exception as error:  # a file of another kind fails in as many ways as there are kinds
        raise ValueError(
            "torch.save has not written it, or not all of it is there, or it holds whole objects, which are not read "
            "since that would run their code"
        ) from error
