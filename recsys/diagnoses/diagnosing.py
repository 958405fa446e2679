"""The work of `recsys diagnose`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from pytorch_lightning import seed_everything
from rich.progress import track

from recsys.consoles import plain_console
from recsys.data.splits import HiddenPositives, Labelled
from recsys.evaluation.preferences import (
    Kind,
    Kinds,
    Moments,
    auc_per_user,
    drawn,
    moments,
    sampled,
    scored,
)
from recsys.losses import RankingLoss
from recsys.metrics.calibration import reliability
from recsys.options.diagnose import DiagnoseOptions
from recsys.products import prefer_onednn
from recsys.report.diagnosis import Diagnosis, diagnosis_table, reliability_plot
from recsys.report.runs import load_run, load_runs
from recsys.runs.environment import quiet_lightning
from recsys.runs.rebuilding import Rebuilt, rebuild
from recsys.tasks.sequential import SequentialRecommender
from recsys.whole_files import written_whole

FILE = "diagnosis.json"
console = plain_console()
stderr = plain_console(stderr=True)


def diagnose(options: DiagnoseOptions) -> None:
    """One run, or every run below a folder that was trained with hidden positives; others are named and left out."""
    quiet_lightning()
    prefer_onednn()
    runs = runs_at(options.run)
    found = []
    for path in track(runs, "diagnosing", console=stderr, transient=True, disable=len(runs) < 2):
        try:
            found.append((load_run(path), diagnose_run(path, options)))
        except (ValueError, OSError) as problem:
            if len(runs) == 1:
                raise
            stderr.print(f"left out: {problem}", style="yellow", soft_wrap=True, highlight=False)
    if not found:
        raise ValueError(f"{options.run} has no run to diagnose; train with split=hidden_positives")
    console.print(diagnosis_table(found))
    console.print(f"{FILE}, reliability.png and diagnosis_per_user.parquet lie beside each run.json", soft_wrap=True)


def runs_at(path: Path) -> list[Path]:
    """The run's directory, or those of the runs below the folder that rank."""
    if (path / "run.json").exists():
        return [path]
    found = [run.path for run in load_runs(path)[0] if not run.ranks_nothing]
    if not found:
        raise ValueError(f"{path} holds no finished run; give a run's directory, or a folder of runs")
    return found


def diagnose_run(path: Path, options: DiagnoseOptions) -> Diagnosis:
    """Rebuilds the run, asks it, and writes what was found beside its record."""
    run = rebuild(path, list(options.overrides))
    splitter = run.data.splitter
    if not isinstance(splitter, HiddenPositives):
        raise ValueError(
            f"{path} was not trained with hidden positives, so nothing is known to be missing; train with "
            "split=hidden_positives"
        )
    seed_everything(options.seed, verbose=False)
    labelled = splitter.labelled(run.data.sequences)
    kinds = Kinds(labelled, split=run.data.split, num_items=run.catalogue.num_items)
    loss = probable_loss(run)
    asked = ask(run, labelled, kinds, loss, options)
    per_user = pd.concat([auc_per_user(each) for each in asked.values()], axis=1).sort_index()
    diagnosis = Diagnosis(
        moments_per_user=options.moments,
        auc=per_user.mean().to_dict(),
        users=per_user.count().to_dict(),
        negatives=negatives(run, kinds),
        calibration={} if loss is None else calibration(run, loss, asked),
    )
    write(path, diagnosis, per_user.set_index(run.data.sequences.users.ids[per_user.index]).rename_axis("user"))
    return diagnosis


def probable_loss(run: Rebuilt) -> RankingLoss | None:
    """The run's loss where it defines a probability."""
    loss = getattr(run.task, "loss", None)
    return loss if isinstance(loss, RankingLoss) and type(loss).link is not None else None


def ask(
    run: Rebuilt, labelled: Labelled, kinds: Kinds, loss: RankingLoss | None, options: DiagnoseOptions
) -> dict[Kind, Moments]:
    """The moments of each kind of item."""
    questions = {
        kind: sampled(rows, per_user=options.moments, seed=options.seed)
        for kind, rows in zip((Kind.OBSERVED, Kind.MISSING, Kind.DISLIKED), labelled, strict=True)
    }
    for kind, rows in questions.items():
        if len(rows.users) == 0:
            raise ValueError(
                f"{run.data.run.path}: no {kind.name.lower()} item has a training item of its user before it; hide "
                "more (split.hidden), or change split.max_disliked"
            )
    link, max_length = None if loss is None else loss.predict_proba, run.parts.datamodule.max_length
    return {
        kind: moments(run.task, rows, kind, kinds, max_length=max_length, link=link) for kind, rows in questions.items()
    }


def negatives(run: Rebuilt, kinds: Kinds) -> dict[str, float] | None:
    """Shares of what an epoch draws as negatives; None for a model that is trained without."""
    if not isinstance(run.task, SequentialRecommender):
        return None
    found = drawn(run.task.sampler, iter(run.parts.datamodule.train_dataloader()), kinds)
    return found.shares | {"false": found.false_negatives}


def calibration(run: Rebuilt, loss: RankingLoss, asked: dict[Kind, Moments]) -> dict[str, pd.DataFrame]:
    """Reliability tables by the loss's own link: of the item ranked first, and of missing against disliked items."""
    liked, disliked = asked[Kind.MISSING].probabilities, asked[Kind.DISLIKED].probabilities
    outcomes = np.repeat([1, 0], [len(liked), len(disliked)])
    return {"next": next_item(run, loss), "liked": reliability(np.concatenate([liked, disliked]), outcomes)}


def next_item(run: Rebuilt, loss: RankingLoss) -> pd.DataFrame:
    """Of the test users: the probability of the unseen item ranked first, against whether it came next."""
    promised, happened = [], []
    shape = {"num_items": run.catalogue.num_items, "max_length": run.parts.datamodule.max_length}
    for batch, scores in scored(run.task, run.data.split.test, **shape):
        probabilities = loss.predict_proba(scores)
        probabilities[batch.seen_rows, batch.seen_items] = -1
        best = probabilities.max(dim=1)
        promised.append(best.values.numpy())
        happened.append((best.indices[:, None] == batch.targets).any(1).numpy())
    return reliability(np.concatenate(promised), np.concatenate(happened))


def write(path: Path, diagnosis: Diagnosis, per_user: pd.DataFrame) -> None:
    """diagnosis.json last: where it is, all of it is."""
    per_user.reset_index().to_parquet(path / "diagnosis_per_user.parquet")
    if diagnosis.calibration:
        reliability_plot(diagnosis.calibration, path / "reliability.png")
    with written_whole(path / FILE) as partial:
        partial.write_text(json.dumps(diagnosis.record(), indent=1))
