"""A model of RecBole, trained on our split and ranked by our evaluator."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recsys.candidates import Candidates
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.recbole.all_positions import every_position
from recsys.models.recbole.ids import scores_from_recbole, to_recbole
from recsys.models.recbole.inputs import inputs_of
from recsys.models.recbole.kept import kept, put
from recsys.models.recbole.library import config_keys, model_class
from recsys.models.recbole.making import make
from recsys.models.recbole.users import knows_users

PAIRS = 2**15  # (user, item) pairs scored at once by a model that cannot score a user's whole catalogue


class RecBoleModel(nn.Module):
    """RecBole's class `name` with its own loss; it knows the training rows, and at test the history it is asked with.

    A general model scores by the user alone, a sequential one by the items of the batch. What is random in its making
    follows the seed that torch's generator was last given, and moves no generator.

    max_length: items of a history that it reads. batch_size: samples of a training batch, as RecBole's
    `train_batch_size`. params: of the model, under RecBole's names.
    ValueError where there is no such model or parameter, or where the model reads what cannot be given to it.
    """

    wrapped: Any  # RecBole's own, which type checkers cannot follow

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        name: str,
        max_length: int,
        batch_size: int = 2048,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        model = model_class(name)
        self.num_items = catalogue.num_items
        self.inputs = inputs_of(model)
        sizes = {"max_length": max_length, "batch_size": batch_size}
        self.make = partial(make, model, params or {}, catalogue, histories=self.inputs.histories, **sizes)
        self.seed = torch.initial_seed() % 2**31  # NumPy's and scikit-learn's are no larger
        self.wrapped, self.interactions, pairwise = self.make(seed=self.seed)
        self.reads_negatives = pairwise and self.inputs.targets
        self.reads_labels = "LABEL_FIELD" in config_keys(model) and not self.reads_negatives
        self.initial = kept(self.wrapped)

    @property
    def has_user_vectors(self) -> bool:
        """Whether it knows each user by what training made of them; asked before the model leaves the CPU."""
        return knows_users(self)

    @property
    def trains_whole_users(self) -> bool:
        """Whether its loss is of all training items of a user at once, looked up by the user."""
        return not self.inputs.targets

    @property
    def is_solved(self) -> bool:
        """Whether it was solved for when it was made: all it leaves to train is the one number RecBole demands."""
        return sum(parameter.numel() for parameter in self.wrapped.parameters()) <= 1

    @property
    def needs_candidates(self) -> bool:
        """Whether its loss compares targets with negatives."""
        return (self.reads_labels or self.reads_negatives) and not self.is_solved

    def objective(self, batch: TrainBatch, candidates: Candidates | None) -> Tensor:
        """RecBole's loss of a batch, of the rows with a target; candidates: negatives where `needs_candidates`.

        A mean over rows for most models; CDAE, DiffRec, MacridVAE and others of whole users sum over items or rows.
        """
        columns = self.columns(batch)
        if self.inputs.targets:
            columns = {name: column[batch.rows] for name, column in columns.items()}
        return self._loss(columns, batch, candidates)

    def objective_of_all_positions(self, batch: TrainBatch, candidates: Candidates | None) -> Tensor:
        """The same loss, a mean over all target positions of a batch of whole rows."""
        copies = candidates.items.shape[1] - 1 if candidates is not None and candidates.items is not None else 1
        with every_position(self.wrapped, batch.target_mask.repeat(copies, 1)):  # a block for each negative
            return self._loss(self.interactions.histories(batch, full_width=False), batch, candidates)

    def _loss(self, columns: dict[str, Tensor], batch: TrainBatch, candidates: Candidates | None) -> Tensor:
        make = self.interactions
        if self.inputs.targets:
            columns[make.item] = to_recbole(batch.positives)
        if candidates is not None:
            assert candidates.items is not None
            negatives = candidates.items[:, 1:]  # [B, K]
            if "neg_seq_len" in vars(self.wrapped):  # SimpleX keeps K
                self.wrapped.neg_seq_len = negatives.shape[1]
            columns = (make.labelled if self.reads_labels else make.paired)(columns, negatives)
        losses = self.wrapped.calculate_loss(make.finished(columns))
        parts = losses if isinstance(losses, tuple) else (losses,)
        return torch.stack([part.sum() for part in parts]).sum()  # one may be of shape [1]

    def columns(self, batch: TrainBatch | EvalBatch) -> dict[str, Tensor]:
        """What the model is asked with: users, and their histories where it reads them."""
        make = self.interactions
        return make.histories(batch) if self.inputs.histories else make.users(batch)

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]; a tensor the caller may overwrite."""
        return self.score_columns(self.columns(batch))

    @torch.no_grad()
    def score_columns(self, columns: dict[str, Tensor]) -> Tensor:
        """The same under RecBole's names and ids."""
        make = self.interactions
        users = columns[make.user]
        columns[make.item] = torch.ones_like(users)  # SASRecCPR computes a loss too: of the same item for all
        if not self._scores_everything():
            return self._pair_by_pair(columns)
        scores = torch.as_tensor(self.wrapped.full_sort_predict(make.finished(columns)))
        scores = scores.view(len(users), -1).to(users.device)
        return scores_from_recbole(scores, num_items=self.num_items).float().clone()

    def _scores_everything(self) -> bool:
        from recbole.model.abstract_recommender import AbstractRecommender

        return type(self.wrapped).full_sort_predict is not AbstractRecommender.full_sort_predict

    def _pair_by_pair(self, columns: dict[str, Tensor]) -> Tensor:
        """[B, V] for a model that scores one item at a time."""
        make, size = self.interactions, max(1, PAIRS // self.num_items)
        rows = torch.arange(len(columns[make.user]), device=columns[make.user].device)
        parts = [
            self.wrapped.predict(
                make.finished(make.every_item({name: column[part] for name, column in columns.items()}))
            ).view(len(part), self.num_items)
            for part in rows.split(size)
        ]
        return torch.cat(parts).float()

    def get_extra_state(self) -> dict[str, Any]:
        """The seed of its making; what has changed since, or what RecBole names for its own checkpoints."""
        named = getattr(self.wrapped, "other_parameter_name", ())
        now = kept(self.wrapped).items()
        changed = {name: value for name, value in now if name in named or value is not self.initial.get(name)}
        return {"seed": self.seed, "changed": changed}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """As it was then; what has been made since, such as embeddings kept for the next batch, goes."""
        if state["seed"] != self.seed:
            self._start_from(state["seed"])
        changed = state["changed"]
        for name in {**kept(self.wrapped), **changed}:
            put(self.wrapped, name, changed.get(name, self.initial.get(name)))

    def _start_from(self, seed: int) -> None:
        """What that seed draws outside the parameters: NNCF's neighbours, FwFM's weight."""
        device = next(self.wrapped.parameters()).device
        twin = kept(self.make(seed=seed).wrapped)
        self.initial = {name: value.to(device) if isinstance(value, Tensor) else value for name, value in twin.items()}
        self.seed = seed

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "RecBoleModel":
        """Moves the tensors that RecBole holds outside of parameters and buffers too."""
        from recbole.data.interaction import Interaction

        super()._apply(fn, recurse)
        as_made = [name for name, value in kept(self.wrapped).items() if value is self.initial.get(name)]
        device = fn(torch.empty(0)).device
        for module in self.wrapped.modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, Tensor):
                    setattr(module, name, fn(value))
                elif isinstance(value, torch.device):
                    setattr(module, name, device)
                elif isinstance(value, Interaction):
                    setattr(module, name, value.to(device))
        moved = {name: fn(value) if isinstance(value, Tensor) else value for name, value in self.initial.items()}
        now = kept(self.wrapped)
        self.initial = moved | {name: now[name] for name in as_made}
        return self
