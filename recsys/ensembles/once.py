"""A result made of other runs: made where it is not there yet, then shown."""

from collections.abc import Callable

from recsys.consoles import plain_console
from recsys.report.runs import load_run
from recsys.report.tables import run_table
from recsys.runs.directory import RunDirectory

BESIDE = "name=NAME keeps both, force=true runs over it"
console = plain_console()


def make_once(directory: RunDirectory, make: Callable[[], None], *, verb: str) -> None:
    """Prints the table of the run in the directory, which `make` writes unless it is finished."""
    if directory.is_finished(instead=BESIDE):
        console.print(f"already finished, nothing to do (force=true runs it again): {directory.path}", soft_wrap=True)
    else:
        make()
    console.print(run_table(load_run(directory.path)))
    console.print(f"{verb}: {directory.path}", soft_wrap=True)
