"""S3-Rec on Amazon Beauty: prefixes a second in pre-training, a fine-tuning epoch, the ranking of all users: s3.csv.

    python experiments/speed/s3.py --beauty Beauty.txt

Medians of five rounds, with the lowest and the highest: a machine's neighbours are felt for seconds at a time. The
folder of Beauty.txt holds Beauty_item2attributes.json. The released code, on two cores (AMD Zen 4, torch 2.13):
150 to 175 prefixes a second, 19.3 s an epoch, 8 s a ranking of 22,363 users; it was timed on another day than ours.
"""

import argparse
import time
from collections.abc import Iterable, Iterator
from itertools import count, islice
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
ROUNDS = 5
WARM_UP = 200  # steps of pre-training: kernels of its many shapes are compiled first
STEPS = 150  # of pre-training, a round


class Steps:
    """Training steps of a task."""

    def __init__(self, task: Any) -> None:
        self.task = task
        self.optimizer = task.optimization(Horizon(step=1, epoch=1))["optimizer"]

    def __call__(self, batches: Iterable[Any]) -> tuple[float, int]:
        """Seconds and rows, the making of the batches included."""
        self.task.train()
        rows, started = 0, time.perf_counter()
        for batch in batches:
            self.optimizer.zero_grad()
            self.task.finetune(batch).backward()
            self.optimizer.step()
            rows += len(batch.items)
        return time.perf_counter() - started, rows


def pretraining(beauty: Path) -> Iterator[dict[str, float]]:
    """Prefixes a second, of any length in a batch as the authors' are, round after round."""
    config = composed(["experiment=s3rec_pretrain", f"data.path={beauty}", "task.datamodule.pool=1"])
    dataset = instantiate(config.data)
    sequences = dataset.sequences()
    split = instantiate(config.split)(sequences)
    attributes = dataset.attributes(sequences) if reads_attributes(config) else ()
    parts = assemble(config, split, catalogue_of(sequences, split, attributes))
    steps, batches = Steps(parts.task), iter(parts.datamodule.train_dataloader())
    steps(islice(batches, WARM_UP))
    while True:
        seconds, rows = steps(islice(batches, STEPS))
        yield {"prefixes_per_s": rows / seconds}


def finetuning(beauty: Path) -> Iterator[dict[str, float]]:
    """Seconds of an epoch and of a ranking, round after round, the first one left out."""
    overrides = ["experiment=s3rec_finetune", "init=scratch", "sampler/exclude=whole", f"data.path={beauty}"]
    parts = built(composed(overrides))
    assert isinstance(parts.task, SequentialRecommender)
    steps = Steps(parts.task)
    for number in count():
        seconds, _ = steps(parts.datamodule.train_dataloader())
        started = time.perf_counter()
        loader = parts.datamodule.get_dataloader("test")
        evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
        if number:
            yield {"epoch_s": seconds, "rank_s": time.perf_counter() - started}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beauty", type=Path, required=True)
    beauty = parser.parse_args().beauty.resolve()
    prefer_onednn()
    rounds = zip(pretraining(beauty), finetuning(beauty), range(ROUNDS))  # noqa: B905 (the first two have no end)
    ours = pd.DataFrame([one | other for one, other, _ in rounds])
    table = pd.DataFrame({"released code": RELEASED, "recsys": ours.median()})
    table["times"] = table["recsys"] / table["released code"]
    table.loc[["epoch_s", "rank_s"], "times"] **= -1
    table["lowest"], table["highest"] = ours.min(), ours.max()
    table.rename_axis("what").to_csv(Path(__file__).parent / "s3.csv")
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
