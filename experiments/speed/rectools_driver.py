"""Times RecTools' SASRec through its public interface; prints JSON lines like `ours.py`. Runs in RecTools' environment:

python3.11 -m venv V && V/bin/pip install torch==2.13.0 'rectools[torch]==0.19.0'
V/bin/python experiments/speed/rectools_driver.py --data ml-1m_sas.txt --loss softmax
"""

import argparse
import json
import math
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

EPOCHS: list[float] = []


class Clock(pl.Callback):
    """Seconds of each training epoch."""

    def on_train_epoch_start(self, *_: Any) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, *_: Any) -> None:
        EPOCHS.append(time.perf_counter() - self.started)
        emit(what="epoch", seconds=EPOCHS[-1])


def emit(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def make_trainer(epochs: int) -> pl.Trainer:
    return pl.Trainer(
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        callbacks=[Clock()],
    )


def rows(path: Path) -> Iterator[list[str]]:
    """`user item item ...` of each line."""
    with path.open() as file:
        for line in file:
            yield line.split()


def interactions(path: Path, *, drop: int) -> pd.DataFrame:
    """Everyone's items but the last `drop`, in RecTools' columns."""
    table = [(user, item, t) for user, *items in rows(path) for t, item in enumerate(items[: len(items) - drop])]
    frame = pd.DataFrame(table, columns=[Columns.User, Columns.Item, Columns.Datetime])
    frame[Columns.Datetime] = pd.to_datetime(frame[Columns.Datetime], unit="s")
    return frame.assign(**{Columns.Weight: 1.0})


def ndcg_at_10(reco: pd.DataFrame, truth: dict[str, str]) -> float:
    """With one relevant item a user."""
    hits = reco[reco[Columns.Item].to_numpy() == reco[Columns.User].map(truth).to_numpy()]
    return float(sum(1 / math.log2(rank + 1) for rank in hits[Columns.Rank])) / len(truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="sequence text: user item item ...")
    parser.add_argument("--loss", default="softmax", choices=["softmax", "BCE", "gBCE"])
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rankings", type=int, default=3)
    options = parser.parse_args()
    pl.seed_everything(0)
    model = SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=64,
        dropout_rate=0.2,
        session_max_len=200,
        loss=options.loss,
        n_negatives=options.negatives,
        batch_size=128,
        lr=1e-3,
        recommend_torch_device="cpu",
        get_trainer_func=lambda: make_trainer(options.epochs),
    )
    model.fit(Dataset.construct(interactions(options.data, drop=2)))
    asked, truth = (
        Dataset.construct(interactions(options.data, drop=1)),
        {u: items[-1] for u, *items in rows(options.data)},
    )
    ranked, score = [], math.nan
    for _ in range(options.rankings):
        started = time.perf_counter()
        score = ndcg_at_10(model.recommend(users=list(truth), dataset=asked, k=10, filter_viewed=True), truth)
        ranked.append(time.perf_counter() - started)
    emit(
        what="summary",
        epoch_s_median=statistics.median(EPOCHS),
        rank_s_median=statistics.median(ranked) if ranked else None,
        test={"ndcg@10": score},
        rss_gb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    )


if __name__ == "__main__":
    main()
