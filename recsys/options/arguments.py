"""`key=value` arguments of the verbs other than those that Hydra composes a config for."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Arguments(NamedTuple):
    """given: the verb's own keys. overrides: `key=value` of groups that it passes on. paths: without a key."""

    given: dict[str, str]
    overrides: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()

    def text(self, key: str) -> str | None:
        """None where nothing or `null` was given."""
        return None if self.given[key] in ("", "null") else self.given[key]

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

    def one_of(self, key: str, options: Iterable[str]) -> str:
        """ValueError where the value is none of them."""
        if self.given[key] not in options:
            raise ValueError(f"{key} ({self.given[key]}) must be one of {', '.join(options)}")
        return self.given[key]


def answer_help(argv: Sequence[str], usage: str) -> None:
    """Prints the usage and raises SystemExit(0) where help is asked for."""
    if {"-h", "--help"}.intersection(argv):
        print(usage)
        raise SystemExit(0)


def parse(
    argv: Sequence[str],
    *,
    verb: str,
    usage: str,
    defaults: Mapping[str, str],
    required: Sequence[str] = (),
    groups: Iterable[str] = (),
    takes_paths: bool = False,
) -> Arguments:
    """The arguments, with defaults where a key is left out; an empty default stands for none.

    groups: such as `data`, whose keys are passed on. takes_paths: arguments without a key are paths; so is one that
    exists though its name holds an `=`, as names of runs do.

    `--help` prints the usage and raises SystemExit(0). ValueError where a required key is missing, or one is unknown.
    """
    answer_help(argv, usage)
    known = [*required, *(key for key in defaults if key not in required)]
    prefixes = tuple(f"{group}." for group in groups)
    paths = [word for word in argv if "=" not in word or Path(word).exists()] if takes_paths else []
    overrides = [word for word in argv if word.startswith(prefixes) and word not in paths] if prefixes else []
    pairs = [word.partition("=") for word in argv if word not in overrides and word not in paths]
    for key, _, value in pairs:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"its keys are {', '.join(known)}"
            raise ValueError(f"{key}: unknown key of {verb}; {advice}")
        if not value and key not in required:
            raise ValueError(f"{key} is empty; write {key}=VALUE or leave it out")
    given = {**defaults, **{key: value for key, _, value in pairs}}
    for key in required:
        if not given.get(key):
            raise ValueError(f"{key} is required: {usage.splitlines()[0].removeprefix('usage: ')}")
    return Arguments(given, tuple(overrides), tuple(Path(word).expanduser() for word in paths))
