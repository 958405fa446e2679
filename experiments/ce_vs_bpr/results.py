"""results.csv: every run of the study, and which of them count."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.ce_vs_bpr.cells import FACTS
from recsys.report.aggregation import every_run
from recsys.report.runs import Run, load_run

CHOSEN = "chosen.json"


class Finished(NamedTuple):
    """A cell whose setting has been chosen. facts: its place in the grid; runs: of the chosen setting, seed by seed."""

    name: str
    facts: dict[str, str | int | None]
    runs: list[Run]

    @property
    def validation(self) -> float:
        """Mean validation NDCG@10 over the seeds."""
        return sum(run.metrics["val/ndcg@10"] for run in self.runs) / len(self.runs)


def finished(section: Path) -> Iterator[Finished]:
    """The section's cells, in the order of their names."""
    for file in sorted(section.glob(f"*/{CHOSEN}")):
        record = json.loads(file.read_text())
        runs = [load_run(path.parent) for path in sorted((file.parent / record["setting"]).glob("seed*/run.json"))]
        yield Finished(file.parent.name, {fact: record[fact] for fact in FACTS}, runs)


def choose(folder: Path, facts: dict[str, str | int | None], setting: str) -> None:
    """Writes down which of the cell's settings counts."""
    (folder / CHOSEN).write_text(json.dumps({**facts, "setting": setting}))


def cpu_to_best(run: Run) -> float:
    """Processor seconds of the fit up to the best epoch; epochs take about the same time."""
    return run.seconds["fit_cpu"] * ((run.best_epoch or 0) + 1) / (run.epochs or 1)


def write_results(root: Path, out: Path) -> None:
    """One line per run of every section; `chosen` are those of the tables, the others were tried on validation.

    The autopsy's `setting` is its variant; its metrics are those of its own faulty protocol.
    """
    tables = []
    for section in sorted(path for path in root.iterdir() if path.is_dir()):
        for cell in finished(section):
            chosen = {run.path for run in cell.runs}
            for record in sorted((section / cell.name).glob("*/seed*/run.json")):
                run = load_run(record.parent)
                setting = {"setting": record.parent.parent.name, "chosen": run.path in chosen}
                tables.append(_row(run, section=section.name, **cell.facts, **setting))
    for record in sorted((root / "autopsy").glob("*/*/seed*/run.json")):
        run = load_run(record.parent)
        place = dict(zip(FACTS, ("s3rec", run.name, 1, "uniform"), strict=True))
        tables.append(_row(run, section="autopsy", **place, setting=record.parents[2].name, chosen=True))
    if tables:
        frame = pd.concat(tables)
        first = ["section", "name", *FACTS, "setting", "chosen", "seed"]
        frame[[*first, *(name for name in frame if name not in first)]].to_csv(out / "results.csv", index=False)


def _row(run: Run, **facts: object) -> pd.DataFrame:
    """What the run measured, and the facts."""
    return every_run([run]).assign(**facts, cpu_to_best=round(cpu_to_best(run), 1))
