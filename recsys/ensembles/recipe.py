"""What `recsys ensemble` does: top lists, weights, evaluation, record."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from rich.progress import Progress

from recsys.consoles import plain_console
from recsys.ensembles.members import members_table, pairs, pairs_table, record_of
from recsys.evaluation import Evaluation, evaluate
from recsys.evaluation.fusion import POINTS, Ensemble, TopLists, select_greedily
from recsys.options.ensemble import EnsembleOptions
from recsys.products import prefer_onednn
from recsys.report.runs import Run
from recsys.runs.directory import RunDirectory
from recsys.runs.environment import peak_memory_gb, quiet_lightning, reset_peak_memory
from recsys.runs.rebuilding import Rebuilt, rebuild
from recsys.runs.results import flat
from recsys.runs.top_lists import PARTS, from_frame, stored

ROUNDS = 20  # of the greedy selection
console = plain_console()


def execute(directory: RunDirectory, runs: Sequence[Run], options: EnsembleOptions) -> None:
    """Evaluates the runs as one and writes the record, the metrics of every user and the members' agreement."""
    quiet_lightning()
    prefer_onednn()
    started = time.perf_counter()
    reset_peak_memory()
    rebuilt = rebuild(runs[0].path, list(options.overrides), with_attributes=False)
    rebuilt.parts.protocol.prepare(rebuilt.catalogue)
    lists = lists_of(runs, rebuilt, options)
    metric = runs[0].config["monitor"]
    of_user = metric.removeprefix("val/")
    alone = [ranked(rebuilt, lists, options, weights=list(one), part="val") for one in np.eye(len(runs))]
    values = [one.summary[of_user] for one in alone]
    weights = fitted(rebuilt, lists, options, metric=of_user) if options.is_fitted else [1 / len(runs)] * len(runs)
    found = pairs(lists["val"], [one.per_user[of_user].to_numpy() for one in alone])
    console.print(members_table(runs, weights=weights, values=values, metric=metric))
    console.print(pairs_table(found, metric=metric))
    results = {part: ranked(rebuilt, lists, options, weights=weights, part=part) for part in PARTS}
    directory.start()
    per_user = results["test"].per_user
    per_user.assign(user=rebuilt.users.ids[per_user["user"]]).to_parquet(directory.path / "per_user.parquet")
    directory.write(
        status="finished",
        overrides=[f"how={options.how}", f"weights={options.weights}", *(str(run.path) for run in runs)],
        fingerprints=runs[0].fingerprints,
        num_parameters=sum(run.num_parameters for run in runs),
        seconds={"fit": sum(run.seconds.get("fit", 0.0) for run in runs), "total": time.perf_counter() - started},
        peak_memory_gb=peak_memory_gb(),
        best_epoch=None,
        epochs=None,
        metrics=flat(results),
        baselines=runs[0].baselines,
        members=record_of(runs, weights=weights, values=values, metric=metric),
        pairs=[pair._asdict() for pair in found],
    )


def lists_of(runs: Sequence[Run], rebuilt: Rebuilt, options: EnsembleOptions) -> dict[str, list[TopLists]]:
    """Part -> each member's top lists, computed where they aren't beside it yet."""
    found: dict[str, list[TopLists]] = {part: [] for part in PARTS}
    for run in runs:
        for part, top in stored(run.path, list(options.overrides), k=options.k).items():
            found[part].append(from_frame(top, users=rebuilt.users, items=rebuilt.catalogue.items))
    return found


def ranked(
    rebuilt: Rebuilt,
    lists: Mapping[str, Sequence[TopLists]],
    options: EnsembleOptions,
    *,
    weights: Sequence[float],
    part: str,
) -> Evaluation:
    """The members so weighted, through the evaluator of every other model."""
    parts, num_items = rebuilt.parts, rebuilt.catalogue.num_items
    scorer = Ensemble(lists[part], points=POINTS[options.how], weights=weights, num_items=num_items)
    batches = parts.datamodule.get_dataloader(part)
    return evaluate(scorer, batches, protocol=parts.protocol, metrics=parts.metrics, lists=parts.lists)


def fitted(
    rebuilt: Rebuilt, lists: Mapping[str, Sequence[TopLists]], options: EnsembleOptions, *, metric: str
) -> list[float]:
    """The best weights found on validation."""
    members = len(lists["val"])
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("weights", total=ROUNDS * members)
        return select_greedily(
            members,
            lambda weights: ranked(rebuilt, lists, options, weights=weights, part="val").summary[metric],
            rounds=ROUNDS,
            tell=lambda: progress.advance(bar),
        )
