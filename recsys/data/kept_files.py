"""Downloaded files as they came, so that one that has changed since is not read without a word."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from recsys.data.fingerprints import file_fingerprint
from recsys.whole_files import written_whole

HASHED_BYTES = 100 * 2**20  # larger files whose size and time are unchanged are not read again to know it
RECORD = "kept_files.json"


class KeptFiles:
    """Size, time and SHA256 of files of one folder, in `kept_files.json` beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, names: Sequence[str]) -> None:
        """Records the files as they are now."""
        known = self._known() | {name: _facts(self.folder / name) for name in names}
        with written_whole(self.folder / RECORD) as partial:
            partial.write_text(json.dumps(known, indent=1))

    def check(self, names: Sequence[str], *, expected: Mapping[str, str | None] | None = None) -> None:
        """Raises ValueError where a file is not as it came.

        expected: "ALGORITHM:HEX" of files that an older version downloaded without recording them here; what has none
        is recorded as it is.
        """
        known = self._known()
        for name in names:
            path = self.folder / name
            checksum = known[name]["checksum"] if name in known else (expected or {}).get(name)
            is_same = _has(path, checksum) if name not in known else _is_as_it_came(path, known[name])
            if not is_same:
                raise ValueError(
                    f"{path} has changed since it was downloaded (its checksum is not {checksum}); remove it and it is "
                    "fetched again, or give a file of your own with data.path=FILE"
                )
        unknown = [name for name in names if name not in known]
        if unknown:
            with suppress(OSError):  # a folder that others own: nothing to be done
                self.keep(unknown)

    def _known(self) -> dict[str, Any]:
        path = self.folder / RECORD
        return json.loads(path.read_text()) if path.exists() else {}


def _facts(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "checksum": f"sha256:{file_fingerprint(path)}",
    }


def _is_as_it_came(path: Path, known: Mapping[str, Any]) -> bool:
    status = path.stat()
    if status.st_size != known["size"]:
        return False
    is_untouched = status.st_mtime_ns == known["mtime_ns"]
    return (is_untouched and status.st_size > HASHED_BYTES) or _has(path, known["checksum"])


def _has(path: Path, checksum: str | None) -> bool:
    if checksum is None:
        return True
    algorithm, _, digest = checksum.rpartition(":")
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm or "sha256").hexdigest() == digest
