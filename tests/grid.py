"""Every model, loss and sampler that has a YAML, built for a small catalogue; the contract tests run over them."""

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.utils import get_class, instantiate
from omegaconf import DictConfig, OmegaConf
from torch import Tensor

from recsys.candidates import Candidates
from recsys.config.composing import conf_dir
from recsys.models.base import SequentialModel
from recsys.models.recbole import RecBoleModel
from recsys.runs.directory import register_resolvers


def options(group: str) -> list[str]:
    """Names of the group's YAML files."""
    return sorted(path.stem for path in Path(conf_dir(), group).glob("*.yaml"))


def encoders() -> list[str]:
    """Names of the models that are item encoders, trained by gradient over candidates."""
    return [name for name in options("model") if issubclass(target("model", name), SequentialModel)]


def classical() -> list[str]:
    """Names of the models that are none: solved for, factorised, or autoencoders of bags; RecBole's aside."""
    others = [name for name in options("model") if name not in encoders()]
    return [name for name in others if not issubclass(target("model", name), RecBoleModel)]


def target(group: str, option: str) -> type:
    """The class that a group's option names."""
    return get_class(OmegaConf.load(Path(conf_dir(), group, f"{option}.yaml"))._target_)


def composed(*overrides: str) -> DictConfig:
    """The config of `recsys train` with the given overrides."""
    register_resolvers()
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        return compose("train", overrides=["output_dir=unused", "name=unused", *overrides])


def point(model: str, loss: str, sampler: str, *overrides: str) -> DictConfig:
    """A point of the grid, put together from compositions that are kept: each takes as long as a small training."""
    config = deepcopy(_kept(f"model={model}", *overrides))
    config.loss = deepcopy(_kept(f"loss={loss}", *overrides).loss)
    config.sampler = deepcopy(_kept(f"sampler={sampler}", *overrides).sampler)
    return config


_kept = cache(composed)


def build(group: str, option: str, *overrides: str) -> Any:
    """What a group's option describes: an object, or a function of the catalogue that makes one."""
    return instantiate(composed(f"{group}={option}", *overrides)[group])


def scored(target: Tensor, num_items: int) -> Candidates:
    """Candidates for losses that are given their logits: the positives' columns, nothing else known."""
    return Candidates(None, target, num_items)
