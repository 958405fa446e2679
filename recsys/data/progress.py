"""A progress bar for downloads."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn


class DownloadBar:
    """A Rich bar behind the four calls that pooch makes of a progress bar."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes to come; 0 where the server doesn't say."""
        return self._total

    @total.setter
    def total(self, size: int) -> None:
        self._total = size
        self._progress.update(self._task, total=size or None)

    def update(self, size: int) -> None:
        """`size` more bytes have come."""
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        """Start at zero."""
        self._progress.reset(self._task, total=self._total or None)

    def close(self) -> None:
        """Nothing to do: the context ends the bar."""


@contextmanager
def download_bar(title: str) -> Iterator[DownloadBar]:
    """A bar on standard error, shown only in a terminal, gone when it is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield DownloadBar(progress, title)
