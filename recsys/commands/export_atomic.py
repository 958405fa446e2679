"""`recsys export-atomic`: a data set and its split as RecBole's atomic files."""

from functools import partial
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console

from recsys.config.composing import check_types, run_with_hydra
from recsys.data.atomic_export import export_atomic
from recsys.data.splits import Splitter
from recsys.runs.directory import register_resolvers


def main(argv: list[str]) -> None:
    """`out=FOLDER` and the overrides of `recsys train` that name data and split."""
    places = [argument.partition("=")[2] for argument in argv if argument.startswith("out=")]
    if len(places) != 1 or not places[0]:
        raise ValueError("out is required: recsys export-atomic out=FOLDER data=... split=...")
    register_resolvers()
    overrides = [argument for argument in argv if not argument.startswith("out=")]
    folder = Path(places[0]).expanduser().resolve()
    run_with_hydra(partial(write, folder=folder), config_name="train", argv=overrides)


def write(config: DictConfig, *, folder: Path) -> None:
    """Writes the files and names them."""
    check_types(config)
    splitter: Splitter = instantiate(config.split)
    dataset = instantiate(config.data)
    sequences = dataset.sequences()
    console = Console()
    for path in export_atomic(sequences, splitter(sequences), dataset.attributes(sequences), folder):
        console.print(str(path), soft_wrap=True)
    console.print(f"RecBole reads them with dataset={folder.name}, data_path={folder.parent}", soft_wrap=True)
