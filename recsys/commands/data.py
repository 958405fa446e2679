"""`recsys data`: what a data set looks like, what a split makes of it, and what of that leaks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich import box
from rich.table import Table

from recsys.config.composing import check_types, run_with_hydra
from recsys.consoles import plain_console
from recsys.data.audit import Audit
from recsys.data.dataset import InteractionDataset
from recsys.data.description import Description
from recsys.data.splits import EvalSet, Split, Splitter
from recsys.options.arguments import answer_help
from recsys.options.data import USAGE
from recsys.report.data_plot import data_plot
from recsys.runs.directory import register_resolvers

console = plain_console()


def main(argv: list[str]) -> None:
    """Describes the data and the split that `argv` names: a data set's name and overrides of `recsys train`."""
    answer_help(argv, USAGE)
    register_resolvers()
    run_with_hydra(describe, config_name="train", argv=spelled_out(argv))


def spelled_out(argv: Sequence[str]) -> list[str]:
    """`ml-1m` stands for `data=ml-1m`."""
    return [word if "=" in word or word.startswith(("-", "~", "+")) else f"data={word}" for word in argv]


def describe(config: DictConfig) -> None:
    """Prints the data's facts, the parts of the split, its audit and both fingerprints."""
    check_types(config)
    splitter: Splitter = instantiate(config.split)
    dataset: InteractionDataset = instantiate(config.data)
    tell_source(dataset)
    sequences = dataset.sequences()
    facts = Description.of(sequences)
    console.print(
        f"{sequences.name}: {facts.num_users:,} users, {facts.num_items:,} items, {facts.num_interactions:,} "
        f"interactions, density {facts.density:.4%}",
        soft_wrap=True,
    )
    console.print(quantile_table(facts))
    console.print(f"repeats of a user with the same item: {facts.repeats:,}; {times_line(facts)}", soft_wrap=True)
    console.print(f"data {facts.fingerprint}", soft_wrap=True)
    split = splitter(sequences)
    console.print(f"\nsplit: {splitter.describe()}", soft_wrap=True)
    console.print(split_table(split))
    for sentence in Audit.of(split, sequences).sentences():
        console.print(f"  {sentence}", soft_wrap=True)
    console.print(f"split {split.fingerprint()}", soft_wrap=True)
    picture = Path("outputs", "data", f"{sequences.name}.png")
    data_plot(sequences, picture)
    console.print(f"lengths and popularity as a picture: {picture}", soft_wrap=True)


def tell_source(dataset: InteractionDataset) -> None:
    """Licence, citation, and where the data is looked for, before a download begins."""
    places = [f"source: {place.describe()}" for place in dataset.locations]
    source = places if dataset.path is None else [f"source: {dataset.path}"]
    for line in [*(dataset.card.lines() if dataset.card else []), *source]:
        console.print(line, soft_wrap=True, highlight=False)


def quantile_table(facts: Description) -> Table:
    """How many items users have and how often items occur, at a few quantiles and on average."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("quantile")
    for quantile in facts.lengths:
        table.add_column(f"{quantile:g}", justify="right")
    table.add_column("mean", justify="right")
    rows = (
        ("items of a user", facts.lengths, facts.mean_length),
        ("popularity of an item", facts.popularity, facts.mean_popularity),
    )
    for title, values, mean in rows:
        table.add_row(title, *(f"{value:,.0f}" for value in values.values()), f"{mean:,.1f}")
    return table


def times_line(facts: Description) -> str:
    """What is known of the times."""
    if facts.ties is None:
        return "no timestamps"
    dates = facts.dates()
    span = f" ({dates[0]:%Y-%m-%d} to {dates[1]:%Y-%m-%d} UTC, taken as seconds since 1970)" if dates else ""
    return f"timestamps {facts.first:.0f} to {facts.last:.0f}{span}, ties with the interaction before: {facts.ties:,}"


def split_table(split: Split) -> Table:
    """Users, inputs and targets of each part; cold: users without a training item, targets nobody trained on."""
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    trained = np.unique(split.train.flat())
    for name in ("part", "users", "cold users", "inputs", "targets", "cold targets", "cold items"):
        table.add_column(name, justify="left" if name == "part" else "right", no_wrap=True)
    table.add_row("train", f"{(split.train.lengths > 0).sum():,}", "", f"{split.train.lengths.sum():,}", "", "", "")
    parts: dict[str, EvalSet] = {"validation": split.valid, "test": split.test}
    for name, part in parts.items():
        targets = part.targets.flat()
        cold = targets[~np.isin(targets, trained)]
        sizes = (split.is_cold(part).sum(), part.inputs.lengths.sum(), len(targets), len(cold), len(np.unique(cold)))
        table.add_row(name, f"{len(part.users):,}", *(f"{size:,}" for size in sizes))
    return table
