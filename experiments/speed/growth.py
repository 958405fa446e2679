"""What a step costs as the data grows: positions a second against users, time of a step against the catalogue.

    python experiments/speed/growth.py

Made data (see synthetic.py). SASRec 64 wide, 2 blocks, max_length 50, batch 128. Users: full softmax, 3,000 items, a
fixed number of batches of each data set. Catalogue: binary cross-entropy with 1 negative per position and the lazy
Adam, whose step does not touch the rows that were not used; and the plain Adam beside it. Medians over rounds, in each
of which every case has its turn: a machine's neighbours are felt for seconds at a time. of_smallest: positions a second
as a share of those of the smallest case of the same round.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import pandas as pd
from hydra.utils import instantiate
from ours import composed
from synthetic import interactions

from recsys.data.catalogue import Catalogue
from recsys.data.sequences import UserSequences
from recsys.products import prefer_onednn
from recsys.runs.assembly import assemble
from recsys.tasks.schedules import Horizon

WARM_UP, STEPS = 5, 40


def steps(sequences: UserSequences, overrides: list[str]) -> Iterator[tuple[float, int]]:
    """Seconds and positions of training steps, the making of the batch included."""
    config = composed(["max_length=50", "batch_size=128", "model.dropout=0.2", *overrides])
    split = instantiate(config.split)(sequences)
    catalogue = Catalogue(num_items=sequences.num_items, train=split.train, whole=sequences.items)
    parts = assemble(config, split, catalogue)
    optimizer = parts.task.optimization(Horizon(step=1, epoch=1))["optimizer"]
    batches = iter(parts.datamodule.train_dataloader())
    for _ in range(WARM_UP + STEPS):
        started = time.perf_counter()
        batch = next(batches)
        optimizer.zero_grad()
        parts.task.finetune(batch).backward()
        optimizer.step()
        yield time.perf_counter() - started, len(batch.places)


def measured(*, num_users: int, num_items: int, overrides: list[str]) -> dict[str, float]:
    """Positions a second and milliseconds a step, medians over steps after the first few."""
    frame = interactions(num_users=num_users, num_items=num_items, num_rows=num_users * 40)
    every_item = pd.DataFrame({"user": frame["user"].iloc[0], "item": range(1, 7 * num_items, 7), "timestamp": 0})
    frame = pd.concat([every_item, frame.drop(columns="rating")])  # the catalogue is as large as it says
    sequences = UserSequences.from_frame(frame, name="synthetic")
    taken = list(islice(steps(sequences, overrides), WARM_UP, None))
    return {
        "users": sequences.num_users,
        "items": sequences.num_items,
        "positions_per_s": round(statistics.median(n / s for s, n in taken)),
        "ms_per_step": round(1000 * statistics.median(s for s, _ in taken), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    prefer_onednn()
    records = []
    for number in range(options.rounds):
        for num_users in (10_000, 100_000, 1_000_000):
            found = measured(num_users=num_users, num_items=3000, overrides=["loss=ce"])
            records.append({"study": "users", "round": number, **found})
            print(records[-1], flush=True)
        for optimizer, num_items in product(("lazy_adam", "adam"), (1_000, 10_000, 100_000, 1_000_000)):
            overrides = ["loss=bce", f"optimizer={optimizer}"]
            found = measured(num_users=20_000, num_items=num_items, overrides=overrides)
            records.append({"study": f"items, {optimizer}", "round": number, **found})
            print(records[-1], flush=True)
    table = pd.DataFrame(records)
    smallest = table.groupby(["study", "round"])["positions_per_s"].transform("first")
    table["of_smallest"] = (table["positions_per_s"] / smallest).round(3)
    table.to_csv(Path(__file__).parent / "growth.csv", index=False)
    print(
        table.groupby(["study", "users", "items"], sort=False)[["positions_per_s", "ms_per_step", "of_smallest"]]
        .median()
        .to_string()
    )


if __name__ == "__main__":
    main()
