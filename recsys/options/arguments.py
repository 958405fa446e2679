"""`key=value` arguments of the verbs that read a run."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Arguments(NamedTuple):
    """given: the verb's own keys. overrides: `key=value` of the groups of keys that it passes on."""

    given: dict[str, str]
    overrides: list[str]

    def flag(self, key: str) -> bool:
        """ValueError where the value is neither true nor false."""
        value = self.given[key].lower()
        if value not in _FLAGS:
            raise ValueError(f"{key} ({self.given[key]}) must be true or false")
        return _FLAGS[value]

    def whole(self, key: str, *, least: int = 1) -> int:
        """ValueError where the value is no whole number of at least `least`."""
        value = self.given[key]
        if not value.isascii() or not value.isdigit() or int(value) < least:
            raise ValueError(f"{key} ({value}) must be a whole number of at least {least}")
        return int(value)


def parse(
    argv: Sequence[str],
    *,
    verb: str,
    usage: str,
    defaults: Mapping[str, str],
    required: Sequence[str],
    groups: Iterable[str] = (),
) -> Arguments:
    """The arguments, with defaults where a key is left out. groups: such as `data`, whose keys are passed on.

    `--help` prints the usage and raises SystemExit(0). ValueError where a required key is missing, or one is unknown.
    """
    if {"-h", "--help"}.intersection(argv):
        print(usage)
        raise SystemExit(0)
    known = [*required, *(key for key in defaults if key not in required)]
    prefixes = tuple(f"{group}." for group in groups)
    overrides = [argument for argument in argv if argument.startswith(prefixes)] if prefixes else []
    pairs = [argument.partition("=") for argument in argv if argument not in overrides]
    for key, _, value in pairs:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"write {usage.splitlines()[0].removeprefix('usage: ')}"
            raise ValueError(f"{key}: unknown key of {verb}; {advice}")
        if not value and key not in required:
            raise ValueError(f"{key} is empty; write {key}=VALUE or leave it out")
    given = {**defaults, **{key: value for key, _, value in pairs}}
    for key in required:
        if not given.get(key):
            raise ValueError(f"{key} is required: {usage.splitlines()[0].removeprefix('usage: ')}")
    return Arguments(given, overrides)
