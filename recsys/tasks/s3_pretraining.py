"""S3-Rec's pre-training: four self-supervised losses on prefixes of the users' rows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric

from recsys.candidates import PerPosition, TrainItems, TruncatedSequence
from recsys.data.batches import PretrainBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.losses.self_supervised import double_sigmoid_comparison, logistic_comparison
from recsys.models.s3_heads import S3Heads
from recsys.models.s3rec import S3Rec
from recsys.tasks.optimization import AnySchedule, MakeOptimizer
from recsys.tasks.schedules import ScheduleOnPlateau
from recsys.tasks.training import TrainingTask

LOSSES = ("aap", "mip", "map", "sp")
ABOUT_ATTRIBUTES = ("aap", "map")


class Summed(NamedTuple):
    """A loss summed over the positions that bear it, and their number."""

    total: Tensor
    count: int


class S3Pretraining(TrainingTask):
    """Lowers weights . (AAP, MIP, MAP, SP) of an encoder that sees both ways (Zhou et al., CIKM 2020).

    s is the sigmoid, h the state at a position, e an item's vector, each W a head of its own:
    AAP, at every item that is not hidden: binary cross-entropy of W h . a over all attributes a;
    MAP, at every hidden item: the same;
    MIP, at every hidden item i with a negative j: -log s(W h . e_i - W h . e_j);
    SP, for every row of two items or more: -log s(W c . p - W c . n), where c, p and n are the states at the end of the
    row without the segment, of the segment alone and of another segment in its place, masks standing for the rest.
    Each is a mean over its positions, attributes being summed. An item without attributes adds nothing to AAP and MAP,
    but is one of the positions. Negatives are not among the user's training items.

    weights: of the four losses; one of weight 0 is not computed. The paper's belong to its sums over a batch, in which
    SP, one position a row, weighs less beside the others than it does among means. attribute_weights: of the kinds of
    attributes, by name, 1 where not given.
    as_released: what the authors' code does instead: sums over the batch; -log s(s(.) - s(.)) in MIP and SP; items
    without attributes have none; MIP's negatives avoid the prefix alone. Set the collator's too, which takes SP's other
    segments from whole sequences, held-out items included.
    Logged per epoch: each loss, a mean over its positions in either case, and `train/loss`, their weighted sum.
    """

    lower_is_better: ClassVar[bool] = True
    reads_attributes: ClassVar[bool] = True

    def __init__(
        self,
        *,
        model: S3Rec,
        catalogue: Catalogue,
        optimizer: MakeOptimizer,
        weights: Mapping[str, float],
        scheduler: AnySchedule | None = None,
        attribute_weights: Mapping[str, float] | None = None,
        as_released: bool = False,
        init_std: float = 0.02,
    ) -> None:
        if isinstance(scheduler, ScheduleOnPlateau):
            raise ValueError(
                "scheduler: its clock is the validation, and pre-training has none; set scheduler=cosine or constant"
            )
        super().__init__(optimizer=optimizer, scheduler=scheduler)
        self.model = model
        self.as_released = as_released
        self.compare = double_sigmoid_comparison if as_released else logistic_comparison
        exclude = TruncatedSequence if as_released else TrainItems
        self.sampler = PerPosition(catalogue, num_negatives=1, exclude=exclude)
        self.heads = S3Heads(
            catalogue.attributes,
            dim=model.embedding.embedding_dim,
            weights=attribute_weights or {},
            known_only=not as_released,
            init_std=init_std,
        )
        self.weights = checked(weights, self.heads.weights)
        self.joint = JointLoss(self.weights)

    @property
    def monitors(self) -> list[str]:
        """The weighted sum and each of the losses; lower is better."""
        return ["train/loss", *(f"train/{name}" for name in self.weights)]

    def losses(self, batch: PretrainBatch) -> dict[str, Summed]:
        """Those of the losses that have a weight and, in this batch, a position."""
        of_items = batch.items.masked_fill(batch.hidden, self.model.mask)
        of_items = of_items if self.weights.keys() - {"sp"} else of_items[:0]
        of_segments = self._segments(batch) if "sp" in self.weights else of_items[:0]
        items = torch.cat([of_items, of_segments])
        rows = self.model.rows(items, causal=False).ends(after=len(of_items))
        states = self.model.encode_cells(items, rows)  # of all items, then of the segments' ends, in one pass
        parts = self._of_items(batch, partial(rows.at, states))
        if "sp" in self.weights:
            parts["sp"] = self._of_segments(rows.at_ends(states))
        return {name: part for name, part in parts.items() if part.count}

    def finetune(self, batch: PretrainBatch) -> Tensor:
        """What is lowered: a weighted sum of means or, as released, sums. ValueError where no loss has a position."""
        if losses := self.losses(batch):
            return self._objective(losses)
        trained = ", ".join(self.weights)
        raise ValueError(f"rows are too short for what is trained ({trained}); raise max_length or batch_size")

    def training_step(self, batch: PretrainBatch, batch_idx: int) -> dict[str, Any] | None:
        """One step, or none where no loss has a position in the batch: segments in a batch of single items."""
        losses = self.losses(batch)
        self.joint.update(losses)
        self.log("train/loss", self.joint, on_step=False, on_epoch=True)
        for name, (total, count) in losses.items():
            self.log(f"train/{name}", total.detach() / count, on_step=False, on_epoch=True, batch_size=count)
        return {"loss": self._objective(losses), "positions": len(batch.users)} if losses else None

    def _objective(self, losses: Mapping[str, Summed]) -> Tensor:
        parts = [
            self.weights[name] * (total if self.as_released else total / count)
            for name, (total, count) in losses.items()
        ]
        return torch.stack(parts).sum()

    def _of_items(self, batch: PretrainBatch, states_at: Callable[[Tensor], Tensor]) -> dict[str, Summed]:
        """AAP, MIP and MAP, from the states at places of the rows whose hidden items are masked."""
        asked = TrainBatch.of(batch.users, batch.items, targets=batch.items, target_mask=batch.hidden)
        losses = {}
        if self.weights.keys() & {"mip", "map"}:
            hidden = states_at(asked.places)  # [M, D]
            if "mip" in self.weights:
                losses["mip"] = self._masked_items(hidden, asked)
            if "map" in self.weights:
                losses["map"] = Summed(self.heads.masked_attributes(hidden, asked.positives), len(hidden))
        if "aap" in self.weights:
            shown = ((batch.items != self.model.pad) & ~batch.hidden).flatten().nonzero().squeeze(1)  # [N]
            seen = batch.items.flatten()[shown]
            losses["aap"] = Summed(self.heads.associated_attributes(states_at(shown), seen), len(seen))
        return losses

    def _masked_items(self, states: Tensor, asked: TrainBatch) -> Summed:
        """MIP at M hidden items; one of a user who has everything has no negative and bears no loss."""
        drawn = self.sampler(asked.positives, asked)
        pair = self.model.embedding(drawn.items)  # [M, 2, D], the item and its negative
        losses = self.compare(*self.heads.masked_items(states, pair).unbind(1))  # [M]
        kept = losses if drawn.removed is None else losses[~drawn.removed[:, 1]]
        return Summed(kept.sum(), len(kept))

    def _segments(self, batch: PretrainBatch) -> Tensor:
        """Context, segment and other segment of each of the S rows that have one, masks for the rest, [3 S, L]."""
        has = batch.segment.any(1)
        items, segment, other = batch.items[has], batch.segment[has], batch.other[has]  # [S, L] each
        context = items.masked_fill(segment, self.model.mask)
        alone = items.masked_fill(~segment & (items != self.model.pad), self.model.mask)
        return torch.cat([context, alone, torch.where(segment, other, alone)])

    def _of_segments(self, ends: Tensor) -> Summed:
        """SP, from the states at the ends of `_segments`, [3 S, D]."""
        context, true, false = ends.unflatten(0, (3, -1))
        losses = self.compare(*self.heads.segments(context, torch.stack([true, false], dim=1)).unbind(1))  # [S]
        return Summed(losses.sum(), len(losses))


class JointLoss(Metric):
    """The weighted sum of the losses, each a mean over all of its positions in an epoch, however they were batched."""

    totals: Tensor
    counts: Tensor

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = dict(weights)
        for state in ("totals", "counts"):
            self.add_state(state, torch.zeros(len(weights), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, losses: Mapping[str, Summed]) -> None:
        for place, name in enumerate(self.weights):
            if name in losses:
                self.totals[place] += losses[name].total.detach()
                self.counts[place] += losses[name].count

    def compute(self) -> Tensor:
        means = self.totals / self.counts.clamp(min=1)
        return (means * means.new_tensor(list(self.weights.values()))).sum().float()


def checked(weights: Mapping[str, float], kinds: Mapping[str, float]) -> dict[str, float]:
    """The losses that have a weight and, those about attributes, something to predict.

    kinds: weights of the kinds of attributes that the data has. ValueError where a weight is negative or names no loss,
    or where none is left.
    """
    for name, weight in weights.items():
        if name not in LOSSES or weight < 0:
            raise ValueError(
                f"weights.{name} ({weight}) must be a number from 0 on, of one of {', '.join(LOSSES)}; "
                f"set task.module.weights.{name}"
            )
    told = any(kinds.values())
    kept = {
        name: float(weight) for name, weight in weights.items() if weight and (told or name not in ABOUT_ATTRIBUTES)
    }
    if not kept:
        without = "every kind of attribute has weight 0" if kinds else "the data has no attributes"
        why = without if any(weights.values()) else "every weight is 0"
        raise ValueError(f"{why}, so there is nothing to train; set task.module.weights.mip=1.0")
    return kept
