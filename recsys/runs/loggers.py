"""Loggers beside metrics.csv: TensorBoard, Weights & Biases, MLflow, whatever conf/logger names."""

from collections.abc import Mapping

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.loggers import Logger

from recsys.config.command_line import command_line
from recsys.config.extras import install


def make_logger(config: DictConfig) -> Logger | None:
    """The logger that is chosen; None for none. ValueError that says what to install, where its package is missing."""
    node = config.get("logger")
    if not node:
        return None
    try:
        return instantiate(node)
    except InstantiationException as error:
        cause = error.__cause__ or error
        name = command_line()["choices"].get("logger", node._target_)
        if isinstance(cause, ImportError):
            raise ValueError(f"logger={name} needs a package that is not installed: {install(name)}") from error
        raise ValueError(f"logger={name} cannot be made: {' '.join(str(cause).split())[:200]}") from error


def begin(logger: Logger | None, config: DictConfig) -> None:
    """Tells it the hyper-parameters: the whole config."""
    if logger is not None:
        logger.log_hyperparams(OmegaConf.to_container(config, resolve=True))  # pyright: ignore[reportArgumentType]


def end(logger: Logger | None, metrics: Mapping[str, float], *, steps: int) -> None:
    """Tells it what the best epoch was worth, and that this was all.

    steps: how many the optimiser has taken. The test stands at the last one, as the last epoch's validation does.
    """
    if logger is None:
        return
    tested = {name: value for name, value in metrics.items() if name.startswith("test/")}
    logger.log_metrics(tested, step=max(steps - 1, 0))
    logger.finalize("success")
    finish = getattr(logger.experiment, "finish", None)  # pyright: ignore[reportAttributeAccessIssue]
    if finish is not None:  # W&B takes the next job of a grid for this one until it is told
        finish()
