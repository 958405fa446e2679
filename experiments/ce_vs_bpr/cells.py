"""What is run: the cells of each grid, and the settings that each chooses among."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

Setting = tuple[str, ...]
FACTS = ("encoder", "loss", "negatives", "sampler")

SETTINGS: tuple[Setting, ...] = (  # each cell's budget: tried with its first seed, compared by validation NDCG@10
    ("optimizer.lr=0.001", "model.dropout=0.2"),
    ("optimizer.lr=0.001", "model.dropout=0.5"),
    ("optimizer.lr=0.003", "model.dropout=0.5"),
)
SAMPLERS = {"uniform": ["sampler=uniform"], "popular": ["sampler=popularity", "sampler.distribution.alpha=0.75"]}
CLOZE = ["trainer.max_epochs=150", "callbacks.early_stopping.patience=20"]  # a fifth of the targets an epoch


class Cell(NamedTuple):
    """One row of a table. negatives, sampler: None where nothing is drawn. seeds: the first chooses the setting."""

    encoder: str
    loss: str | None
    negatives: int | None
    sampler: str | None
    overrides: list[str]
    settings: tuple[Setting, ...]
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Such as `sasrec, bpr, 100 uniform`."""
        drawn = None if self.negatives is None else f"{self.negatives} {self.sampler}"
        return ", ".join(part for part in (self.encoder, self.loss, drawn) if part)

    @property
    def facts(self) -> dict[str, str | int | None]:
        """Its place in the grid."""
        return {fact: getattr(self, fact) for fact in FACTS}


def losses(
    negatives: dict[str, tuple[int, ...]], samplers: tuple[str, ...] = ("uniform",)
) -> Iterator[tuple[str, int | None, str | None, list[str]]]:
    """Softmax cross-entropy over the catalogue, then each sampled loss with each number of negatives and sampler."""
    yield "ce", None, None, ["loss=ce"]
    for sampler, (loss, counts) in product(samplers, negatives.items()):
        for count in counts:
            yield loss, count, sampler, [f"loss={loss}", *SAMPLERS[sampler], f"sampler.num_negatives={count}"]


def crossed(
    encoders: dict[str, list[str]],
    rows: Iterator[tuple[str, int | None, str | None, list[str]]],
    *,
    seeds: int,
    settings: tuple[Setting, ...] = SETTINGS,
) -> list[Cell]:
    """Every loss on every encoder."""
    every = list(rows)
    return [
        Cell(encoder, loss, negatives, sampler, [*own, *overrides], settings, tuple(range(seeds)))
        for encoder, own in encoders.items()
        for loss, negatives, sampler, overrides in every
    ]


def rivals() -> list[Cell]:
    """What needs no training by gradient."""
    grids = {
        "pop": [()],
        "itemknn": [(f"model.num_neighbours={count}",) for count in (10, 50, 100)],
        "ease": [(f"model.l2={penalty}",) for penalty in (50.0, 100.0, 250.0)],
    }
    return [Cell(model, None, None, None, [f"model={model}"], tuple(grid), (0,)) for model, grid in grids.items()]


def ml100k(pretraining: Path) -> list[Cell]:
    """MovieLens-100K: every loss on every encoder."""
    encoders = {
        "sasrec": ["model=sasrec"],
        "s3rec": ["model=s3rec"],
        "s3rec pre-trained": ["model=s3rec", "init=pretrained", f"init.source='{pretraining}'"],
        "gru4rec": ["model=gru4rec"],
        "bert4rec": ["model=bert4rec", *CLOZE],
    }
    every = dict.fromkeys(("bce", "bpr", "gbce"), (1, 10, 100))
    return [*rivals(), *crossed(encoders, losses(every, tuple(SAMPLERS)), seeds=5)]


def ml1m(path: Path, pretraining: Path | None) -> list[Cell]:
    """MovieLens-1M: one setting for all, nothing is chosen."""
    common = ["data=ml-1m", f"data.path='{path}'", "max_length=100", "batch_size=64"]  # 128 takes twice the epochs
    encoders = {"sasrec": [*common, "model=sasrec"], "s3rec": [*common, "model=s3rec"]}
    if pretraining is not None:
        encoders["s3rec pre-trained"] = [*encoders["s3rec"], "init=pretrained", f"init.source='{pretraining}'"]
    rows = losses({"bce": (1,), "bpr": (1, 100)})
    return crossed(encoders, rows, seeds=3, settings=(("optimizer.lr=0.001", "model.dropout=0.2"),))


def beauty(path: Path) -> list[Cell]:
    """Amazon Beauty: few items a user, many items."""
    common = ["data=amazon-beauty", f"data.path='{path}'", "max_length=50", "batch_size=128", "model=sasrec"]
    rows = losses({"bce": (1,), "bpr": (1,)})
    return crossed({"sasrec": common}, rows, seeds=3, settings=(("optimizer.lr=0.001", "model.dropout=0.5"),))


def hidden() -> list[Cell]:
    """MovieLens-100K with hidden positives, for `recsys diagnose`: SASRec, the classical models beside it."""
    rows = losses({"bce": (1, 100), "bpr": (1, 100), "gbce": (100,)})
    split = ["split=hidden_positives"]
    neural = crossed({"sasrec": ["model=sasrec", *split]}, rows, seeds=3)
    return [*(cell._replace(overrides=[*cell.overrides, *split]) for cell in rivals()), *neural]
