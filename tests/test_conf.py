"""Every recipe in conf/: it composes, each of its keys reaches a constructor and says what it does."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from recsys.config.composing import check_types, conf_dir
from recsys.runs.directory import register_resolvers

CONF = conf_dir()
FILES = sorted(path.relative_to(CONF).as_posix() for path in CONF.rglob("*.yaml"))
OPEN = ("experiment", "debug")  # groups whose folders only sort their options
ROOT_KEYS = set(yaml.safe_load((CONF / "train.yaml").read_text())) - {"defaults", "hydra"}


def composed(*overrides: str, root: str = "train") -> DictConfig:
    """The config of a command line, Hydra's own part included; each required value is given as `x`."""
    register_resolvers()
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        config = compose(root, overrides=["output_dir=unused", "name=unused", *overrides], return_hydra_config=True)
    for key in OmegaConf.missing_keys(config):
        if not key.startswith("hydra."):
            OmegaConf.update(config, key, "x")
    return config


def is_nested(file: str) -> bool:
    """Whether a file is an option of a group inside of another group, as model/block/sasrec.yaml is."""
    return file.count("/") > 1 and not file.startswith(OPEN)


ROOTS = [file for file in FILES if "/" not in file]
SPACES = [file for file in FILES if file.startswith("search/")]  # not part of a run, see tests/commands/test_tune.py
OPTIONS = [file for file in FILES if "/" in file and not is_nested(file) and file not in SPACES]
NESTED = [file for file in FILES if is_nested(file)]


def override(file: str) -> str:
    """`loss=bpr` for loss/bpr.yaml, `experiment=study/one` for experiment/study/one.yaml."""
    group, _, option = file.removesuffix(".yaml").partition("/")
    return f"{group}={option}"


@cache
def choices(file: str) -> dict[str, str]:
    """Which option each group has once `file` is chosen."""
    return dict(composed(override(file)).hydra.runtime.choices)


def check(config: DictConfig) -> None:
    """Every value reaches a constructor that takes it, or is a key of train.yaml itself."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    check_types(own)
    assert set(unbound(OmegaConf.to_container(own, resolve=True), "")) <= ROOT_KEYS


def unbound(node: Any, path: str) -> Iterator[str]:
    """Paths of values that lie in no node with a `_target_`."""
    if isinstance(node, dict) and "_target_" not in node:
        for key, child in node.items():
            yield from unbound(child, f"{path}.{key}".lstrip("."))
    elif not isinstance(node, dict):
        yield path


@pytest.mark.parametrize("file", ROOTS)
def test_every_root_composes(file: str):
    check(composed(root=file.removesuffix(".yaml")))


@pytest.mark.parametrize("file", OPTIONS)
def test_every_option_composes_with_the_defaults(file: str):
    check(composed(override(file)))


@pytest.mark.parametrize("file", NESTED)
def test_every_nested_option_composes_with_an_option_that_has_its_group(file: str):
    path = PurePosixPath(file)
    group, parent = str(path.parent), str(path.parent.parent)
    hosts = [
        (host, key)
        for host in OPTIONS
        if host.startswith(f"{parent}/")
        for key in choices(host)
        if key.partition("@")[0] == group
    ]
    assert hosts, f"no option of {parent} has the group {group} among its defaults"
    host, key = hosts[0]
    check(composed(override(host), f"{key}={path.stem}"))


def lines(file: str) -> list[str]:
    return Path(CONF, file).read_text().splitlines()


@pytest.mark.parametrize("file", FILES)
def test_a_recipe_begins_by_saying_what_it_is(file: str):
    first = next(line for line in lines(file) if not line.startswith("# @package"))
    assert first.startswith("# "), f"{file} begins with {first!r}"


def keys(node: yaml.Node) -> Iterator[yaml.Node]:
    """Key nodes that set a value: neither those of Hydra nor those that only hold other keys."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from keys(child)
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if key.value.startswith("_") or key.value in ("defaults", "hydra"):
                continue
            if not list(keys(child)) and not isinstance(child, yaml.MappingNode):
                yield key
            yield from keys(child)


@pytest.mark.parametrize("file", FILES)
def test_every_key_has_a_comment_on_its_line(file: str):
    text = lines(file)
    bare = [
        f"{file}:{key.start_mark.line + 1}: {text[key.start_mark.line].strip()}"
        for key in keys(yaml.compose("\n".join(text)) or yaml.MappingNode("", []))
        if " #" not in text[key.start_mark.line]
    ]
    assert not bare
