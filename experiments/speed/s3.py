"""S3-Rec on Amazon Beauty: prefixes a second in pre-training, a fine-tuning epoch, the ranking of all users: s3.csv.

    python experiments/speed/s3.py --beauty Beauty.txt

The folder of Beauty.txt holds Beauty_item2attributes.json. The released code, on two cores (AMD Zen 4, torch 2.13):
150 to 175 prefixes a second, 19.3 s an epoch, 8 s a ranking of 22,363 users; it was timed on another day than ours.
"""

import argparse
import statistics
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.utils import instantiate
from ours import built, composed

from recsys.evaluation import evaluate
from recsys.products import prefer_onednn
from recsys.runs.assembly import assemble, reads_attributes
from recsys.runs.recipe import catalogue_of
from recsys.tasks.schedules import Horizon
from recsys.tasks.sequential import SequentialRecommender

RELEASED = {"prefixes_per_s": 162.5, "epoch_s": 19.3, "rank_s": 8.0}
WARM_UP = 5
PRETRAINING_WARM_UP, PRETRAINING_STEPS = 200, 300  # kernels of its many shapes are compiled first


def steps(task: Any, batches: Any, *, warm_up: int = WARM_UP) -> tuple[float, int]:
    """Seconds and rows of training steps, the making of the batches included; the first `warm_up` do not count."""
    optimizer = task.train().optimization(Horizon(step=1, epoch=1))["optimizer"]
    rows, started = 0, time.perf_counter()
    for number, batch in enumerate(batches):
        optimizer.zero_grad()
        task.finetune(batch).backward()
        optimizer.step()
        if number == warm_up - 1:
            rows, started = 0, time.perf_counter()
        else:
            rows += len(batch.items)
    return time.perf_counter() - started, rows


def pretraining(beauty: Path) -> float:
    """Prefixes a second, of any length in a batch as the authors' are."""
    config = composed(["experiment=s3rec_pretrain", f"data.path={beauty}", "task.datamodule.pool=1"])
    dataset = instantiate(config.data)
    sequences = dataset.sequences()
    split = instantiate(config.split)(sequences)
    attributes = dataset.attributes(sequences) if reads_attributes(config) else ()
    parts = assemble(config, split, catalogue_of(sequences, split, attributes))
    batches = islice(parts.datamodule.train_dataloader(), PRETRAINING_WARM_UP + PRETRAINING_STEPS)
    seconds, rows = steps(parts.task, batches, warm_up=PRETRAINING_WARM_UP)
    return rows / seconds


def finetuning(beauty: Path) -> tuple[float, float]:
    """Seconds of an epoch and of a ranking."""
    overrides = ["experiment=s3rec_finetune", "init=scratch", "sampler/exclude=whole", f"data.path={beauty}"]
    parts = built(composed(overrides))
    assert isinstance(parts.task, SequentialRecommender)
    epochs, rankings = [], []
    for _ in range(2):
        batches = list(parts.datamodule.train_dataloader())
        seconds, rows = steps(parts.task, batches)
        epochs.append(seconds * sum(len(batch.items) for batch in batches) / rows)
        started = time.perf_counter()
        loader = parts.datamodule.get_dataloader("test")
        evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
        rankings.append(time.perf_counter() - started)
    return statistics.median(epochs), statistics.median(rankings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beauty", type=Path, required=True)
    beauty = parser.parse_args().beauty.resolve()
    prefer_onednn()
    epoch, ranking = finetuning(beauty)
    ours = {"prefixes_per_s": pretraining(beauty), "epoch_s": epoch, "rank_s": ranking}
    table = pd.DataFrame({"released code": RELEASED, "recsys": ours})
    table["times"] = table["recsys"] / table["released code"]
    table.loc[["epoch_s", "rank_s"], "times"] **= -1
    table.rename_axis("what").to_csv(Path(__file__).parent / "s3.csv")
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
