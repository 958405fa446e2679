"""Whether a model of RecBole knows its users by what training made of them, which no list of names says."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.models.recbole import shims
from recsys.models.recbole.kept import kept, put

if TYPE_CHECKING:
    from recsys.models.recbole.model import RecBoleModel

NOBODY, SOMEBODY = 0, 1  # RecBole's ids; every table of users has both
STRANGER = 2**31 - 1  # no table has that many rows


def knows_users(model: "RecBoleModel") -> bool:
    """Tried on the CPU: one id too many fails where users are looked up, and with the same history ids tell apart.

    DIN looks users up and makes nothing of them; Pop and Random do not even look.
    """
    somebody = _scores(model, SOMEBODY)
    if somebody is None or _scores(model, STRANGER) is not None:
        return False
    nobody = _scores(model, NOBODY)
    return not model.inputs.histories or nobody is None or not torch.equal(nobody, somebody)


def _scores(model: "RecBoleModel", user: int) -> Tensor | None:
    """Of every item, after a short history, [1, V]; None where it fails. The model is afterwards as it was."""
    training, before = model.training, kept(model.wrapped)
    model.eval()
    try:
        with shims.contained(seed=0):
            return model.score_columns(
                model.columns(_question(model)) | {model.interactions.user: torch.tensor([user])}
            )
    except Exception:  # each in its own way: torch, NumPy and SciPy look up differently
        return None
    finally:
        model.train(training)
        for name in kept(model.wrapped):
            put(model.wrapped, name, before.get(name))


def _question(model: "RecBoleModel") -> EvalBatch:
    """One user with a few items."""
    items = torch.arange(min(3, model.num_items, model.interactions.max_length))[None]
    none = torch.zeros(0, dtype=torch.int64)
    return EvalBatch(torch.zeros(1, dtype=torch.int64), items, items[:, :1], none, none)
