"""RecBole's evaluator and ours on equal scores: python experiments/recbole_zoo/parity.py writes parity.csv.

Seven models of RecBole are fitted for a moment to MovieLens-100K, then the very same scores of all test users are
ranked by both evaluators, with seen items kept (RecBole's convention for sequential models, eval=full_kept) and
removed (its convention for general ones, eval=full). Equal scores, which RecBole ranks in no defined order, are told
apart first.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from pytorch_lightning import Trainer
from rich.console import Console
from rich.table import Table
from torch import Tensor

from recsys.config.composing import conf_dir
from recsys.data.batches import EvalBatch
from recsys.evaluation import FullRanking, evaluate
from recsys.metrics.ranking import RankingMetrics
from recsys.runs.assembly import assemble
from recsys.runs.directory import register_resolvers
from recsys.runs.environment import quiet_lightning
from recsys.runs.recipe import catalogue_of

MODELS = {"Pop": 100, "ItemKNN": 1, "EASE": 1, "BPR": 20, "LightGCN": 20, "SASRec": 2, "GRU4Rec": 2}  # name: batches
CUTOFFS = (1, 5, 10, 20)
THEIRS = {"hit": "hr", "recall": "recall", "ndcg": "ndcg", "mrr": "mrr", "precision": "precision"}


def theirs(scores: Tensor, targets: Tensor) -> dict[str, float]:
    """RecBole's metrics of scores [U, V], -inf where an item is not ranked, for one target [U] of each user."""
    from recbole.config import Config
    from recbole.data.interaction import Interaction
    from recbole.evaluator import Collector, Evaluator

    from recsys.models.recbole import shims

    settings = {"metrics": ["Hit", "Recall", "NDCG", "MRR", "Precision"], "topk": list(CUTOFFS), "gpu_id": ""}
    with shims.contained():
        config = Config(model="BPR", dataset="recsys", config_dict={**settings, "metric_decimal_place": 12})
    padded = torch.cat([torch.full((len(scores), 1), -torch.inf), scores], dim=1)  # RecBole's item 0 is padding
    collector, users = Collector(config), torch.arange(len(scores))
    collector.eval_batch_collect(padded, Interaction({"user_id": users}), users, targets + 1)
    found = Evaluator(config).evaluate(collector.get_data_struct())
    return {f"{THEIRS[name]}@{k}": found[f"{name}@{k}"] for name in THEIRS for k in CUTOFFS}


class Given:
    """A scorer that gives back what it was given, user by user."""

    def __init__(self, scores: Tensor) -> None:
        self.scores = scores

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.scores[batch.users].clone()


def rows(name: str, batches: int, folder: Path) -> list[dict[str, Any]]:
    """One model under both conventions: NDCG@10 by either evaluator, and the largest difference of any metric."""
    short = [f"trainer.limit_train_batches={batches}", "trainer.max_epochs=1", "trainer.enable_progress_bar=false"]
    overrides = ["model=recbole", f"model.name={name}", *short, f"output_dir={folder}", "name=x"]
    with initialize_config_dir(config_dir=str(conf_dir()), version_base="1.3"):
        config = compose("train", overrides)
    sequences = instantiate(config.data).sequences()
    split = instantiate(config.split)(sequences)
    torch.manual_seed(0)
    parts = assemble(config, split, catalogue_of(sequences, split, ()))
    trainer: Trainer = instantiate(config.trainer, enable_checkpointing=False, limit_val_batches=0)
    trainer.fit(parts.task, datamodule=parts.datamodule)
    scores, targets = torch.zeros(sequences.num_users, sequences.num_items), torch.zeros(sequences.num_users).long()
    seen = torch.zeros_like(scores, dtype=torch.bool)
    with torch.inference_mode():
        for batch in parts.datamodule.test_dataloader():
            scores[batch.users] = parts.task.eval().score_batch(batch)  # pyright: ignore
            targets[batch.users] = batch.targets[:, 0]
            seen[batch.users[batch.seen_rows], batch.seen_items] = True
    # every score apart from every other of its user: places, ties in an order drawn once
    drawn = torch.randperm(scores.shape[1])
    places = torch.empty_like(scores)
    order = drawn[scores[:, drawn].argsort(dim=1, stable=True)]
    places.scatter_(1, order, torch.arange(scores.shape[1]).float().repeat(len(scores), 1))
    made = []
    for removed in (False, True):
        given = places.masked_fill(seen, -torch.inf) if removed else places
        ours = evaluate(
            Given(places),
            parts.datamodule.test_dataloader(),
            protocol=FullRanking(remove_seen=removed),
            metrics=RankingMetrics(cutoffs=CUTOFFS),
        ).summary
        other = theirs(given, targets)
        made.append(
            {
                "model": name,
                "seen items": "removed" if removed else "kept",
                "ndcg@10": ours["ndcg@10"],
                "recbole ndcg@10": other["ndcg@10"],
                "largest difference": max(abs(ours[metric] - value) for metric, value in other.items()),
            }
        )
    return made


def main() -> None:
    register_resolvers()
    quiet_lightning()
    with TemporaryDirectory() as folder:
        table = pd.DataFrame([row for name, batches in MODELS.items() for row in rows(name, batches, Path(folder))])
    table.to_csv(Path(__file__).with_name("parity.csv"), index=False)
    shown = Table(*table.columns)
    for row in table.itertuples(index=False):
        shown.add_row(*(f"{value:.2g}" if isinstance(value, float) else str(value) for value in row))
    Console().print(shown)


if __name__ == "__main__":
    main()
