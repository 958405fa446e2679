"""One file from the web: retried, resumed, checked, and there only when it is whole."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.data.cache import cache_root
from recsys.data.fingerprints import file_fingerprint
from recsys.data.progress import DownloadBar, download_bar

CHUNK = 2**16  # bytes
TIMEOUT = 60  # seconds without a byte


def fetch_file(url: str, path: Path, *, checksum: str | None, source: str | None, retries: int) -> Path:
    """Downloads `url` to `path`, unless it is there and has the checksum.

    checksum: "ALGORITHM:HEX"; None: that of the first download, which is recorded. source: who published it.
    Raises FileNotFoundError, in one sentence, where the file can't be had or is another.
    """
    import pooch  # here, because these are slow to import and almost never needed
    import requests
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f"{path.name}.lock")
    with FileLock(lock):  # the other jobs of a grid wait for the first
        expected = checksum or recorded(url)
        registry: Any = {path.name: expected}
        store = pooch.create(
            path=path.parent, base_url="", registry=registry, urls={path.name: url}, retry_if_failed=retries
        )
        try:
            with download_bar(path.name) as bar:
                downloader: Any = Resuming(bar)  # pooch's hints name the parameters differently
                store.fetch(path.name, downloader=downloader)
        except requests.HTTPError as error:
            raise FileNotFoundError(f"the server answered {error}") from error
        except requests.RequestException as error:
            raise FileNotFoundError(
                f"{url} can't be reached ({type(error).__name__}); what has come is kept and continued"
            ) from error
        except ValueError as error:
            origin = source or (None if checksum else f"recorded at the first download in {record_file()}")
            said = f" ({origin})" if origin else ""
            raise FileNotFoundError(
                f"{url} was downloaded and thrown away, because its checksum is not {expected}{said}"
            ) from error
        finally:
            lock.unlink(missing_ok=True)
        if expected is None:
            check_archive(path, url)
            record(url, f"sha256:{file_fingerprint(path)}")
    return path


class Resuming:
    """What pooch calls to download: continues a transfer that broke off, if the file is still the same there.

    What has come so far is kept in NAME.part beside the file to be, what the server calls its version in NAME.version.
    """

    def __init__(self, bar: DownloadBar) -> None:
        self.bar = bar

    def __call__(self, url: str, output_file: str, store: Any) -> None:
        """Writes `output_file` when everything is there. requests' exceptions where it is not."""
        import requests

        [name] = store.registry
        part, version = (Path(store.abspath, f"{name}.{suffix}") for suffix in ("part", "version"))
        headers = {"Accept-Encoding": "identity"}  # the bytes of the file, which a range counts
        if part.exists() and part.stat().st_size and version.exists():
            headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": version.read_text()}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                part.unlink(missing_ok=True)
            if response.status_code in (requests.codes.not_found, requests.codes.gone, requests.codes.forbidden):
                raise FileNotFoundError(f"the server answered {response.status_code} {response.reason} for {url}")
            response.raise_for_status()
            if response.headers.get("Content-Type", "").startswith("text/html"):
                raise FileNotFoundError(
                    f"{url} answers with a web page, not with the file; is there a login before it?"
                )
            version.write_text(response.headers.get("ETag") or response.headers.get("Last-Modified", ""))
            resumed = response.status_code == requests.codes.partial_content
            self._receive(response, part, before=part.stat().st_size if resumed else 0)
        version.unlink()
        part.replace(output_file)

    def _receive(self, response: Any, part: Path, *, before: int) -> None:
        """Appends to the first `before` bytes. ConnectionError where the server stops before the end."""
        import requests

        length = response.headers.get("Content-Length")
        self.bar.start(total=before + int(length) if length else None, done=before)
        received = 0
        with part.open("ab" if before else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                received += len(chunk)
                self.bar.update(len(chunk))
        if length and received < int(length):
            raise requests.ConnectionError(f"{received:,} of {int(length):,} bytes came")


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
    path = record_file()
    return json.loads(path.read_text()).get(url, {}).get("checksum") if path.exists() else None


def record(url: str, checksum: str) -> None:
    """Keeps the checksum of a first download."""
    path = record_file()
    known = json.loads(path.read_text()) if path.exists() else {}
    known[url] = {"checksum": checksum, "recorded": datetime.now(UTC).date().isoformat()}
    partial = path.with_suffix(".json.partial")
    partial.write_text(json.dumps(known, indent=1))
    partial.replace(path)
