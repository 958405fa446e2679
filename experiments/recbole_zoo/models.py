"""Every model of RecBole, tried: python experiments/recbole_zoo/models.py writes models.md.

Each is made, trained for three steps and ranked on toy data by `recsys train`; what it cannot do, it says itself.
"""

import argparse
import io
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from rich.progress import track

from recsys.commands.cli import main as recsys
from recsys.data.sources import write_atomic
from recsys.models.recbole.library import model_names

QUICK = (
    *("max_length=20", "batch_size=64", "eval=full_kept", "force=true"),
    *("trainer.max_epochs=1", "trainer.limit_train_batches=3", "trainer.enable_progress_bar=false"),
)


class Trial(NamedTuple):
    """What became of a model. failure: what was said; empty where it was trained and ranked."""

    name: str
    family: str
    task: str
    failure: str
    seconds: float


def write_toy(folder: Path) -> None:
    """150 users, 120 items with a class or two each, as atomic files like those of MovieLens-100K."""
    rng = np.random.default_rng(0)
    rows = np.array([(user, item) for user in range(150) for item in rng.permutation(120)[: rng.integers(5, 30)]])
    times = np.arange(len(rows), dtype=np.float64)
    columns = {"user_id:token": rows[:, 0], "item_id:token": rows[:, 1], "timestamp:float": times}
    write_atomic(folder / "toy.inter", columns)
    classes = [["a", "b"][: 1 + item % 2] for item in range(120)]
    features = {"class:token_seq": classes, "release_year:token": np.arange(120) % 7}
    write_atomic(folder / "toy.item", {"item_id:token": np.arange(120), **features})


def attempt(name: str, task: str, folder: Path) -> str:
    """Trains it for a moment; what went wrong, if anything did."""
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        try:
            failed = recsys(
                [
                    *("train", "model=recbole", f"model.name={name}", f"task={task}"),
                    *(*QUICK, f"data.path={folder}", f"output_dir={folder / name}"),
                ]
            )
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    return said.getvalue().strip().removeprefix("recsys: error: ") if failed else ""


def trial(name: str, family: str, folder: Path) -> Trial:
    """With the interactions alone, then, where that is refused, with the items' attributes."""
    started = time.perf_counter()
    task, failure = "recbole", attempt(name, "recbole", folder)
    if "task=recbole_attributes" in failure:
        task, failure = "recbole_attributes", attempt(name, "recbole_attributes", folder)
    return Trial(name, family, task, failure, time.perf_counter() - started)


def table(trials: list[Trial]) -> str:
    """As Markdown, in RecBole's order."""
    works = sum(not trial.failure for trial in trials)
    rows = [
        f"| {t.name} | {t.family} | {f'no: {t.failure}' if t.failure else f'yes, `task={t.task}`'} |" for t in trials
    ]
    return "\n".join(
        [
            "# RecBole's models in recsys",
            "",
            f"Made by `python experiments/recbole_zoo/models.py`: {works} of {len(trials)} are trained and ranked.",
            "",
            "| model | family | trained and ranked |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = model_names()
    parser.add_argument(
        "--models", nargs="*", choices=sorted(known), metavar="NAME", help="some models only, printed and not written"
    )
    chosen = parser.parse_args().models
    families = {name: family for name, family in known.items() if not chosen or name in chosen}
    with TemporaryDirectory() as folder:
        write_toy(Path(folder))
        trials = [trial(name, families[name], Path(folder)) for name in track(sorted(families), "models")]
    if chosen:
        print(*trials, sep="\n")
        return
    Path(__file__).with_name("models.md").write_text(table(trials))


if __name__ == "__main__":
    main()
