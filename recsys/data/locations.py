"""Where a data set's files are: given by the user, inside an installed package, or at the publisher's."""

import importlib.util
import os
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from recsys.data.progress import download_bar


class Location(Protocol):
    """A place where a data set may be."""

    def fetch(self) -> Path:
        """The file or folder. Raises FileNotFoundError that says why it can't be had from here."""
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


class Download:
    """Members of a zip archive on the web, kept in the cache folder; nothing half-written is found there.

    url: of the archive.
    checksum: of the archive, "ALGORITHM:HEX"; a bare hexadecimal is SHA256.
    members: paths inside the archive; they land side by side in one folder, under their last name.
    retries: how often a failed transfer is tried again, after 1, 2, ... seconds.
    """

    def __init__(self, *, url: str, checksum: str, members: Sequence[str], retries: int = 2) -> None:
        self.url = url
        self.checksum = checksum
        self.members = tuple(members)
        self.retries = retries

    def fetch(self) -> Path:
        """The folder with the members, downloaded the first time."""
        archive_name = PurePosixPath(urlsplit(self.url).path).name
        digest = self.checksum.rpartition(":")[2]
        folder = cache_root() / "downloads" / f"{PurePosixPath(archive_name).stem}-{digest[:8]}"
        if not all((folder / PurePosixPath(member).name).exists() for member in self.members):
            self._unpack(self._download(folder, archive_name), folder)
        return folder

    def _download(self, folder: Path, archive_name: str) -> Path:
        import pooch  # here, because it is slow to import and almost never needed
        import requests

        store = pooch.create(
            path=folder,
            base_url="",
            registry={archive_name: self.checksum},
            urls={archive_name: self.url},
            retry_if_failed=self.retries,
        )
        try:
            with download_bar(archive_name) as bar:
                # pooch takes any such bar; its hints don't say so
                downloader: Any = pooch.HTTPDownloader(progressbar=cast(Any, bar), chunk_size=2**16)
                return Path(store.fetch(archive_name, downloader=downloader))
        except requests.HTTPError as error:
            raise FileNotFoundError(f"the server answered {error}") from error
        except requests.RequestException as error:
            raise FileNotFoundError(f"{self.url} can't be reached ({type(error).__name__})") from error
        except ValueError as error:
            raise FileNotFoundError(
                f"{self.url} was downloaded and thrown away, because its checksum is not {self.checksum}"
            ) from error

    def _unpack(self, archive: Path, folder: Path) -> None:
        with zipfile.ZipFile(archive) as content, tempfile.TemporaryDirectory(dir=folder) as scratch:
            for member in self.members:
                if member not in content.namelist():
                    raise FileNotFoundError(f"{archive} from {self.url} has no member {member!r}")
                name = PurePosixPath(member).name  # no other part of the path: it can't leave the folder
                with content.open(member) as source, (Path(scratch) / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
                (Path(scratch) / name).replace(folder / name)


def cache_root() -> Path:
    """Folder for everything that can be made again: $RECSYS_CACHE, or ~/.cache/recsys."""
    return Path(os.environ.get("RECSYS_CACHE") or "~/.cache/recsys").expanduser()


def locate(candidates: Sequence[Location], path: str | Path | None, *, name: str, expected: Sequence[str]) -> Path:
    """The user's `path` where one is given, else the first of the candidates that has the data.

    name, expected: the data set and the file names it may have, for the message where nothing is found.
    Raises FileNotFoundError where `path` doesn't exist, or, without one, where no candidate has the data.
    """
    if path is not None:
        given = Path(path).expanduser()
        if not given.exists():
            raise FileNotFoundError(f"data.path ({path}) does not exist; give an existing file or folder")
        return given
    failures = []
    for candidate in candidates:
        try:
            return candidate.fetch()
        except FileNotFoundError as error:
            failures.append(str(error))
    tried = "; ".join(failures) or "there is no automatic download"
    raise FileNotFoundError(
        f"data set {name} was not found ({tried}); get {' or '.join(expected)} from its publisher "
        f"and say where it is with data.path=FILE_OR_FOLDER"
    )
