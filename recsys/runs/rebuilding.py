"""A run made again from its record: data, split, and the model with the best epoch's weights."""

from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import seed_everything

from recsys.consoles import plain_console
from recsys.data.attributes import ItemAttributes
from recsys.data.catalogue import Catalogue
from recsys.data.dataset import InteractionDataset
from recsys.data.interactions import Vocabulary
from recsys.data.sequences import UserSequences
from recsys.data.splits import Split, Splitter
from recsys.report.runs import Run, load_run
from recsys.runs.assembly import Parts, assemble, reads_attributes
from recsys.runs.fitting import load_best
from recsys.runs.recipe import catalogue_of
from recsys.runs.recorded import RUN, check_targets, made_again, remake_data
from recsys.tasks.ranking import RankingTask

PARTS = ("eval", "task", "model")  # of a config, without which there is no run
console = plain_console()


class RunData(NamedTuple):
    """What a run was trained on. config: the run's, with what was set anew."""

    run: Run
    config: DictConfig
    dataset: InteractionDataset
    sequences: UserSequences
    splitter: Splitter
    split: Split
    attributes: tuple[ItemAttributes, ...]

    @property
    def catalogue(self) -> Catalogue:
        """What the run's parts are told of it."""
        return catalogue_of(self.sequences, self.split, self.attributes)


class Rebuilt(NamedTuple):
    """A run as it was trained. task: its model with the best epoch's weights, which scores."""

    data: RunData
    task: RankingTask
    parts: Parts
    catalogue: Catalogue

    @property
    def users(self) -> Vocabulary:
        """The users' own ids."""
        return self.data.sequences.users


def read_data(path: Path, overrides: list[str], *, with_attributes: bool = False) -> RunData:
    """The run's record, its data and its split.

    overrides: `key=value` that the record does not decide, as where the data lies now. ValueError where data or split
    are not those of the run, or where the record names what is no part of a run.
    """
    run = load_run(path)
    if "model" not in run.config:
        raise ValueError(f"{path} has no model of its own: it is made of other runs; give one of those")
    config = OmegaConf.merge(OmegaConf.create(run.config), OmegaConf.from_dotlist(overrides))
    assert isinstance(config, DictConfig)
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # pyright: ignore[reportAssignmentType]
    check_targets(plain, RUN)
    for key in PARTS:
        if not isinstance(plain.get(key), dict):
            raise ValueError(
                f"{path / 'run.json'} has no config.{key}: the record is damaged; run it again, force=true"
            )
    made = remake_data(run, plain)
    read = with_attributes or reads_attributes(config)
    return RunData(run, config, *made, made.dataset.attributes(made.sequences) if read else ())


def rebuild(path: Path, overrides: list[str], *, with_attributes: bool = False) -> Rebuilt:
    """The run at `path` with the weights of its best epoch; see `read_data`. ValueError where it ranks nothing."""
    data = read_data(path, overrides, with_attributes=with_attributes)
    catalogue = data.catalogue
    if not (path / "best.ckpt").exists():
        raise FileNotFoundError(f"{path} has no best.ckpt, which holds the weights; run it again with force=true")
    seed_everything(data.config.get("seed"), verbose=False)  # as it was trained: not all that is random is a weight
    with made_again(f"the model of {path}"):
        parts = assemble(data.config, data.split, catalogue)
    if not isinstance(parts.task, RankingTask):
        raise ValueError(f"{path} is a run that ranks nothing; give one that does")
    with made_again(f"the model of {path}, from its best.ckpt,"):
        load_best(parts, path / "best.ckpt", console)
    return Rebuilt(data, parts.task.eval(), parts, catalogue)
