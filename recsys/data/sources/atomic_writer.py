"""RecBole's atomic files, written: what `read_atomic` reads."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_atomic(path: Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """One row per element of the columns, each named `name:type` with type token, float, token_seq or float_seq.

    The file is there whole or not at all. ValueError naming file, row and column for text that the format cannot hold:
    a tab or a line break, in a token_seq a space too.
    """
    lines = ["\t".join(columns)]
    fields = [_fields(path, name, values) for name, values in columns.items()]
    lines += map("\t".join, zip(*fields, strict=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)


def _fields(path: Path, name: str, values: Iterable[Any]) -> list[str]:
    kind = name.rpartition(":")[2]
    if kind not in _WRITE:
        raise ValueError(f"{path}: a column must be named NAME:TYPE with TYPE one of {', '.join(_WRITE)}, got {name!r}")
    write, split = _WRITE[kind]
    fields = []
    for row, value in enumerate(values, start=1):
        texts = [write(part) for part in value] if split else [write(value)]
        for text in texts:
            if re.search(r"[\t\r\n]" if not split else r"\s", text):
                raise ValueError(f"{path}, row {row}, column {name!r}: {text!r} holds white space that ends the field")
        fields.append(" ".join(texts))
    return fields


def _number(value: Any) -> str:
    """The shortest text that reads as the same number; nothing for NaN."""
    return "" if np.isnan(value) else repr(value.item() if isinstance(value, np.generic) else value)


_WRITE = {"token": (str, False), "float": (_number, False), "token_seq": (str, True), "float_seq": (_number, True)}
