"""What Hydra says about a configuration it cannot compose, in one sentence."""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError


def explain(error: Exception, *, overrides: Sequence[str]) -> str:
    """One sentence for an error of Hydra: what is wrong, what is known, and the nearest name."""
    if isinstance(error, OverrideParseException):
        return (
            f"'{error.override}' is no valid override: write key=value, and a value with spaces or special characters "
            "in double quotes inside single ones, 'key=\"a value\"'"
        )
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        return _unknown_option(error.missing_cfg_file, error.options)
    if isinstance(error.__cause__, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(error.__cause__)
    if "--multirun" in str(error):
        return (
            "several values for one key: write a list as [1,2], or add -m to train with each of them "
            f"(in: {' '.join(overrides)})"
        )
    if part := re.search(r"Could not override '([^']+)'", str(error)):
        group, _, name = part[1].rpartition("/")
        return (
            f"{part[1]}: what was chosen as {group or 'this'} has no {name}; leave it out, or choose another {group} "
            f"(in: {' '.join(overrides)})"
        )
    causes = [error] if error.__cause__ is None else [error, error.__cause__]
    return f"{': '.join(map(_gist, causes))} (in: {' '.join(overrides)})"


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like `name`, if one is."""
    alike = {one.lower(): one for one in known}
    return next((alike[near] for near in get_close_matches(name.lower(), alike, n=1)), None)


def _unknown_option(path: str, options: Sequence[str]) -> str:
    group, _, name = path.rpartition("/")
    near = nearest(name, options)
    advice = f"; did you mean {group}={near}?" if near else ""
    return f"{group}={name}: no such option; known options of {group}: {', '.join(options)}{advice}"


def _unknown_key(error: ConfigAttributeError | ConfigKeyError) -> str:
    """The exception carries the composed node that lacks the key, so nothing needs to be composed again."""
    full_key, node = str(error.full_key), error.parent_node
    parent, _, name = full_key.rpartition(".")
    known = [key for key in map(str, node or ()) if not key.startswith("_") and key != "hydra"]
    if isinstance(node, DictConfig) and not node._is_none() and len(node) == 0:  # a value, or open to any key
        return f"{full_key}: unknown key; {parent} has none to set; +{full_key}=... adds one where any is taken"
    if not known:
        chosen = f"what was chosen as {parent} has none to set"
        return f"{full_key}: unknown key; {chosen}; leave it out, or choose another {parent}"
    near = nearest(name, known)
    meant = f"{parent}.{near}".lstrip(".") if near else _deeper(name, node, parent)
    place = f" of {parent}" if parent else ""
    advice = f"; did you mean {meant}?" if meant else ""
    return f"{full_key}: unknown key; known keys{place}: {', '.join(known)}{advice}"


def _deeper(name: str, node: Any, path: str) -> str | None:
    """Where `name` is a key further down: `dim` stands for `model.dim`."""
    return next((key for key in _keys(node, path) if key.endswith(f".{name}")), None)


def _keys(node: Any, path: str) -> Iterator[str]:
    """Dotted keys below `node`, without following interpolations and without Hydra's own."""
    for key in node if isinstance(node, DictConfig) and not node._is_none() else ():
        full_key = f"{path}.{key}".lstrip(".")
        if full_key != "hydra":
            yield full_key
            yield from _keys(node._get_node(key), full_key)


def _gist(error: BaseException) -> str:
    """The message on one line, without the search paths, links and fields that Hydra and OmegaConf append."""
    message = re.split(r"\n\s*(?:Config search path:|See https:|full_key:|object_type=)", str(error))[0]
    return " ".join(message.split()).rstrip(".") or type(error).__name__
