"""What a run was told on the command line: Hydra overrides, kept in its record."""

from collections.abc import Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig

NOTE = "note="


def command_line() -> dict[str, Any]:
    """overrides: as typed, of this job of a grid; choices: group -> option. Both empty outside of Hydra."""
    if not HydraConfig.initialized():
        return {"overrides": [], "choices": {}}
    hydra = HydraConfig.get()
    choices = {group: option for group, option in hydra.runtime.choices.items() if not group.startswith("hydra/")}
    return {"overrides": list(hydra.overrides.task), "choices": choices}


def with_note_quoted(argv: Sequence[str]) -> list[str]:
    """A note is plain text: its commas and brackets are none of Hydra's grammar."""
    return [_quoted(word) if word.startswith(NOTE) else word for word in argv]


def _quoted(word: str) -> str:
    text = word.removeprefix(NOTE)
    if text[:1] in ("'", '"') or text in ("", "null"):
        return word
    escaped = text.replace('"', '\\"').replace("${", "\\${")
    return f'{NOTE}"{escaped}"'
