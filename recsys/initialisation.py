"""Where a model's first weights come from, and which of them stay as they are."""

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from recsys.tensor_files import read_plain

State = dict[str, Tensor]
PREFIX = "model."  # of the model's tensors among a task's


class Loading(NamedTuple):
    """What became of each parameter and buffer, by name.

    loaded: taken over. missing: in the model alone, keeps its random start. unexpected: in the checkpoint alone.
    mismatched: in both, of different shapes or of other items and users, keeps its random start; "name [there] ->
    [here]".
    """

    loaded: list[str]
    missing: list[str]
    unexpected: list[str]
    mismatched: list[str]

    @property
    def whole(self) -> bool:
        """Whether every tensor found its like."""
        return not (self.missing or self.unexpected or self.mismatched)


class Scratch:
    """The model's own random start.

    freeze: patterns of names of parameters that training leaves alone, see `freeze`.
    """

    def __init__(self, *, freeze: Sequence[str] = ()) -> None:
        self.freeze = freeze

    def source_for(self, fingerprints: Mapping[str, str]) -> Path | None:
        """The checkpoint to start from, for a run on the data and the split so known; None: there is none."""
        return None


class Pretrained(Scratch):
    """The weights of another run.

    source: a run's directory (its `best.ckpt` is read) or a checkpoint file. FileNotFoundError where it is neither.
    """

    def __init__(self, *, source: str, freeze: Sequence[str] = ()) -> None:
        super().__init__(freeze=freeze)
        self.path = checkpoint_path(Path(source))

    def source_for(self, fingerprints: Mapping[str, str]) -> Path:
        return self.path


def load_fitting(model: nn.Module, path: Path, *, foreign: Collection[int] = ()) -> Loading:
    """Copies what fits of the checkpoint at `path`, by name and shape. ValueError where nothing does.

    foreign: numbers of rows by which tensors of other items and users are known, which are left out.
    """
    there, here = read_weights(path), _tensors(model.state_dict())
    loading = compare(there, here, foreign=foreign)
    if not loading.loaded:
        why = f"it holds {_some(list(there))}; the model wants {_some(list(here))}"
        raise ValueError(
            f"{path}: none of its {len(there)} tensors fits {type(model).__name__} by name and shape "
            f"({_some(loading.mismatched) if loading.mismatched else why}); set init.source to a run of a like model"
        )
    model.load_state_dict({name: there[name] for name in loading.loaded}, strict=False)
    return loading


def freeze(model: nn.Module, patterns: Sequence[str]) -> None:
    """Takes out of training each parameter whose name matches one of `patterns`, as in `transformer.blocks.0.*`.

    `*` stands for anything, dots included, `?` for one character. ValueError where a pattern matches nothing, or
    where all is frozen.
    """
    if isinstance(patterns, str):
        raise ValueError(f"init.freeze ({patterns}) must be a list of patterns; write 'init.freeze=[{patterns}]'")
    if not patterns:
        return  # a model that is not trained by gradient need not have parameters
    names = dict(model.named_parameters())
    for pattern in patterns:
        matched = [name for name in names if fnmatchcase(name, pattern)]
        if not matched:
            raise ValueError(
                f"init.freeze ({pattern}) matches no parameter; the names are {_some(list(names), most=40)}"
            )
        for name in matched:
            names[name].requires_grad_(False)
    if not any(parameter.requires_grad for parameter in names.values()):
        raise ValueError(f"init.freeze ({', '.join(patterns)}) freezes every parameter; leave at least one to train")


def compare(there: State, here: State, *, foreign: Collection[int] = ()) -> Loading:
    """Which tensors of a checkpoint fit a model; foreign: see `load_fitting`."""
    common = [name for name in here if name in there]
    alike = [name for name in common if there[name].shape == here[name].shape]
    fits = [name for name in alike if not (here[name].ndim and len(here[name]) in foreign)]
    return Loading(
        loaded=fits,
        missing=[name for name in here if name not in there],
        unexpected=[name for name in there if name not in here],
        mismatched=[f"{n} {[*there[n].shape]} -> {[*here[n].shape]}" for n in common if n not in fits],
    )


def checkpoint_path(source: Path) -> Path:
    """The checkpoint that `source` stands for."""
    path = source / "best.ckpt" if source.is_dir() else source
    if not path.is_file():
        raise FileNotFoundError(f"init.source ({source}): there is no {path}; give a run's directory or a checkpoint")
    return path


def read_weights(path: Path) -> State:
    """The model's tensors in a checkpoint of a task, under their names in the model. ValueError where it is none."""
    try:
        content = read_plain(path)
    except ValueError as error:
        raise ValueError(f"init.source ({path}) is no checkpoint of a run: {error}") from error
    state = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise ValueError(f"init.source ({path}) is no checkpoint of a run: it has no state_dict")
    tensors = _tensors(state)
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items() if name.startswith(PREFIX)}


def _tensors(state: Mapping[str, Any]) -> State:
    """Without what modules add of other kinds (`get_extra_state`)."""
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}


def _some(names: Sequence[str], *, most: int = 3) -> str:
    """The first few names."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "") or "none"
