"""Downloads from a local web server that breaks off, lies, changes its mind or is not there."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.data.downloads import Download, DownloadFiles
from recsys.data.transfer import record_file


class Site:
    """What the server has. cut: bytes after which the next answers break off, one entry an answer."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.type = "application/zip"
        self.cut: list[int] = []
        self.ranges: list[str | None] = []
        self.url = ""


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.ranges.append(self.headers["Range"])
            content = state.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            tag = f'"{hashlib.md5(content).hexdigest()}"'
            start = 0
            if self.headers["Range"] and self.headers["If-Range"] == tag:
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", state.type)
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("ETag", tag)
            self.end_headers()
            stop = start + state.cut.pop(0) if state.cut else len(content)
            self.wfile.write(content[start:stop])

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No second of waiting between tries."""
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)


def archive(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, text in members.items():
            content.writestr(name, text)
    return buffer.getvalue()


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content).hexdigest()


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(site: Site, cache: Path) -> None:
    content = archive({"d/ratings.csv": "a" * 200_000})
    site.files["/d.zip"], site.cut = content, [70_000, 70_000]
    folder = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["d/ratings.csv"]).fetch()
    assert (folder / "ratings.csv").read_text() == "a" * 200_000
    assert site.ranges == [None, "bytes=65536-", "bytes=131072-"]  # whole blocks of 64 KiB are kept
    assert left(cache) == ["d.zip", "ratings.csv"]


def test_the_next_call_goes_on_too_and_starts_over_where_the_file_has_changed(site: Site) -> None:
    content = archive({"a": "1" * 100_000})
    site.files["/d.zip"], site.cut = content, [70_000]
    once = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["a"], retries=0)
    with pytest.raises(FileNotFoundError, match=r"d\.zip can't be reached .*what has come is kept and continued"):
        once.fetch()
    other = archive({"a": "2" * 100_000})
    site.files["/d.zip"] = other
    fresh = Download(url=f"{site.url}/d.zip", checksum=md5(other), members=["a"], retries=0)
    assert (fresh.fetch() / "a").read_text() == "2" * 100_000
    site.files["/d.zip"] = content
    assert (once.fetch() / "a").read_text() == "1" * 100_000
    assert site.ranges[-1] == "bytes=65536-"


def test_a_file_cut_short_at_the_publisher_is_thrown_away(site: Site, cache: Path) -> None:
    content = archive({"a": "1" * 100_000})
    site.files["/d.zip"] = content[:70_000]
    told = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["a"], checksum_source="d.zip.md5")
    with pytest.raises(FileNotFoundError, match=rf"its checksum is not {md5(content)} \(d\.zip\.md5\)$"):
        told.fetch()
    with pytest.raises(FileNotFoundError, match=r"thrown away: it is no whole zip archive"):
        Download(url=f"{site.url}/d.zip", checksum=None, members=["a"]).fetch()
    assert left(cache) == []


def test_a_missing_file_is_asked_for_once_and_a_page_is_not_data(site: Site, cache: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"the server answered 404 .*/gone\.zip"):
        Download(url=f"{site.url}/gone.zip", checksum=None, members=["a"]).fetch()
    assert len(site.ranges) == 1
    site.files["/Beauty.txt"], site.type = b"<html>", "text/html; charset=utf-8"
    with pytest.raises(FileNotFoundError, match=r"Beauty\.txt answers with a web page"):
        DownloadFiles(base=site.url, files={"Beauty.txt": None}).fetch()
    assert left(cache) == []


def test_a_checksum_that_nobody_publishes_is_recorded_and_checked_from_then_on(site: Site, cache: Path) -> None:
    site.files = {"/data/Beauty.txt": b"1 2 3\n", "/data/Beauty.json": b"{}"}
    files = DownloadFiles(base=f"{site.url}/data/", files={"Beauty.txt": None, "Beauty.json": None}, retries=0)
    folder = files.fetch()
    assert (folder / "Beauty.txt").read_text() == "1 2 3\n"
    known = json.loads(record_file().read_text())[f"{site.url}/data/Beauty.txt"]
    assert known["checksum"] == "sha256:" + hashlib.sha256(b"1 2 3\n").hexdigest()
    assert files.fetch() == folder
    assert len(site.ranges) == 2
    (folder / "Beauty.txt").unlink()
    assert (files.fetch() / "Beauty.txt").exists()
    (folder / "Beauty.txt").unlink()
    site.files["/data/Beauty.txt"] = b"1 2 4\n"
    with pytest.raises(FileNotFoundError, match=r"not sha256:\w+ \(recorded at the first download"):
        files.fetch()
    assert left(cache) == ["Beauty.json", "checksums.json"]


def test_names_that_climb_out_of_the_folder_do_not(site: Site, cache: Path) -> None:
    content = archive({"../../evil.csv": "x", "/etc/ratings.csv": "y", "../unasked": "z"})
    site.files["/d.zip"] = content
    wanted = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["../../evil.csv", "/etc/ratings.csv"])
    folder = wanted.fetch()
    assert left(cache) == ["d.zip", "evil.csv", "ratings.csv"]
    assert {path.parent for path in cache.rglob("*.csv")} == {folder}
