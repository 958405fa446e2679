"""What `recsys folds` does: out-of-fold predictions and metrics, and the bagged models' lists."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.evaluation import FullRanking
from recsys.evaluation.fusion import Ensemble, TopLists, score_points
from recsys.options.folds import FoldsOptions
from recsys.products import prefer_onednn
from recsys.report.runs import Run
from recsys.report.top_lists import write_top
from recsys.runs.directory import RunDirectory
from recsys.runs.environment import peak_memory_gb, quiet_lightning, reset_peak_memory
from recsys.runs.rebuilding import Rebuilt, rebuild
from recsys.runs.top_lists import stored, to_frame, top_lists


def execute(directory: RunDirectory, runs: Sequence[Run], options: FoldsOptions) -> None:
    """Writes the record, per_user.parquet, topk_test.parquet and, with bag=true, topk_bagged.parquet."""
    quiet_lightning()
    prefer_onednn()
    started = time.perf_counter()
    reset_peak_memory()
    top = [stored(run.path, list(options.overrides), k=options.k)["test"] for run in runs]
    per_user = [pd.read_parquet(run.path / "per_user.parquet") for run in runs]
    weights = [len(frame) for frame in per_user]
    every: Any = pd.concat(per_user).groupby("user", as_index=False).mean()  # a user may be asked in several folds
    directory.start()
    every.to_parquet(directory.path / "per_user.parquet")
    predictions = pd.concat([frame.assign(fold=fold) for fold, frame in enumerate(top)], ignore_index=True)
    write_top(directory.path / "topk_test.parquet", predictions, k=options.k)
    if options.bag:
        write_top(directory.path / "topk_bagged.parquet", bagged(runs, options), k=options.k)
    test = {f"test/{name}": float(value) for name, value in every.drop(columns="user").mean().items()}
    directory.write(
        status="finished",
        overrides=[str(run.path) for run in runs],
        fingerprints=runs[0].fingerprints | {"split": _joined([run.fingerprints["split"] for run in runs])},
        num_parameters=runs[0].num_parameters,
        seconds={"fit": sum(run.seconds.get("fit", 0.0) for run in runs), "total": time.perf_counter() - started},
        peak_memory_gb=peak_memory_gb(),
        best_epoch=None,
        epochs=None,
        metrics=_mean([_of(run.metrics, "val/") for run in runs], [1] * len(runs)) | test,
        baselines={name: _mean([run.baselines[name] for run in runs], weights) for name in runs[0].baselines},
        folds=[{"run": str(run.path), **run.metrics} for run in runs],
    )


def bagged(runs: Sequence[Run], options: FoldsOptions) -> pd.DataFrame:
    """What all folds' models together rank first for every user, given all that the user has, which is left out.

    Nothing is left to evaluate it by: each interaction was trained on by some of the models.
    """
    members: list[TopLists] = []
    for run in runs:
        rebuilt = asking_everybody(rebuild(run.path, list(options.overrides), with_attributes=False))
        members.append(top_lists(rebuilt, part="test", k=options.k, protocol=FullRanking()))
    weights = [1 / len(runs)] * len(runs)
    joined = Ensemble(members, points=score_points, weights=weights, num_items=rebuilt.catalogue.num_items)
    lists = top_lists(rebuilt, part="test", k=options.k, protocol=FullRanking(), scorer=joined)
    frame: Any = to_frame(lists, rebuilt)
    return frame[frame["score"] > 0].reset_index(drop=True)


def asking_everybody(run: Rebuilt) -> Rebuilt:
    """The run with another test set: every user, given the whole sequence, without a target."""
    whole = run.catalogue.whole
    users = np.flatnonzero(whole.lengths)
    nothing = Ragged.from_lengths(np.zeros(0, dtype=np.int64), np.zeros(len(users), dtype=np.int64))
    data = run.parts.datamodule
    data.split = data.split._replace(test=EvalSet(users, whole.take(users), nothing))
    return run


def _joined(fingerprints: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(fingerprints).encode()).hexdigest()


def _of(metrics: Mapping[str, float], prefix: str) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name.startswith(prefix)}


def _mean(every: Sequence[Mapping[str, float]], weights: Sequence[float]) -> dict[str, float]:
    """Of each metric that all have."""
    names = [name for name in every[0] if all(name in one for one in every)]
    return {name: float(np.average([one[name] for one in every], weights=weights)) for name in names}
