"""`recsys export-atomic`: a data set and its split as RecBole's atomic files."""

import os
from functools import partial
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.config.composing import check_types, run_with_hydra
from recsys.consoles import plain_console
from recsys.data.atomic_export import export_atomic, recbole_settings
from recsys.data.splits import Splitter
from recsys.options.arguments import answer_help
from recsys.runs.directory import register_resolvers

USAGE = """usage: recsys export-atomic out=FOLDER [key=value ...]

  out=toy                       required: the folder, whose name RecBole takes for the data set's: toy/toy.inter, ...
  data=csv data.path=my.csv     the data, and
  split=leave_one_out           the split, as for recsys train

Ends with what RecBole's config file has to say to read them."""


def main(argv: list[str]) -> None:
    """`out=FOLDER` and the overrides of `recsys train` that name data and split."""
    answer_help(argv, USAGE)
    places = [argument.partition("=")[2] for argument in argv if argument.startswith("out=")]
    if len(places) != 1 or not places[0]:
        raise ValueError("out is required: recsys export-atomic out=FOLDER data=... split=...")
    register_resolvers()
    overrides = [argument for argument in argv if not argument.startswith("out=")]
    folder = Path(places[0]).expanduser().resolve()
    run_with_hydra(partial(write, folder=folder), config_name="train", argv=overrides)


def write(config: DictConfig, *, folder: Path) -> None:
    """Writes the files, names them and prints how RecBole reads them. See `make_writable`."""
    check_types(config)
    splitter: Splitter = instantiate(config.split)
    dataset = instantiate(config.data)
    make_writable(folder, source=config.data.path)
    sequences = dataset.sequences()
    attributes = dataset.attributes(sequences)
    written = export_atomic(sequences, splitter(sequences), attributes, folder)
    console = plain_console()
    told = f"\nRecBole reads them with dataset={folder.name} and a config file of\n"
    for text in [*map(str, written), told, recbole_settings(sequences, attributes, folder).removesuffix("\n")]:
        console.print(text, soft_wrap=True, highlight=False)


def make_writable(folder: Path, *, source: str | None) -> None:
    """Makes the folder. ValueError where that can't be done, or where it holds the atomic files of `source`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ValueError(f"out ({folder}) can't be made ({problem.strerror}); give another folder") from problem
    place = Path(source or "").expanduser().resolve()
    if source and (place == folder or (place.parent == folder and place.suffix == ".inter")):
        raise ValueError(f"out ({folder}) holds the data itself, which would be written over; give another folder")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"out ({folder}) can't be written to; give another folder")
