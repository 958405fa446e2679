"""A model of RecBole, trained on our split and ranked by our evaluator."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recsys.candidates import Candidates
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.recbole.all_positions import every_position
from recsys.models.recbole.ids import scores_from_recbole, to_recbole
from recsys.models.recbole.inputs import inputs_of
from recsys.models.recbole.library import config_keys, model_class
from recsys.models.recbole.settings import make_config

if TYPE_CHECKING:
    from recsys.models.recbole.interactions import Interactions

PAIRS = 2**15  # (user, item) pairs scored at once by a model that cannot score a user's whole catalogue


class RecBoleModel(nn.Module):
    """RecBole's class `name` with its own loss; it knows the training rows, and at test the history it is asked with.

    A general model scores by the user alone, a sequential one by the items of the batch.

    max_length: items of a history that it reads. params: of the model, under RecBole's names.
    ValueError where there is no such model or parameter, or where the model reads what cannot be given to it.
    """

    wrapped: Any  # RecBole's own, which type checkers cannot follow

    def __init__(
        self, catalogue: Catalogue, *, name: str, max_length: int, params: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__()
        model = model_class(name)
        self.num_items = catalogue.num_items
        self.inputs = inputs_of(model)
        attributes = [kind.name for kind in catalogue.attributes]
        check_attributes(model, attributes)
        config = make_config(model, params or {}, max_length=max_length, attributes=attributes)
        self.wrapped, self.interactions = _made(model, config, catalogue, histories=self.inputs.histories)
        self.reads_negatives = config["MODEL_INPUT_TYPE"].name == "PAIRWISE" and self.inputs.targets
        self.reads_labels = "LABEL_FIELD" in config_keys(model) and not self.reads_negatives
        self.is_solved = config["MODEL_TYPE"].name == "TRADITIONAL"
        self.initial = self._kept()

    @property
    def needs_candidates(self) -> bool:
        """Whether its loss compares targets with negatives."""
        return (self.reads_labels or self.reads_negatives) and not self.is_solved

    def objective(self, batch: TrainBatch, candidates: Candidates | None) -> Tensor:
        """RecBole's loss of a batch, a mean over its rows; candidates: negatives where `needs_candidates`."""
        make = self.interactions
        columns = make.histories(batch) if self.inputs.histories else make.users(batch)
        return self._loss(columns, batch, candidates)

    def objective_of_all_positions(self, batch: TrainBatch, candidates: Candidates | None) -> Tensor:
        """The same loss, a mean over all target positions of a batch of whole rows."""
        with every_position(self.wrapped, batch.target_mask):
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

    @torch.no_grad()
    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]; a tensor the caller may overwrite."""
        make = self.interactions
        columns = make.histories(batch) if self.inputs.histories else make.users(batch)
        columns[make.item] = torch.ones_like(batch.users)  # SASRecCPR computes a loss too: of the same item for all
        if not self._scores_everything():
            return self._pair_by_pair(columns)
        scores = torch.as_tensor(self.wrapped.full_sort_predict(make.finished(columns)))
        scores = scores.view(len(batch.users), -1).to(batch.users.device)
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

    def _kept(self) -> dict[str, Any]:
        """What the model keeps outside its parameters: step counts, tensors; the attributes of every module aside."""
        own = {name: value for name, value in vars(self.wrapped).items() if name not in vars(nn.Module())}
        return {name: value for name, value in own.items() if isinstance(value, int | float | Tensor | None)}

    def get_extra_state(self) -> dict[str, Any]:
        """Of that, all that has changed since the model was made, or that RecBole names for its own checkpoints."""
        named = getattr(self.wrapped, "other_parameter_name", ())
        kept = self._kept().items()
        return {name: value for name, value in kept if name in named or value is not self.initial.get(name)}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """As it was then; what has been made since, such as embeddings kept for the next batch, goes."""
        for name in self._kept():
            setattr(self.wrapped, name, state.get(name, self.initial.get(name)))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "RecBoleModel":
        """Moves the tensors that RecBole holds outside of parameters and buffers too."""
        super()._apply(fn, recurse)
        device = fn(torch.empty(0)).device
        for module in self.wrapped.modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, Tensor):
                    setattr(module, name, fn(value))
                elif isinstance(value, torch.device):
                    setattr(module, name, device)
                elif type(value).__name__ == "Interaction":
                    setattr(module, name, value.to(device))
        return self


def check_attributes(model: type, attributes: Sequence[str]) -> None:
    """Raises ValueError where the model reads attributes of the items and there are none."""
    if "selected_features" in config_keys(model) and not attributes:
        raise ValueError(
            f"RecBole's {model.__name__} reads attributes of the items; set task=recbole_attributes, and "
            "data.attributes where the data has none"
        )


def _made(model: type, config: Any, catalogue: Catalogue, *, histories: bool) -> tuple[nn.Module, "Interactions"]:
    """The model and what feeds it. ValueError where it needs a package that is not installed."""
    from recbole.data.transform import construct_transform

    from recsys.models.recbole.interactions import Interactions
    from recsys.models.recbole.training_data import TrainingData

    data = TrainingData(config, catalogue, histories=histories)
    transform = construct_transform(config)  # first: it tells the config what it will add to a batch
    try:
        made = model(config, data)
    except ImportError as error:
        raise ValueError(f"RecBole's {model.__name__} needs a package more ({error}); install it") from error
    return made, Interactions(config, data, transform, num_items=catalogue.num_items)
