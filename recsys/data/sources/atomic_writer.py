"""RecBole's atomic files, written: what `read_atomic` reads."""

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.sources.atomic_fields import fault_of, kinds_of
from recsys.data.sources.columns import encoding_fault
from recsys.whole_files import written_whole


def write_atomic(path: Path, columns: Mapping[str, Iterable[Any]]) -> None:
    """One row per element of the columns, each named `name:type` with type token, float, token_seq or float_seq.

    The file is there whole or not at all, and reads back as what was written, tokens as text; NaN is an empty float.
    ValueError naming file, row and column for what the format cannot hold: white space that ends a field, no value, an
    infinite number, an empty part of a sequence, an empty id, a row of nothing.
    """
    kinds = kinds_of(path, columns)
    texts = [
        _fields(path, name, kind, values) for (name, kind), values in zip(kinds.items(), columns.values(), strict=True)
    ]
    lines = ["\t".join(columns), *map("\t".join, zip(*texts, strict=True))]
    if not all(lines):
        raise ValueError(f"{path}, row {lines.index('')}: the row's only field is empty, and so would be its line")
    with written_whole(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _fields(path: Path, name: str, kind: str, values: Iterable[Any]) -> list[str]:
    write, split = _WRITE[kind]
    fault = fault_of(name, kind)

    @functools.cache  # few texts are many fields
    def complaint(text: str | None) -> str | None:
        if text is None:
            return "there is no value"
        if re.search(r"[\t\r\n]" if not split else r"\s", text):
            return f"{text!r} holds white space that ends the field"
        if split and not text:
            return "a part of the sequence is empty"
        return encoding_fault(text) or fault(text)

    fields = []
    for row, value in enumerate(values, start=1):
        texts = [write(part) for part in value] if split else [write(value)]
        if wrong := next(filter(None, map(complaint, texts)), None):
            raise ValueError(f"{path}, row {row}, column '{name}:{kind}': {wrong}")
        fields.append(" ".join(filter(None, texts)))
    return fields


def _token(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _number(value: Any) -> str | None:
    """The shortest text that reads as the same number; nothing for NaN."""
    if value is None:
        return None
    return "" if pd.isna(value) else repr(value.item() if isinstance(value, np.generic) else value)


_WRITE = {
    "token": (_token, False),
    "float": (_number, False),
    "token_seq": (_token, True),
    "float_seq": (_number, True),
}
