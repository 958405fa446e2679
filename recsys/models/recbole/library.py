"""RecBole's models by name, what each of them reads, and why some cannot be trained here.

Of RecBole's packages those that work are imported; `recbole.quick_start`, which imports ray, is left alone.
"""

import inspect
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import yaml

from recsys.models.recbole import shims

_FAMILIES = ("general", "sequential", "context_aware", "knowledge_aware", "exlib")
_WITHOUT_INPUTS = {  # families of which no model can be given what it reads
    "knowledge_aware": "reads a knowledge graph (.kg and .link files), which recsys does not read",
    "exlib": "is an ensemble of trees over labelled features, not trained in steps nor made to rank a catalogue",
}
_REFUSED = {
    "GRU4RecKG": "reads pre-trained embeddings of a knowledge graph's entities from a file",
    "KSR": "reads pre-trained embeddings of a knowledge graph's entities from a file",
    "NCL": "clusters its embeddings with faiss between epochs, which RecBole's own trainer does",
    "RaCT": "is trained in three stages, each from a file that the one before has left",
    "RecVAE": "trains its encoder and its decoder in turns with an optimiser each",
    "S3Rec": "is pre-trained into a file and then fine-tuned; here it is model=s3rec with task=s3_pretrain",
}


def model_names() -> dict[str, str]:
    """Name -> family of every model; RecBole's files are read, not run. ValueError where it is not installed."""
    folder = package() / "model"
    return {
        name: family
        for family in _FAMILIES
        for name in re.findall(r"import (\w+)", (folder / f"{family}_recommender" / "__init__.py").read_text())
    }


def package() -> Path:
    """RecBole's folder. ValueError where it is not installed."""
    spec = find_spec("recbole")
    if spec is None or spec.origin is None:
        raise ValueError(
            "RecBole is not installed; it has no release for Python 3.12 or later: make an environment with Python "
            "3.11 and install recsys there (pip install -c constraints.txt -e .), or choose a model of recsys"
        )
    return Path(spec.origin).parent


def model_class(name: str) -> type:
    """RecBole's class of that name. ValueError where there is none, or where it cannot be trained here."""
    families = model_names()
    if name not in families:
        near = get_close_matches(name.lower(), {known.lower(): known for known in families}, n=1)
        meant = [known for known in families if known.lower() in near]
        advice = f"did you mean {meant[0]}?" if meant else f"RecBole's models are {', '.join(families)}"
        raise ValueError(f"model.name ({name}) is no model of RecBole; {advice}")
    family = families[name]
    reason = _WITHOUT_INPUTS.get(family) or _REFUSED.get(name)
    if reason:
        raise ValueError(f"RecBole's {name} {reason}; choose another model.name")
    shims.install()
    with shims.contained():  # rich, which is imported on the way, draws from Python's generator
        return getattr(import_module(f"recbole.model.{family}_recommender"), name)


@cache
def config_keys(model: type) -> frozenset[str]:
    """Keys of RecBole's config that a model reads: those its classes ask for and those its defaults set."""
    defaults = package() / "properties" / "model" / f"{model.__name__}.yaml"
    written = yaml.safe_load(defaults.read_text()) if defaults.exists() else None
    asked = re.findall(r"config\[\s*[\"'](\w+)[\"']\s*\]", "\n".join(_sources(model)))
    return frozenset([*(written or {}), *asked])


def _sources(model: type) -> Iterator[str]:
    """The text of the model's class and of those it is built on, as far as they are RecBole's."""
    for base in model.__mro__:
        if base.__module__.startswith("recbole."):
            yield inspect.getsource(base)
