"""Times epochs and the ranking of all users through this framework, as the peers' drivers do for theirs: JSON lines.

    python experiments/speed/ours.py --epochs 2 -- data=ml-1m data.path=ml-1m_sas.txt.gz loss=ce max_length=200

What follows `--` are overrides as of `recsys train`.
"""

import argparse
import json
import statistics
import time
from typing import Any

from recsys.startup import settle_process

settle_process()  # as `recsys` does, before torch is imported

from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, Trainer, seed_everything

from recsys.config.composing import conf_dir
from recsys.data.catalogue import Catalogue
from recsys.evaluation import evaluate
from recsys.products import prefer_onednn
from recsys.runs.assembly import Parts, assemble
from recsys.runs.directory import register_resolvers
from recsys.runs.environment import peak_memory_gb, quiet_lightning


class Clock(Callback):
    """Seconds of each training epoch, without validation."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_epoch_start(self, *_: Any) -> None:
        self.started = time.perf_counter(), time.process_time()

    def on_train_epoch_end(self, *_: Any) -> None:
        self.seconds.append(time.perf_counter() - self.started[0])
        emit(what="epoch", seconds=self.seconds[-1], cpu_seconds=time.process_time() - self.started[1])


def composed(overrides: list[str]) -> DictConfig:
    """The recipe of `recsys train` with these overrides."""
    register_resolvers()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose("train", [*overrides, "output_dir=unused", "name=timed"])


def built(config: DictConfig) -> Parts:
    """What `recsys train` would train."""
    seed_everything(config.seed, verbose=False)
    sequences = instantiate(config.data).sequences()
    split = instantiate(config.split)(sequences)
    return assemble(config, split, Catalogue(num_items=sequences.num_items, train=split.train, whole=sequences.items))


def emit(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rankings", type=int, default=3, help="how often all users are ranked")
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    quiet_lightning()
    prefer_onednn()
    parts = built(composed(options.overrides))
    clock = Clock()
    Trainer(
        max_epochs=options.epochs,
        callbacks=[clock],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    ).fit(parts.task, datamodule=parts.datamodule)
    ranked = []
    for _ in range(options.rankings):
        started = time.perf_counter()
        loader = parts.datamodule.get_dataloader("test")
        result = evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
        ranked.append(time.perf_counter() - started)
    emit(
        what="summary",
        epoch_s_median=statistics.median(clock.seconds),
        rank_s_median=statistics.median(ranked),
        test=result.summary,
        rss_gb=peak_memory_gb(),
    )


if __name__ == "__main__":
    main()
