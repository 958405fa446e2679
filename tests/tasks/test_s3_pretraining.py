"""S3-Rec's pre-training against a literal reading of the paper's losses, position by position."""

import numpy as np
import pandas as pd
import pytest
import torch
from grid import composed
from pytorch_lightning import Trainer
from torch.nn import functional as F

from recsys.data.attributes import ItemAttributes
from recsys.data.batches import PretrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import Parts, assemble

V, PAD, MASK = 15, 15, 16
TRAIN = Ragged.from_rows([[3, 1, 4, 7, 5], [2, 8], [9, 6, 0]])
WHOLE = Ragged.from_rows([[3, 1, 4, 7, 5, 11, 12], [2, 8, 13, 14], [9, 6, 0, 10, 11]])
PAIRS = {"genre": [(3, 0), (3, 1), (1, 1), (4, 2), (9, 0), (8, 1)], "year": [(3, 5), (7, 6), (2, 5)]}
KINDS = [
    ItemAttributes.from_pairs(pd.DataFrame(pairs, columns=["item", "value"]), name=name, items=Vocabulary(np.arange(V)))
    for name, pairs in PAIRS.items()
]
BATCH = PretrainBatch(
    users=torch.tensor([0, 1, 2]),
    items=torch.tensor([[3, 1, 4, 7], [2, 8, PAD, PAD], [9, PAD, PAD, PAD]]),
    hidden=torch.tensor([[True, False, False, True], [False, True, False, False], [True, False, False, False]]),
    segment=torch.tensor([[False, True, True, False], [True, False, False, False], [False] * 4]),
    other=torch.tensor([[0, 6, 5, 0], [7, 0, 0, 0], [0] * 4]),
)


def parts_for(*overrides: str, kinds: list[ItemAttributes] = KINDS, rows: Ragged = TRAIN) -> Parts:
    questions = EvalSet(np.arange(3), TRAIN, TRAIN)
    catalogue = Catalogue(num_items=V, train=rows, whole=WHOLE, attributes=kinds)
    config = composed(
        "model=s3rec", "task=s3_pretrain", "max_length=8", "model.dim=16", "model.dropout=0.0", *overrides
    )
    return assemble(config, Split(rows, questions, questions), catalogue)


def literal(parts: Parts, negatives: list[int], *, as_released: bool) -> dict[str, list[float]]:
    """Every term of the four losses, from states of one row at a time without any padding."""
    model, heads, found = parts.task.model, parts.task.heads, {"aap": [], "mip": [], "map": [], "sp": []}
    drawn = iter(negatives)

    def comparison(true: torch.Tensor, false: torch.Tensor) -> float:
        if as_released:
            true, false = torch.sigmoid(true), torch.sigmoid(false)
        return -torch.log(torch.sigmoid(true - false)).item()

    def attributes(kind_of_head: torch.nn.ModuleDict, state: torch.Tensor, item: int) -> float:
        total = 0.0
        for kind in KINDS:
            hot = torch.from_numpy(kind.multi_hot()[item]).float()
            if hot.any() or as_released:
                probability = torch.sigmoid(heads.tables[kind.name].weight @ kind_of_head[kind.name](state))
                total += F.binary_cross_entropy(probability, hot, reduction="sum").item()
        return total

    for row, hidden, segment, other in zip(*BATCH[1:], strict=True):
        length = int((row != PAD).sum())
        row, hidden, segment, other = row[:length], hidden[:length], segment[:length], other[:length]
        states = model.encode_both_ways(torch.where(hidden, MASK, row)[None])[0]
        for item, is_hidden, state in zip(row.tolist(), hidden.tolist(), states, strict=True):
            if is_hidden:
                found["map"].append(attributes(heads.masked, state, item))
                query, vectors = heads.item(state), model.embedding.weight
                found["mip"].append(comparison(query @ vectors[item], query @ vectors[next(drawn)]))
            else:
                found["aap"].append(attributes(heads.associated, state, item))
        if segment.any():
            context, true, false = (
                model.encode_both_ways(items[None])[0, -1]
                for items in (
                    torch.where(segment, MASK, row),
                    torch.where(segment, row, MASK),
                    torch.where(segment, other, MASK),
                )
            )
            query = heads.segment(context)
            found["sp"].append(comparison(query @ true, query @ false))
    return found


@pytest.mark.parametrize("as_released", [False, True])
def test_the_four_losses_are_those_of_the_paper(as_released: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_for(f"task.module.as_released={str(as_released).lower()}")
    negatives = torch.tensor([10, 12, 0, 5])  # of the four hidden items
    monkeypatch.setattr(parts.task.sampler.distribution, "draw", lambda shape, device: negatives.view(shape).clone())
    monkeypatch.setattr(parts.task.sampler, "_redraw", lambda *_: None)
    with torch.no_grad():
        for parameter in parts.task.parameters():
            parameter.mul_(3)  # away from the start, where all logits are about 0
        parts.task.model.embedding.weight[PAD] = 0
        found, expected = parts.task.losses(BATCH), literal(parts, negatives.tolist(), as_released=as_released)
        objective = parts.task.finetune(BATCH)
    weights = {"aap": 0.2, "mip": 1.0, "map": 1.0, "sp": 0.5}
    for name, terms in expected.items():
        assert found[name].count == len(terms)
        assert found[name].total.item() == pytest.approx(sum(terms), rel=1e-4)
    reduce = sum if as_released else np.mean
    assert objective.item() == pytest.approx(sum(weights[n] * reduce(terms) for n, terms in expected.items()), rel=1e-4)


PREFIXES = Ragged.from_rows([[3, 1, 4, 7], [2, 8], [9]])


@pytest.mark.parametrize(("as_released", "avoided"), [(False, TRAIN), (True, PREFIXES)])
def test_negatives_avoid_what_training_knows_and_as_released_the_prefix_alone(
    as_released: bool, avoided: Ragged
) -> None:
    task = parts_for(f"task.module.as_released={str(as_released).lower()}").task
    drawn = set()
    task.sampler.register_forward_hook(
        lambda _, __, output: drawn.update(zip([0, 0, 1, 2], output.items[:, 1].tolist(), strict=True))
    )
    with torch.no_grad():
        for _ in range(300):
            task.losses(BATCH)
    allowed = {(user, item) for user in range(3) for item in range(V) if item not in avoided.row(user)}
    assert drawn == allowed  # pad, mask and unknown ids are not among them: the baseline drew them


def test_padding_changes_nothing() -> None:
    task = parts_for().task.eval()
    pad = torch.full((3, 3), PAD)
    off = torch.zeros(3, 3, dtype=torch.bool)
    wide = PretrainBatch(
        BATCH.users,
        torch.cat([BATCH.items, pad], 1),
        torch.cat([BATCH.hidden, off], 1),
        torch.cat([BATCH.segment, off], 1),
        torch.cat([BATCH.other, pad], 1),
    )
    values = []
    for batch in (BATCH, wide):
        torch.manual_seed(5)
        values.append({name: part.total.item() for name, part in task.losses(batch).items()})
    assert values[0] == pytest.approx(values[1], rel=1e-5)


def test_the_pad_row_stays_zero_and_every_other_parameter_learns() -> None:
    task = parts_for("task.module.weights.aap=1.0").task
    task.finetune(BATCH).backward()
    assert task.model.embedding.weight.grad[PAD].abs().sum() == 0
    assert task.model.embedding.weight.grad[MASK].abs().sum() > 0
    untouched = [name for name, p in task.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched


def test_items_without_attributes_bear_none_of_their_losses() -> None:
    task = parts_for(kinds=KINDS[1:]).task
    heads, states = task.heads, torch.randn(3, 16)
    unknown, known = torch.tensor([8, 9, 14]), torch.tensor([3, 7, 2])
    assert heads.masked_attributes(states, unknown).item() == 0
    assert heads.masked_attributes(states, known).item() > 0


def test_data_without_attributes_trains_on_items_and_segments() -> None:
    task = parts_for(kinds=[]).task
    assert set(task.losses(BATCH)) == {"mip", "sp"}
    assert task.finetune(BATCH).isfinite()


def test_each_kind_has_its_weight() -> None:
    states, items = torch.randn(2, 16), torch.tensor([3, 7])
    values = []
    for weights in ("{genre: 0.0}", "{year: 0.0}", "{genre: 2.0, year: 0.5}"):
        torch.manual_seed(0)
        values.append(
            parts_for(f"+task.module.attribute_weights={weights}").task.heads.associated_attributes(states, items)
        )
    year, genre, both = (value.item() for value in values)
    assert both == pytest.approx(2 * genre + 0.5 * year, rel=1e-5)


def test_a_loss_without_weight_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    task = parts_for("task.module.weights.sp=0.0").task
    monkeypatch.setattr(task.heads, "segments", None)
    assert set(task.losses(BATCH)) == {"aap", "mip", "map"}


def test_segments_alone_pass_over_a_batch_of_single_items() -> None:
    parts = parts_for("task.module.weights={aap: 0, mip: 0, map: 0, sp: 1}")
    batch = parts.datamodule.collator(np.arange(3), Ragged.from_rows([[0], [1], [2]]))
    assert parts.task.training_step(batch, 0) is None


def test_attributes_alone_need_attributes_that_have_a_weight() -> None:
    alone = "task.module.weights={aap: 1, mip: 0, map: 1, sp: 0}"
    with pytest.raises(ValueError, match="the data has no attributes, so there is nothing to train"):
        parts_for(alone, kinds=[])
    with pytest.raises(ValueError, match="every kind of attribute has weight 0, so there is nothing to train"):
        parts_for(alone, "+task.module.attribute_weights={genre: 0, year: 0}")


def test_what_no_batch_could_train_is_one_sentence() -> None:
    parts = parts_for("task.module.weights={aap: 1, mip: 0, map: 0, sp: 0}")
    batch = parts.datamodule.collator(np.arange(3), Ragged.from_rows([[0], [1], [2]]))
    with pytest.raises(ValueError, match=r"rows are too short for what is trained \(aap\); raise max_length"):
        parts.task.finetune(batch)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "task.module.weights.mip=-1.0",
            r"weights.mip \(-1.0\) must be a number from 0 on.*set task.module.weights.mip",
        ),
        ("task.module.weights={aap: 0, mip: 0, map: 0, sp: 0}", "every weight is 0, so there is nothing to train"),
        ("+task.module.attribute_weights={director: 1.0}", r"attribute_weights \(director\) must name .*: genre, year"),
        ("scheduler=plateau", "its clock is the validation, and pre-training has none"),
        ("model=sasrec", "SASRec is no S3Rec, as this task needs"),
    ],
)
def test_a_mistake_is_one_sentence(override: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parts_for(override)


def test_a_user_who_has_everything_bears_no_masked_item_loss() -> None:
    everything = Ragged.from_rows([list(range(V)), [2, 8], [9, 6, 0]])
    losses = parts_for(rows=everything).task.losses(BATCH)
    assert losses["mip"].count == 2  # of four; two belong to that user


@pytest.mark.parametrize("batch_size", [1, 4, 10])
def test_an_epochs_losses_are_means_over_positions_however_batched(batch_size: int) -> None:
    """The baseline averaged over batches: a last batch of one row counted as much as a full one."""
    overrides = ("task.collator.mask_prob=0.0", "optimizer.lr=0.0", "task.module.weights.sp=0.0")
    parts = parts_for(*overrides, "task.module.weights.mip=0.0", f"batch_size={batch_size}")  # nothing random is left
    users, rows = parts.datamodule.samples
    with torch.no_grad():
        whole = parts.task.losses(parts.datamodule.collator(users, rows))
    trainer = Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        accelerator="cpu",
    )  # fmt: skip
    trainer.fit(parts.task, datamodule=parts.datamodule)
    means = {name: (part.total / part.count).item() for name, part in whole.items()}
    for name, mean in means.items():
        assert trainer.callback_metrics[f"train/{name}"].item() == pytest.approx(mean, rel=1e-5)
    joint = 0.2 * means["aap"] + means["map"]
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(joint, rel=1e-5)


def test_pre_training_learns() -> None:
    parts = parts_for("batch_size=10", "scheduler=constant")
    optimizer = torch.optim.Adam(parts.task.parameters(), lr=0.005)
    history = []
    for _ in range(150):
        for batch in parts.datamodule.train_dataloader():
            optimizer.zero_grad()
            loss = parts.task.finetune(batch)
            loss.backward()
            optimizer.step()
            history.append(loss.item())
    assert np.mean(history[-20:]) < 0.5 * np.mean(history[:20])
