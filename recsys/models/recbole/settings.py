"""RecBole's configuration of one model, made from ours."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from recsys.models.recbole.library import config_keys

_ELSEWHERE = {  # what RecBole sets for a model is set for the whole grid here
    "learning_rate": "optimizer.lr",
    "weight_decay": "optimizer.weight_decay",
    "learner": "optimizer",
    "clip_grad_norm": "trainer.gradient_clip_val",
    "epochs": "trainer.max_epochs",
    "eval_step": "trainer.check_val_every_n_epoch",
    "stopping_step": "callbacks.early_stopping.patience",
    "train_batch_size": "batch_size",
    "eval_batch_size": "task.datamodule.eval_batch_size",
    "train_neg_sample_args": "sampler",
    "MAX_ITEM_LIST_LENGTH": "max_length",
    "seed": "seed",
    "topk": "eval.metrics.cutoffs",
    "metrics": "eval",
    "valid_metric": "monitor",
    "eval_args": "split",
    "repeatable": "eval",
    "device": "trainer.accelerator",
    "gpu_id": "trainer.accelerator",
    "use_gpu": "trainer.accelerator",
}


def make_config(
    model: type, params: Mapping[str, Any], *, max_length: int, batch_size: int, attributes: list[str], seed: int
) -> Any:
    """RecBole's Config of a model, made within `shims.contained`.

    params: of the model, under RecBole's names. attributes: names of what is known of the items.
    ValueError where a key is not one that the model reads.
    """
    settable = sorted(key for key in config_keys(model) if key not in _ELSEWHERE and not key.isupper())
    for key in params:
        _check_key(key, settable, model.__name__)
    from recbole.config import Config

    fixed = {
        "MAX_ITEM_LIST_LENGTH": max_length,
        "train_batch_size": batch_size,  # by which DGCF sizes a sample and FEARec a mask
        "seed": seed,
        "train_neg_sample_args": None,  # negatives are the grid's
        "selected_features": attributes,
        "load_col": None,
        "gpu_id": "",  # the Trainer chooses the device, see RecBoleModel._apply
        "metrics": ["Recall"],  # the default metrics of some kinds do not go with full ranking
        "valid_metric": "Recall@10",
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "mode": "full"},
    }
    return Config(model=model, dataset="recsys", config_dict={**fixed, **params})


def _check_key(key: str, settable: list[str], name: str) -> None:
    if key in settable:
        return
    if key in _ELSEWHERE:
        raise ValueError(f"model.params.{key}: that is {_ELSEWHERE[key]} here; set it there")
    near = get_close_matches(key, settable, n=1)
    advice = f"; did you mean model.params.{near[0]}?" if near else ""
    raise ValueError(f"model.params.{key}: unknown key of {name}; known keys: {', '.join(settable) or 'none'}{advice}")
