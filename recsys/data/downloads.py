"""Data sets at their publisher's: an archive or single files, kept in the cache folder once they are whole."""

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from recsys.cache import cache_root
from recsys.data.kept_files import KeptFiles
from recsys.data.transfer import fetch_file, forget, recorded


class Download:
    """Members of a zip archive on the web; nothing half-written is found in the folder.

    url: of the archive.
    checksum: of the archive, "ALGORITHM:HEX"; a bare hexadecimal is SHA256. None: nobody publishes one; that of the
    first download is recorded, and later ones must have it.
    checksum_source: who says so, for the message where it is another.
    members: paths inside the archive; they land side by side in one folder, under their last name.
    retries: how often a failed transfer is tried again, after 1, 2, ... seconds, from where it broke off.
    """

    def __init__(
        self,
        *,
        url: str,
        checksum: str | None,
        members: Sequence[str],
        checksum_source: str | None = None,
        retries: int = 2,
    ) -> None:
        self.url = url
        self.checksum = checksum
        self.checksum_source = checksum_source
        self.members = tuple(members)
        self.retries = retries

    def fetch(self) -> Path:
        """The folder with the members, downloaded the first time.

        FileNotFoundError where it can't be had, ValueError where a member has changed since it came.
        """
        name = PurePosixPath(urlsplit(self.url).path).name
        digest = (self.checksum or f":{_digest(self.url)}").rpartition(":")[2]
        folder = cache_root() / "downloads" / f"{PurePosixPath(name).stem}-{digest[:8]}"
        names, kept = [PurePosixPath(member).name for member in self.members], KeptFiles(folder)
        if all((folder / each).exists() for each in names):
            kept.check(names)
            return folder
        archive = fetch_file(
            self.url, folder / name, checksum=self.checksum, source=self.checksum_source, retries=self.retries
        )
        try:
            self._unpack(archive, folder)
        except FileNotFoundError:
            archive.unlink()
            forget(self.url)  # a mended one is another
            raise
        kept.keep(names)
        return folder

    def describe(self) -> str:
        """Address and checksum in one line."""
        return f"{self.url}, {_checked(self.checksum, self.checksum_source)}"

    def _unpack(self, archive: Path, folder: Path) -> None:
        with zipfile.ZipFile(archive) as content, tempfile.TemporaryDirectory(dir=folder) as scratch:
            for member in self.members:
                if member not in content.namelist():
                    raise FileNotFoundError(f"{archive} from {self.url} has no member {member!r}")
                name = PurePosixPath(member).name  # no other part of the path: it can't leave the folder
                with content.open(member) as source, (Path(scratch) / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
                (Path(scratch) / name).replace(folder / name)


class DownloadFiles:
    """Single files from one folder on the web.

    base: address of the folder. files: name -> checksum, see Download. retries: see Download.
    """

    def __init__(self, *, base: str, files: Mapping[str, str | None], retries: int = 2) -> None:
        self.base = base.rstrip("/")
        self.files = dict(files)
        self.retries = retries

    def fetch(self) -> Path:
        """The folder with the files, downloaded the first time.

        FileNotFoundError where one can't be had, ValueError where one has changed since it came.
        """
        first = PurePosixPath(next(iter(self.files))).stem
        folder = cache_root() / "downloads" / f"{first}-{_digest(self.base)[:8]}"
        kept = KeptFiles(folder)
        for name, checksum in self.files.items():
            url = f"{self.base}/{name}"
            if (folder / name).exists():
                kept.check([name], expected={name: checksum or recorded(url)})
            else:
                fetch_file(url, folder / name, checksum=checksum, source=None, retries=self.retries)
                kept.keep([name])
        return folder

    def describe(self) -> str:
        """Addresses and checksums in one line."""
        return "; ".join(f"{self.base}/{name}, {_checked(checksum, None)}" for name, checksum in self.files.items())


def _checked(checksum: str | None, source: str | None) -> str:
    if checksum is None:
        return "no checksum is published: the first download's is recorded"
    return f"{checksum} ({source or 'no source given'})"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
