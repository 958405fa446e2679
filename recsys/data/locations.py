"""Where a data set's files are: given by the user, inside an installed package, or at the publisher's."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from recsys.data.downloads import Download, DownloadFiles

__all__ = ["Download", "DownloadFiles", "InstalledPackage", "Location", "locate"]


class Location(Protocol):
    """A place where a data set may be."""

    def fetch(self) -> Path:
        """The file or folder. Raises FileNotFoundError that says why it can't be had from here."""
        ...

    def describe(self) -> str:
        """Where that is, in one line."""
        ...


class InstalledPackage:
    """A folder that an installed package ships; the package is looked up, never imported.

    package: import name, without dots.
    folder: path inside the package, separated by "/".
    """

    def __init__(self, *, package: str, folder: str) -> None:
        self.package = package
        self.folder = folder

    def fetch(self) -> Path:
        """The folder."""
        spec = importlib.util.find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(f"the package {self.package} is not installed")
        path = Path(spec.submodule_search_locations[0]) / self.folder
        if not path.exists():
            raise FileNotFoundError(f"the installed package {self.package} has no {path}")
        return path

    def describe(self) -> str:
        """Package and folder in one line."""
        return f"the installed package {self.package}, {self.folder}"


def locate(candidates: Sequence[Location], path: str | Path | None, *, name: str, expected: Sequence[str]) -> Path:
    """The user's `path` where one is given, else the first of the candidates that has the data.

    name, expected: the data set and the file names it may have, for the message where nothing is found.
    Raises FileNotFoundError where `path` doesn't exist, or, without one, where no candidate has the data; ValueError
    where a file that a candidate downloaded has changed since.
    """
    if path is not None:
        given = Path(path).expanduser()
        if not given.exists():
            raise FileNotFoundError(f"data.path ({path}) does not exist; give an existing file or folder")
        return given
    if not candidates:
        raise FileNotFoundError(
            f"data set {name} has no place of its own: say where it is with data.path=FILE_OR_FOLDER "
            f"({' or '.join(expected)})"
        )
    failures = []
    for candidate in candidates:
        try:
            return candidate.fetch()
        except FileNotFoundError as error:
            failures.append(str(error))
    raise FileNotFoundError(
        f"data set {name} was not found ({'; '.join(failures)}); get {' or '.join(expected)} from its publisher "
        f"and say where it is with data.path=FILE_OR_FOLDER"
    )
