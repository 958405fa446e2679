"""`recsys ensemble`: several runs' top lists made into one model, evaluated as any other."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from recsys.ensembles.once import make_once
from recsys.options.ensemble import EnsembleOptions, options_of
from recsys.report.runs import Run, RunStatus, load_run
from recsys.runs.directory import RunDirectory

SAME = ("data", "split", "protocol")  # fingerprints
KEPT = ("data", "split", "eval", "monitor")  # of the members' config: what the ensemble shares with them


def main(argv: list[str]) -> None:
    """Writes a run directory that `recsys report` shows beside its members, and prints its table."""
    options = options_of(argv)
    runs = [load_run(path) for path in options.runs]
    check_members(runs)
    directory = directory_of(runs, options)

    def make() -> None:
        from recsys.ensembles import recipe as ensemble_recipe

        ensemble_recipe.execute(directory, runs, options)

    make_once(directory, make, verb="ensemble")


def check_members(runs: Sequence[Run]) -> None:
    """ValueError that says which fingerprints differ, and between whom, or who has not ended or ranks nothing."""
    for run in runs:
        if run.status is not RunStatus.FINISHED:
            raise ValueError(f"{run.path} was interrupted; the same command continues it")
        if run.is_refit:
            raise ValueError(
                f"{run.path} is a refit: it has been trained on what members are asked; give the run it was made from"
            )
        if "model" not in run.config:
            raise ValueError(f"{run.path} is made of other runs and has no model of its own; give those runs")
        if run.ranks_nothing:
            raise ValueError(f"{run.path} is a pre-training, which ranks nothing; give runs that start from it")
        different = [name for name in SAME if run.fingerprints.get(name) != runs[0].fingerprints.get(name)]
        if different:
            facts = "; ".join(
                f"{name}: {runs[0].fingerprints.get(name, 'none'):.40} there, {run.fingerprints.get(name, 'none'):.40}"
                for name in different
            )
            raise ValueError(
                f"{run.path} differs from {runs[0].path} in its {' and '.join(different)} ({facts}): members must "
                "be asked the same"
            )


def directory_of(runs: Sequence[Run], options: EnsembleOptions) -> RunDirectory:
    """Where the result stands; known by its members, how they are joined and their data."""
    first, seeds = runs[0], {run.seed for run in runs}
    seed = seeds.pop() if len(seeds) == 1 else 0
    name = options.name or f"ensemble-{options.how}" + (",weights=validation" if options.is_fitted else "")
    study = options.study or str(first.config["study"])
    path = Path("outputs", study, first.data, name, f"seed{seed}")
    config = {key: first.config[key] for key in KEPT} | {
        "ensemble": {
            "members": [str(run.path) for run in runs],
            "how": options.how,
            "weights": options.weights,
            "k": options.k,
        },
        "name": name,
        "study": study,
        "seed": seed,
        "note": options.note,
        "ledger": options.ledger,
        "force": options.force,
        "output_dir": str(path),
    }
    known_by = {key: first.fingerprints[key] for key in ("data", "split")}
    return RunDirectory(path, config=OmegaConf.create(config), fingerprints=known_by)
