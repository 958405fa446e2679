"""Tables of the study of protocols: scores, paired tests, orders that turn around."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from recsys.report.evaluations import read_evaluations
from recsys.report.formats import number, p_value, signed
from recsys.report.leaderboard import Block, every_pair
from recsys.report.protocols import OWN, Orders, Protocol, compare_orders
from recsys.report.study import Study

SHOWN = ("ndcg@10", "hr@10", "mrr@10")
BY_USER = ("warm_users/ndcg@10", "cold_users/ndcg@10")  # of a split that asks users whom training never met
console = Console(width=110)


def protocols_of(block: Block) -> list[Protocol]:
    """The protocols of a block; its own alone where the runs were evaluated under no other."""
    return list(block.protocols) or [Protocol(OWN, "", dict(block.means))]


def print_study(title: str, study: Study) -> None:
    """A line per model and a column per protocol, every pair's test under each, what changes places."""
    for block in study.blocks:
        protocols = protocols_of(block)
        table = Table(box=box.SIMPLE_HEAD, title=f"{title}: test {block.metric}")
        table.add_column("model")
        for protocol in protocols:
            table.add_column(protocol.name, justify="right")
        for name in block.means:
            table.add_row(name, *(number(protocol.scores()[name]) for protocol in protocols))
        console.print(table)
        for orders in block.orders:
            console.print(orders.sentence())
    for note in study.notes:
        console.print(note, style="yellow")


def compare_splits(studies: Mapping[str, Study]) -> list[Orders]:
    """The models that were trained under every one of the splits; each is tested over its own users."""
    blocks = {name: block for name, study in studies.items() for block in study.blocks}
    if len(blocks) < 2:
        return []
    first = next(iter(blocks.values()))
    common = [name for name in first.means if all(name in block.means for block in blocks.values())]
    protocols = [Protocol(split, "", {name: block.means[name] for name in common}) for split, block in blocks.items()]
    orders = compare_orders(protocols)
    for each in orders:
        console.print(each.sentence())
    return orders


def write_files(folder: Path, studies: Mapping[str, Study], between: Sequence[Orders]) -> None:
    """results.csv, paired_tests.csv, flips.csv."""
    scores = [row for name, study in studies.items() for row in score_rows(name, study)]
    tests = [row for name, study in studies.items() for row in paired_rows(name, study)]
    orders = [(name, each) for name, study in studies.items() for block in study.blocks for each in block.orders]
    flips = [row for name, each in [*orders, *(("splits", each) for each in between)] for row in flip_rows(name, each)]
    for file, rows in (("results.csv", scores), ("paired_tests.csv", tests), ("flips.csv", flips)):
        pd.DataFrame(rows).to_csv(folder / file, index=False, float_format="%.6g")
        console.print(f"{folder / file}", soft_wrap=True)


def score_rows(part: str, study: Study) -> list[dict]:
    """A row per run and protocol."""
    own_names = {run.path: protocols_of(block)[0].name for block in study.blocks for run in study.runs_of(block)}
    rows = []
    for run in study.runs:
        facts = {"part": part, "data": run.data, "model": run.name, "seed": run.seed, "best_epoch": run.best_epoch}
        facts["fit_seconds"] = round(run.seconds.get("fit", 0.0), 1)
        own = {metric: run.metrics[f"test/{metric}"] for metric in SHOWN}
        own |= {metric: run.metrics.get(f"test/{metric}") for metric in BY_USER}
        rows.append(facts | {"protocol": own_names[run.path]} | own)
        for option, found in read_evaluations(run).items():
            if option == own_names[run.path]:
                continue
            label = f"{found['label']}/" if found["label"] else ""
            values = {metric: found["metrics"][f"test/{label}{metric}"] for metric in SHOWN}
            rows.append(facts | {"protocol": option} | values)
    return rows


def paired_rows(part: str, study: Study) -> list[dict]:
    """A row per protocol and pair of models: every number of the paired tests over users, Holm's p over its pairs."""
    rows = []
    for block in study.blocks:
        for protocol in protocols_of(block):
            scores = protocol.scores()
            ordered = {name: protocol.means[name] for name in sorted(scores, key=lambda name: -scores[name])}
            table = Table(box=box.SIMPLE_HEAD, title=f"{part}, {protocol.name}: each model and the next one below")
            for column in ("model", "and", "difference", "95 % interval", "d", "p (Holm)"):
                table.add_column(column, justify="left" if column in ("model", "and") else "right")
            names = list(ordered)
            for (one, other), (compared, corrected) in every_pair(ordered).items():
                facts = {"part": part, "protocol": protocol.name, "model": one, "other": other}
                rows.append(facts | compared._asdict() | {"holm": corrected})
                if names.index(other) == names.index(one) + 1:
                    interval = f"{signed(compared.low)} to {signed(compared.high)}"
                    table.add_row(
                        one, other, signed(compared.mean), interval, signed(compared.effect, 2), p_value(corrected)
                    )
            console.print(table)
    return rows


def flip_rows(part: str, orders: Orders) -> list[dict]:
    """A row per pair that changes places, and one without a pair where none does."""
    facts = {"part": part, "first": orders.first, "second": orders.second, "tau": orders.tau}
    facts["num_pairs"] = orders.num_pairs
    return [facts | flip._asdict() | {"sure": flip.is_sure} for flip in orders.flips] or [facts]
