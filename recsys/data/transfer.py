"""One file from the web: retried, checked, and there only when it is whole."""

import hashlib
import json
import sys
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.cache import cache_root
from recsys.data.fingerprints import file_fingerprint
from recsys.data.progress import download_bar
from recsys.data.resuming import Resuming, TransferError
from recsys.whole_files import written_whole

if TYPE_CHECKING:
    from filelock import BaseFileLock


def fetch_file(url: str, path: Path, *, checksum: str | None, source: str | None, retries: int) -> Path:
    """Downloads `url` to `path`, unless it is there and has the checksum.

    checksum: "ALGORITHM:HEX"; None: that of the first download, which is recorded. source: who published it.
    Raises FileNotFoundError, in one sentence, where the file can't be had or is another.
    """
    import requests  # here, because it is slow to import and almost never needed

    path.parent.mkdir(parents=True, exist_ok=True)
    with _held(path):  # the other jobs of a grid wait for the first
        expected = checksum or recorded(url)
        try:
            _with_retries(url, path, expected, retries=retries)
        except requests.HTTPError as error:
            raise FileNotFoundError(f"the server answered {error}") from error
        except TransferError as error:
            raise FileNotFoundError(f"{url} broke off: {error}") from error
        except requests.RequestException as error:
            raise FileNotFoundError(f"{url} can't be reached ({type(error).__name__}){_earlier(path)}") from error
        except ValueError as error:
            raise FileNotFoundError(_another_file(url, expected, checksum=checksum, source=source)) from error
        if expected is None:
            check_archive(path, url)
            record(url, f"sha256:{file_fingerprint(path)}")
    return path


def _with_retries(url: str, path: Path, expected: str | None, *, retries: int) -> None:
    """Tries again what broke off or was not answered, but no file that came whole: it would come the same."""
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # there is a bar
    registry: Any = {path.name: expected}
    store = pooch.create(path=path.parent, base_url="", registry=registry, urls={path.name: url})
    for attempt in range(retries + 1):
        try:
            with download_bar(path.name) as bar:
                downloader: Any = Resuming(bar)  # pooch's hints name the parameters differently
                store.fetch(path.name, downloader=downloader)
            return
        except (requests.RequestException, TransferError) as error:
            if attempt == retries:
                raise
            print(f"trying again in {attempt + 1} s: {str(error) or type(error).__name__}", file=sys.stderr)
            time.sleep(attempt + 1)


def _earlier(path: Path) -> str:
    """What is said of an earlier transfer where this one could not begin."""
    part = path.with_name(f"{path.name}.part")
    came = part.stat().st_size if part.exists() else 0
    return f"; the {came:,} bytes that came earlier are kept" if came else ""


def _another_file(url: str, expected: str | None, *, checksum: str | None, source: str | None) -> str:
    """What is said where everything came and it is another file than it should be."""
    origin = source or (None if checksum else f"recorded at the first download in {record_file()}")
    said = f" ({origin})" if origin else ""
    advice = (
        "the publisher has changed it, or something on the way does"
        if checksum
        else f"if the publisher has changed it and the new one is wanted, remove the entry of this address from "
        f"{record_file().name} there"
    )
    return f"{url} was downloaded and thrown away, because its checksum is not {expected}{said}; {advice}"


def check_archive(path: Path, url: str) -> None:
    """Raises FileNotFoundError where a file called .zip is none or is damaged; it is removed then."""
    if path.suffix != ".zip":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        damaged = str(error)
    if damaged:
        path.unlink()
        raise FileNotFoundError(f"{url} was downloaded and thrown away: it is no whole zip archive ({damaged})")


def record_file() -> Path:
    """Where checksums of first downloads are kept."""
    return cache_root() / "checksums.json"


def recorded(url: str) -> str | None:
    """The checksum that the first download of `url` had; None where there was none yet."""
    return _records().get(url, {}).get("checksum")


def record(url: str, checksum: str) -> None:
    """Keeps the checksum of a first download."""
    with _held(record_file()):  # each change rewrites all of them
        _write_records(_records() | {url: {"checksum": checksum, "recorded": datetime.now(UTC).date().isoformat()}})


def forget(url: str) -> None:
    """Takes the record of a first download back."""
    with _held(record_file()):  # each change rewrites all of them
        _write_records({key: value for key, value in _records().items() if key != url})


def _held(file: Path) -> "BaseFileLock":
    """Within, no other process holds that file. Locks stay, lest one be taken while it is being removed."""
    from filelock import FileLock

    folder = cache_root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}.lock")


def _records() -> dict[str, Any]:
    path = record_file()
    return json.loads(path.read_text()) if path.exists() else {}


def _write_records(known: Mapping[str, Any]) -> None:
    path = record_file()
    with written_whole(path) as partial:
        partial.write_text(json.dumps(known, indent=1))
