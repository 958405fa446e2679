"""What a fitted task is worth: ranks on validation and test set, or, where it ranks nothing, its losses."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from recsys.data.catalogue import Catalogue
from recsys.evaluation import Evaluation, Scorer, evaluate
from recsys.models.popularity import Popularity
from recsys.report.curves import learning_curve, loss_curves
from recsys.report.top_lists import FILE, write_top
from recsys.runs.assembly import Parts
from recsys.tasks.ranking import RankingTask

TOP = 10  # items of each test user's list that are kept


class Results(NamedTuple):
    """metrics: `test/ndcg@10`, or `train/loss` -> value; baselines: name -> the same, on the same split."""

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]


def results(parts: Parts, catalogue: Catalogue, path: Path, *, monitor: str, best_epoch: int) -> Results:
    """Of the best epoch, whose weights the task holds; writes the files that go with them into the run's directory."""
    curve = path / "learning_curve.png"
    if not isinstance(parts.task, RankingTask):
        loss_curves(path / "metrics.csv", curve, columns=parts.task.monitors, best_epoch=best_epoch)
        return Results(losses(path / "metrics.csv", parts.task.monitors, epoch=best_epoch), {})
    pop = Popularity(catalogue)
    pop.fit()
    ranked, by_pop = ranking(parts.task.eval(), parts, keep=TOP), ranking(pop, parts)
    per_user, top, users = ranked["test"].per_user, ranked["test"].top, catalogue.users.ids
    per_user.assign(user=users[per_user["user"]]).to_parquet(path / "per_user.parquet")
    write_top(path / FILE, top.assign(user=users[top["user"]], item=catalogue.items.ids[top["item"]]), k=TOP)
    learning_curve(path / "metrics.csv", curve, monitor=monitor)
    return Results(flat(ranked), {"pop": flat(by_pop)})


def ranking(scorer: Scorer, parts: Parts, *, keep: int = 0) -> dict[str, Evaluation]:
    """Ranks both parts of the split. keep: how many of each user's best items to hand back."""
    loaders = {part: parts.datamodule.get_dataloader(part) for part in ("val", "test")}
    return {
        part: evaluate(scorer, loader, protocol=parts.protocol, metrics=parts.metrics, lists=parts.lists, keep=keep)
        for part, loader in loaders.items()
    }


def losses(metrics_csv: Path, columns: list[str], *, epoch: int) -> dict[str, float]:
    """Those of the columns that training has logged, as they were in that epoch."""
    history = pd.read_csv(metrics_csv).set_index("epoch")
    return {name: float(history.loc[epoch, name]) for name in columns if name in history}  # pyright: ignore


def flat(results: dict[str, Evaluation]) -> dict[str, float]:
    """{"test": {"ndcg@10": x}} -> {"test/ndcg@10": x}."""
    return {f"{part}/{name}": value for part, result in results.items() for name, value in result.summary.items()}
