"""How a model of RecBole is made: its config, its view of our data, itself."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from recsys.data.catalogue import Catalogue
from recsys.models.recbole import shims
from recsys.models.recbole.library import config_keys
from recsys.models.recbole.settings import make_config

if TYPE_CHECKING:
    from recsys.models.recbole.interactions import Interactions


class Made(NamedTuple):
    """wrapped: RecBole's own. interactions: what feeds it. pairwise: whether its loss compares pairs of items."""

    wrapped: Any
    interactions: "Interactions"
    pairwise: bool


def make(
    model: type,
    params: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    histories: bool,
    max_length: int,
    batch_size: int,
    seed: int,
) -> Made:
    """The model, on the CPU, as `seed` has it; no generator moves, nothing is printed.

    histories: see TrainingData; the others: see RecBoleModel. ValueError for what the model has no use for, or where
    it needs a package that is not installed.
    """
    attributes = [kind.name for kind in catalogue.attributes]
    check_attributes(model, attributes)
    with shims.contained(seed=seed):
        from recbole.data.transform import construct_transform
        from recbole.utils import InputType

        from recsys.models.recbole.interactions import Interactions
        from recsys.models.recbole.training_data import TrainingData

        config = make_config(
            model, params, max_length=max_length, batch_size=batch_size, attributes=attributes, seed=seed
        )
        data = TrainingData(config, catalogue=catalogue, histories=histories)
        transform = construct_transform(config)  # first: it tells the config what it will add to a batch
        try:
            wrapped: Any = model(config, data)
        except ImportError as error:
            raise ValueError(f"RecBole's {model.__name__} needs a package more ({error}); install it") from error
    if "cor_batch_size" in vars(wrapped):  # DGCF samples as many users as items, without replacement
        wrapped.cor_batch_size = min(wrapped.cor_batch_size, wrapped.n_users, wrapped.n_items)
    interactions = Interactions(config, data=data, transform=transform, num_items=catalogue.num_items)
    return Made(wrapped, interactions, config["MODEL_INPUT_TYPE"] is InputType.PAIRWISE)


def check_attributes(model: type, attributes: Sequence[str]) -> None:
    """Raises ValueError where the model reads attributes of the items and there are none."""
    if "selected_features" in config_keys(model) and not attributes:
        raise ValueError(
            f"RecBole's {model.__name__} reads attributes of the items; set task=recbole_attributes, and "
            "data.attributes where the data has none"
        )
