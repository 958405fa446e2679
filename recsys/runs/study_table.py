"""The table at the end of a multirun."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from recsys.consoles import plain_console


class StudyTable(Callback):
    """Hydra callback: when all jobs of a grid are done, prints mean and deviation over seeds of the whole study.

    Beside it, `results.csv` in the study's folder holds every run as it came.
    """

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        from recsys.report.aggregation import every_run
        from recsys.report.runs import load_runs
        from recsys.report.tables import study_table

        console = plain_console()
        runs, problems = load_runs(Path(config.hydra.sweep.dir))
        for problem in problems:
            console.print(problem, style="yellow", soft_wrap=True)
        if not runs:
            folder = config.hydra.sweep.dir
            console.print(
                f"There is no finished run in {folder}; recsys report FOLDER makes the table of another folder."
            )
            return
        console.print(study_table(runs))
        path = Path(config.hydra.sweep.dir, "results.csv")
        every_run(runs).to_csv(path, index=False)
        console.print(f"every run: {path}", soft_wrap=True)
