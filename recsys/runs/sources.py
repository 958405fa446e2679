"""The run that another starts from: whether its weights mean the same here, and what is kept of where they are from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.data.catalogue import Catalogue
from recsys.data.fingerprints import file_fingerprint
from recsys.initialisation import Loading, Pretrained, Scratch
from recsys.report.runs import Run, load_run
from recsys.runs.directory import differences

SIZES = ("dim", "feedforward_dim", "num_blocks", "max_length")  # where they differ, shapes or names do


def run_of(source: Path) -> Run | None:
    """The run that wrote the checkpoint; None, and nothing is known of it, where no record lies beside it."""
    return load_run(source.parent) if (source.parent / "run.json").exists() else None


def check_alike(run: Run, model: Mapping[str, Any], *, fingerprints: Mapping[str, str]) -> None:
    """ValueError where weights of the run fit by name and shape and mean something else.

    model: the options of the model that starts from them; they, but sizes and rates, must be the run's. A run on the
    same data must have had the same split: it may have been trained on what is asked here.
    """
    if _same("data", run, fingerprints) and not _same("split", run, fingerprints):
        raise ValueError(
            f"init.source ({run.path}) was trained on another split of the same data, so it may have seen what is "
            "asked here; train it with this run's split"
        )
    different = differences(_meaning(run.config.get("model") or {}), _meaning(model), prefix="model.")
    if different:
        raise ValueError(
            f"init.source ({run.path}) has another model ({'; '.join(different[:3])}): where its tensors fit, "
            "they mean something else; use the same model options"
        )


def foreign_rows(run: Run, catalogue: Catalogue, *, fingerprints: Mapping[str, str]) -> frozenset[int]:
    """Of tensors of the run that know items or users, how many rows they have where those are others; else none."""
    if _same("data", run, fingerprints):
        return frozenset()
    return frozenset(size + special for size in (catalogue.num_items, catalogue.num_users) for special in range(3))


def check_fits(run: Run, loading: Loading, *, fingerprints: Mapping[str, str]) -> None:
    """ValueError where tensors of a run on the same data have other shapes: most of what it learned would be lost."""
    if loading.mismatched and _same("data", run, fingerprints):
        raise ValueError(
            f"init.source ({run.path}) has other sizes ({', '.join(loading.mismatched[:3])}); use its max_length "
            "and its sizes of the model"
        )


def origin(source: Path) -> dict[str, str]:
    """What a run's record keeps of the checkpoint that it started from."""
    return {"source": str(source), "sha256": file_fingerprint(source)}


def again(init: Scratch, run: Run) -> Scratch:
    """The very start of a finished run. ValueError where the checkpoint has changed since.

    init: what its config says, which stands where the record has no checkpoint.
    """
    if not run.init:
        return init
    source = Pretrained(source=run.init["source"], freeze=init.freeze)
    if origin(source.path)["sha256"] != run.init["sha256"]:
        raise ValueError(
            f"{run.init['source']}, from which {run.path} started, has changed since; train that run again, force=true"
        )
    return source


def _same(name: str, run: Run, fingerprints: Mapping[str, str]) -> bool:
    return run.fingerprints.get(name) == fingerprints.get(name)


def _meaning(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that decide what weights mean: neither sizes nor how the model is started and trained."""
    return {
        key: _meaning(value) if isinstance(value, Mapping) else value
        for key, value in options.items()
        if key not in (*SIZES, "init_std") and "dropout" not in key
    }
