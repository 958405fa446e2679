"""S3-Rec's attributes: a JSON object of lists."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.data.sources.delimited import open_text


class ItemLists:
    """`{"item": [attribute, ...], ...}`, gzipped where the name ends in `.gz`; attributes are numbers or text.

    patterns: names by which the file is found beside the data, the first match wins.
    """

    def __init__(self, *, patterns: Sequence[str] = ("*_item2attributes.json", "*_item2attributes.json.gz")) -> None:
        self.patterns = tuple(patterns)

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming file and place where it is another thing."""
        lists = _object(path)
        for item, values in lists.items():
            if not isinstance(values, list) or not all(type(value) in (int, str) for value in values):
                raise ValueError(
                    f"{path}: item {item!r} must have a list of numbers or texts, got {values!r:.60}; fix the entry"
                )
        frame = pd.DataFrame([(item, value) for item, values in lists.items() for value in values])
        frame = frame.set_axis(["item", "value"], axis=1) if len(frame) else pd.DataFrame({"item": [], "value": []})
        is_number = all(type(value) is int for value in frame["value"])
        return frame if is_number else frame.astype({"value": str})


def _object(path: Path) -> dict[str, Any]:
    try:
        with open_text(path) as file:
            content = json.load(file)
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        raise ValueError(f"{place}: not JSON ({error.msg}); fetch the file again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold one JSON object, item to list, got {type(content).__name__}")
    return content
