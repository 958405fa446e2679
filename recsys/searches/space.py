"""What a search may choose from: conf/search/NAME.yaml, config keys with a distribution of Optuna's each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import OmegaConf
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from recsys.config.composing import check_types, conf_dir

Space = dict[str, BaseDistribution]


def load_space(name: str) -> Space:
    """Key -> distribution, of the recipe so named or of a YAML file. ValueError naming the key that is wrong."""
    node: Any = _read(_file(name))
    if not OmegaConf.is_dict(node) or not node:
        raise ValueError(f"search={name} names no key; write lines of KEY: {{_target_: optuna.distributions..., ...}}")
    check_types(node)
    return {str(key): _distribution(str(key), node[key]) for key in node}


def overrides_of(params: Mapping[str, Any]) -> list[str]:
    """The parameters as overrides of `recsys train`; numbers to 6 digits, for they stand in the names of runs."""
    return [f"{key}={_text(value)}" for key, value in params.items()]


def first_values(space: Space) -> dict[str, Any]:
    """A value for each key, to see whether a config takes them."""
    return {key: _first(distribution) for key, distribution in space.items()}


def _file(name: str) -> Path:
    known = sorted(path.stem for path in (conf_dir() / "search").glob("*.yaml"))
    path = conf_dir() / "search" / f"{name}.yaml" if name in known else Path(name).expanduser()
    if not path.is_file():
        raise ValueError(f"search={name}: no such search; give a YAML file, or one of {', '.join(known)}")
    return path


def _read(path: Path) -> Any:
    """ValueError that names the line where it is no YAML."""
    try:
        return OmegaConf.load(path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ValueError(f"{path}{place}: no YAML ({error.problem}); write KEY: {{_target_: ..., ...}}") from error
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:  # not text, or one word alone
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: no YAML of keys ({reason}); write KEY: {{_target_: ..., ...}}") from error


def _distribution(key: str, node: Any) -> BaseDistribution:
    if not OmegaConf.is_dict(node) or "_target_" not in node:
        raise ValueError(f"{key} ({node}) must be a distribution: {{_target_: optuna.distributions.NAME, ...}}")
    if OmegaConf.is_list(node.get("choices")):
        node = OmegaConf.merge(node, {"choices": [_choice(key, choice) for choice in node.choices]})
    try:
        distribution = instantiate(node, _convert_="all")
    except InstantiationException as error:
        raise ValueError(f"{key} is no distribution: {error.__cause__ or error}") from error
    if not isinstance(distribution, BaseDistribution):
        raise ValueError(f"{key} must be one of optuna.distributions, got {type(distribution).__name__}")
    return distribution


def _choice(key: str, choice: Any) -> Any:
    """A list as the text of its override: Optuna keeps numbers, words, true, false and null alone."""
    if OmegaConf.is_dict(choice):
        raise ValueError(f"{key}: a choice ({choice}) must be a number, a word, true, false, null or a list of such")
    return _text(choice) if OmegaConf.is_list(choice) else choice


def _first(distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low


def _text(value: Any) -> str:
    if OmegaConf.is_list(value):
        return f"[{','.join(map(_text, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)
