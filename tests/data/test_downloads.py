"""Downloads from a local web server that breaks off, lies, changes its mind or is not there."""

import hashlib
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.data.downloads import Download, DownloadFiles
from recsys.data.kept_files import KeptFiles
from recsys.data.resuming import named_version
from recsys.data.transfer import record_file


class Site:
    """What the server has. cut: bytes after which the next answers break off, one entry an answer.

    version: the header that names a file's version; None: there is none.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.type = "application/zip"
        self.cut: list[int] = []
        self.ranges: list[str | None] = []
        self.url = ""
        self.version: str | None = "ETag"
        self.minds_if_range = True


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
            if self.headers["Range"] and (self.headers["If-Range"] == tag or not state.minds_if_range):
                start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", state.type)
            self.send_header("Content-Length", str(len(content) - start))
            if state.version:
                self.send_header(state.version, tag)
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
    return sorted(path.name for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(site: Site, cache: Path) -> None:
    content = archive({"d/ratings.csv": "a" * 200_000})
    site.files["/d.zip"], site.cut = content, [70_000, 70_000]
    folder = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["d/ratings.csv"]).fetch()
    assert (folder / "ratings.csv").read_text() == "a" * 200_000
    assert site.ranges == [None, "bytes=70000-", "bytes=140000-"]
    assert left(cache) == ["d.zip", "kept_files.json", "ratings.csv"]


def test_the_next_call_goes_on_too_and_starts_over_where_the_file_has_changed(site: Site) -> None:
    content = archive({"a": "1" * 100_000})
    site.files["/d.zip"], site.cut = content, [70_000]
    once = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["a"], retries=0)
    with pytest.raises(FileNotFoundError, match=r"d\.zip broke off: 70,000 of 100,100 bytes came; they are kept"):
        once.fetch()
    other = archive({"a": "2" * 100_000})
    site.files["/d.zip"] = other
    fresh = Download(url=f"{site.url}/d.zip", checksum=md5(other), members=["a"], retries=0)
    assert (fresh.fetch() / "a").read_text() == "2" * 100_000
    site.files["/d.zip"] = content
    assert (once.fetch() / "a").read_text() == "1" * 100_000
    assert site.ranges[-1] == "bytes=70000-"


@pytest.mark.parametrize("minds_if_range", [True, False])
@pytest.mark.parametrize("version", ["ETag", "Last-Modified", None])
def test_two_versions_are_never_spliced(version: str | None, minds_if_range: bool, site: Site) -> None:
    site.version, site.minds_if_range = version, minds_if_range
    site.files["/seq.txt"], site.cut = b"1 2 3\n" * 500, [1000]
    files = DownloadFiles(base=site.url, files={"seq.txt": None}, retries=0)
    with pytest.raises(FileNotFoundError, match=r"1,000 of 3,000 bytes came; the"):
        files.fetch()
    site.files["/seq.txt"] = b"4 5 6\n" * 500
    patient = DownloadFiles(base=site.url, files={"seq.txt": None}, retries=1)
    assert (patient.fetch() / "seq.txt").read_bytes() == b"4 5 6\n" * 500
    assert site.ranges[1] == ("bytes=1000-" if version else None)


def test_a_weak_tag_names_no_version() -> None:
    assert named_version({"ETag": 'W/"1"'}) == ""
    assert named_version({"ETag": 'W/"1"', "Last-Modified": "Mon"}) == "Mon"
    assert named_version({"ETag": '"1"', "Last-Modified": "Mon"}) == '"1"'
    assert named_version({"ETag": '"1"', "Content-Encoding": "gzip"}) == ""


def test_a_file_that_has_changed_since_it_came_is_not_read(site: Site, cache: Path) -> None:
    site.files = {"/seq.txt": b"1 2 3\n", "/d.zip": archive({"u.data": "1 2", "u.item": "3"})}
    single = DownloadFiles(base=site.url, files={"seq.txt": None})
    zipped = Download(url=f"{site.url}/d.zip", checksum=None, members=["u.data", "u.item"])
    for place, name in ((single, "seq.txt"), (zipped, "u.item")):
        file = place.fetch() / name
        content, status = file.read_bytes(), file.stat()
        file.write_bytes(content.replace(b"3", b"7"))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(ValueError, match=rf"{name} has changed since it was downloaded .*; remove it and"):
            place.fetch()
        file.unlink()
        assert (place.fetch() / name).read_bytes() == content
    folder = single.fetch()
    (folder / "kept_files.json").unlink()  # as of a download by an older version
    (folder / "seq.txt").write_bytes(b"1 2 7\n")
    with pytest.raises(ValueError, match=r"seq\.txt has changed since"):
        single.fetch()


def test_a_large_file_is_known_by_its_size_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.data.kept_files.HASHED_BYTES", 2)
    kept = KeptFiles(tmp_path)
    (tmp_path / "a").write_text("123")
    kept.keep(["a"])
    status = (tmp_path / "a").stat()
    (tmp_path / "a").write_text("124")
    with pytest.raises(ValueError, match="a has changed since"):
        kept.check(["a"])
    os.utime(tmp_path / "a", ns=(status.st_atime_ns, status.st_mtime_ns))
    kept.check(["a"])
    (tmp_path / "a").write_text("123")  # at another time
    kept.check(["a"])
    (tmp_path / "a").write_text("1234")
    with pytest.raises(ValueError, match="a has changed since"):
        kept.check(["a"])


def test_a_file_cut_short_at_the_publisher_is_thrown_away(site: Site, cache: Path) -> None:
    content = archive({"a": "1" * 100_000})
    site.files["/d.zip"] = content[:70_000]
    told = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["a"], checksum_source="d.zip.md5")
    with pytest.raises(
        FileNotFoundError, match=rf"its checksum is not {md5(content)} \(d\.zip\.md5\); the publisher has"
    ):
        told.fetch()
    assert len(site.ranges) == 1  # it came whole: it would come the same again
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
    with pytest.raises(FileNotFoundError, match=r"not sha256:\w+ \(recorded at .*remove the entry .* checksums\.json"):
        files.fetch()
    assert left(cache) == ["Beauty.json", "checksums.json", "kept_files.json"]
    record_file().write_text("{}")  # as the message says
    assert (files.fetch() / "Beauty.txt").read_text() == "1 2 4\n"


def test_an_archive_without_the_member_is_not_the_one_to_come_back_to(site: Site, cache: Path) -> None:
    site.files["/d.zip"] = archive({"other": "x"})
    download = Download(url=f"{site.url}/d.zip", checksum=None, members=["a"])
    with pytest.raises(FileNotFoundError, match="has no member 'a'"):
        download.fetch()
    assert not list(cache.rglob("d.zip"))
    site.files["/d.zip"] = archive({"a": "mended"})
    assert (download.fetch() / "a").read_bytes() == b"mended"


def test_names_that_climb_out_of_the_folder_do_not(site: Site, cache: Path) -> None:
    content = archive({"../../evil.csv": "x", "/etc/ratings.csv": "y", "../unasked": "z"})
    site.files["/d.zip"] = content
    wanted = Download(url=f"{site.url}/d.zip", checksum=md5(content), members=["../../evil.csv", "/etc/ratings.csv"])
    folder = wanted.fetch()
    assert left(cache) == ["d.zip", "evil.csv", "kept_files.json", "ratings.csv"]
    assert {path.parent for path in cache.rglob("*.csv")} == {folder}
