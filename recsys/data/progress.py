"""A progress bar for downloads."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from recsys.consoles import plain_console


class DownloadBar:
    """How much of a file has come."""

    def __init__(self, progress: Progress, *, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def start(self, *, total: int | None, done: int) -> None:
        """`done` of `total` bytes are there; None where the server doesn't say how many there are."""
        self._progress.update(self._task, total=total, completed=done)

    def update(self, size: int) -> None:
        """`size` more bytes have come."""
        self._progress.advance(self._task, size)


@contextmanager
def download_bar(title: str) -> Iterator[DownloadBar]:
    """A bar on standard error, shown only in a terminal, gone when it is done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=plain_console(stderr=True), transient=True) as progress:
        yield DownloadBar(progress, title=title)
