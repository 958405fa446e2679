"""Which pre-training run a model starts from: that of its own data and seed, in a study."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.initialisation import Scratch, checkpoint_path
from recsys.report.runs import Run, RunStatus, load_runs


class FromStudy(Scratch):
    """The weights of the study's pre-training run with the same data, split and seed.

    Of another split it might have seen what this one asks for.

    study, data: whose runs are looked through, ROOT/STUDY/DATA. seed: of the run looked for. Runs that rank are none
    of a pre-training. freeze: see Scratch.
    """

    def __init__(self, *, study: str, data: str, seed: int, root: str = "outputs", freeze: Sequence[str] = ()) -> None:
        super().__init__(freeze=freeze)
        self.folder = Path(root, study, data)
        self.seed = seed

    def source_for(self, fingerprints: Mapping[str, str]) -> Path:
        """FileNotFoundError where the study has no finished pre-training; ValueError where not exactly one fits."""
        runs = self._pretrainings()
        for name in ("data", "split"):
            runs = self._alike(runs, name, fingerprints[name])
        return checkpoint_path(self._of_seed(runs).path)

    def _pretrainings(self) -> list[Run]:
        known = load_runs(self.folder)[0] if self.folder.is_dir() else []
        runs = [run for run in known if run.ranks_nothing and run.status is RunStatus.FINISHED]
        if not runs:
            raise FileNotFoundError(
                f"{self.folder} holds no finished pre-training; run one with task=s3_pretrain under that study=NAME, "
                "name its study as init.study=NAME, or its directory as init=pretrained init.source=PATH"
            )
        return runs

    def _alike(self, runs: Sequence[Run], name: str, fingerprint: str) -> list[Run]:
        """Those of the runs on the same data, or split. ValueError where there is none."""
        found = [run for run in runs if run.fingerprints.get(name) == fingerprint]
        if not found:
            there = runs[0].fingerprints.get(name, "none")
            raise ValueError(
                f"{self.folder}: the {name} of its {len(runs)} pre-training run(s) has another fingerprint "
                f"({there[:8]}... there, {fingerprint[:8]}... here); pre-train on this {name}"
            )
        return found

    def _of_seed(self, runs: Sequence[Run]) -> Run:
        found = [run for run in runs if run.seed == self.seed]
        if len(found) == 1:
            return found[0]
        if not found:
            seeds = ", ".join(map(str, sorted({run.seed for run in runs})))
            raise ValueError(
                f"{self.folder} has no pre-training of seed {self.seed}, only {seeds}; pre-train with that"
            )
        raise ValueError(
            f"{self.folder} has {len(found)} pre-trainings of seed {self.seed} ({', '.join(r.name for r in found)}); "
            "choose one with init=pretrained init.source=PATH"
        )
