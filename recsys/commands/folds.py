"""`recsys folds`: the runs of all folds of a split as one, and their models as one."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from recsys.ensembles.once import make_once
from recsys.options.folds import FoldsOptions, options_of
from recsys.report.runs import Run, RunStatus, load_run
from recsys.runs.directory import RunDirectory, compared, differences

SAME = ("data", "protocol")  # fingerprints; that of the split differs from fold to fold
KEPT = ("data", "eval", "monitor")  # of the folds' config


def main(argv: list[str]) -> None:
    """Writes a run directory with every out-of-fold prediction and its metrics, and prints its table."""
    options = options_of(argv)
    runs = in_order([load_run(path) for path in options.runs])
    directory = directory_of(runs, options)

    def make() -> None:
        from recsys.ensembles import folds as folds_recipe

        folds_recipe.execute(directory, runs, options)

    make_once(directory, make, verb="folds")


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Fold 0 first. ValueError that says what is missing, twice there, or differs beside the fold."""
    for run in runs:
        if run.is_refit:
            raise ValueError(f"{run.path} is a refit, of which nothing is held out; give the run it was made from")
        if run.status is not RunStatus.FINISHED or run.ranks_nothing:
            raise ValueError(f"{run.path} is no finished run that ranks; the same command continues it")
        if "fold" not in run.config.get("split", {}):
            raise ValueError(
                f"{run.path} is of a split without folds; give runs of split=interaction_folds or user_folds"
            )
        different = [name for name in SAME if run.fingerprints.get(name) != runs[0].fingerprints.get(name)]
        different += differences(_but_fold(runs[0]), _but_fold(run))
        if different:
            raise ValueError(f"{run.path} is no other fold of {runs[0].path}: {'; '.join(different[:5])}")
    folds = [run.config["split"]["fold"] for run in runs]
    every = range(runs[0].config["split"]["num_folds"])
    for what, found in (
        ("missing", [fold for fold in every if fold not in folds]),
        ("there twice", [fold for fold in every if folds.count(fold) > 1]),
    ):
        if found:
            names = ", ".join(map(str, found))
            raise ValueError(f"of {len(every)} folds {names} {'is' if len(found) == 1 else 'are'} {what}")
    return sorted(runs, key=lambda run: run.config["split"]["fold"])


def directory_of(runs: Sequence[Run], options: FoldsOptions) -> RunDirectory:
    """Where the result stands; known by the runs it is made of and their data."""
    first = runs[0]
    name = options.name or f"{_without_fold(first.name)},folds"
    study = options.study or str(first.config["study"])
    path = Path("outputs", study, first.data, name, f"seed{first.seed}")
    config = {key: first.config[key] for key in KEPT} | {
        "folds": {"runs": [str(run.path) for run in runs], "k": options.k, "bag": options.bag},
        "split": {key: value for key, value in first.config["split"].items() if key not in ("_target_", "fold")},
        "name": name,
        "study": study,
        "seed": first.seed,
        "note": options.note,
        "ledger": options.ledger,
        "force": options.force,
        "output_dir": str(path),
    }
    return RunDirectory(path, config=OmegaConf.create(config), fingerprints={"data": first.fingerprints["data"]})


def _but_fold(run: Run) -> dict:
    config = OmegaConf.load(run.path / "config.yaml")
    OmegaConf.update(config, "split.fold", None)
    return {key: value for key, value in compared(config).items() if key not in ("name", "study")}


def _without_fold(name: str) -> str:
    return ",".join(part for part in name.split(",") if not part.startswith("split.fold="))
