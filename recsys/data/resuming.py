"""A transfer that goes on where an earlier one broke off."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.data.progress import DownloadBar

CHUNK = 2**16  # bytes
TIMEOUT = 60  # seconds without a byte
NO_VERSION = "the server names no version of the file, so the next try begins anew"


class TransferError(OSError):
    """A transfer that ended too early; the message says how much came and what becomes of it."""


class Resuming:
    """What pooch calls to download: continues a transfer that broke off, if the file is still the same there.

    What has come so far is kept in NAME.part beside the file to be, what the server calls its version in NAME.version.
    Where the server names no version, nothing says whether the rest is of the same file, and all of it comes anew.
    """

    def __init__(self, bar: DownloadBar) -> None:
        self.bar = bar

    def __call__(self, url: str, output_file: str, store: Any) -> None:
        """Writes `output_file` when everything is there. TransferError or requests' exceptions where it is not."""
        import requests

        [name] = store.registry
        part, version = (Path(store.abspath, f"{name}.{suffix}") for suffix in ("part", "version"))
        asked = version.read_text() if version.exists() and part.exists() and part.stat().st_size else ""
        headers = {"Accept-Encoding": "identity"}  # the bytes of the file, which a range counts
        if asked:
            headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": asked}
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
            named = named_version(response.headers)
            resumed = response.status_code == requests.codes.partial_content
            if resumed and named != asked:  # a server that minds no If-Range
                part.unlink(missing_ok=True)
                raise TransferError(
                    "the server continues another version of the file than it began; the next try is anew"
                )
            version.write_text(named)
            self._receive(response, part, before=part.stat().st_size if resumed else 0, continues=bool(named))
        version.unlink()
        part.replace(output_file)

    def _receive(self, response: Any, part: Path, *, before: int, continues: bool) -> None:
        """Appends to the first `before` bytes. TransferError where the server stops before the end."""
        from urllib3.exceptions import HTTPError

        length = response.headers.get("Content-Length")
        total = before + int(length) if length else None
        self.bar.start(total=total, done=before)
        came, broke_off = before, False
        with part.open("ab" if before else "wb") as file:
            try:
                while chunk := response.raw.read1(CHUNK, decode_content=True):  # what is there, less than a chunk too
                    file.write(chunk)
                    came += len(chunk)
                    self.bar.update(len(chunk))
            except HTTPError:
                broke_off = True
        if broke_off or (total is not None and came < total):
            of = "" if total is None else f" of {total:,}"
            then = "they are kept, and the next try goes on from there" if continues else NO_VERSION
            raise TransferError(f"{came:,}{of} bytes came; {then}")


def named_version(headers: Mapping[str, str]) -> str:
    """What can be asked for in If-Range (RFC 9110, 13.1.5): a strong ETag, else Last-Modified; "" for neither."""
    tag = headers.get("ETag", "")
    if headers.get("Content-Encoding", "identity") != "identity":
        return ""  # its ranges are not of the bytes that are kept
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
