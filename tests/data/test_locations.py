"""Finding data: in a package, from a local web server, or not at all."""

import hashlib
import io
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.data.locations import Download, InstalledPackage, locate


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without writing to standard error."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Address of a local web server and the folder that it serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()


def publish(folder: Path, members: dict[str, str]) -> str:
    """Put data.zip on the site; its checksum."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    (folder / "data.zip").write_bytes(buffer.getvalue())
    return "md5:" + hashlib.md5(buffer.getvalue()).hexdigest()


def test_a_download_is_checked_unpacked_and_then_found_offline(site: tuple[str, Path], cache: Path) -> None:
    url, folder = site
    checksum = publish(folder, {"d/u.data": "1 2", "../../evil": "x", "other": "y"})
    download = Download(url=f"{url}/data.zip", checksum=checksum, members=["d/u.data", "../../evil"])
    place = download.fetch()
    assert place.parent == cache / "downloads"
    assert (place / "u.data").read_text() == "1 2"
    assert sorted(path.name for path in place.iterdir()) == ["data.zip", "evil", "kept_files.json", "u.data"]
    (folder / "data.zip").unlink()
    assert download.fetch() == place


def test_a_member_that_went_missing_is_unpacked_again(site: tuple[str, Path]) -> None:
    url, folder = site
    download = Download(url=f"{url}/data.zip", checksum=publish(folder, {"a": "1"}), members=["a"])
    (download.fetch() / "a").unlink()
    assert (download.fetch() / "a").read_text() == "1"


def test_a_wrong_checksum_keeps_nothing(site: tuple[str, Path], cache: Path) -> None:
    url, folder = site
    publish(folder, {"a": "1"})
    wrong = "md5:" + "0" * 32
    with pytest.raises(FileNotFoundError, match=rf"thrown away, because its checksum is not {wrong}; the publisher"):
        Download(url=f"{url}/data.zip", checksum=wrong, members=["a"], retries=0).fetch()
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_missing_archive_and_a_missing_member_are_named(site: tuple[str, Path]) -> None:
    url, folder = site
    checksum = publish(folder, {"a": "1"})
    with pytest.raises(FileNotFoundError, match=r"the server answered 404 .*/gone\.zip"):
        Download(url=f"{url}/gone.zip", checksum=checksum, members=["a"], retries=0).fetch()
    with pytest.raises(FileNotFoundError, match=r"data\.zip has no member 'b'"):
        Download(url=f"{url}/data.zip", checksum=checksum, members=["b"], retries=0).fetch()


def test_a_server_that_does_not_answer_is_named(site: tuple[str, Path]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler) as closed:
        url = f"http://127.0.0.1:{closed.server_port}/data.zip"
    with pytest.raises(FileNotFoundError, match=rf"{url} can't be reached \(ConnectionError\)"):
        Download(url=url, checksum="md5:" + "0" * 32, members=["a"], retries=0).fetch()


def test_a_package_is_found_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shipping" / "files").mkdir(parents=True)
    (tmp_path / "shipping" / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    assert InstalledPackage(package="shipping", folder="files").fetch() == tmp_path / "shipping" / "files"
    assert "shipping" not in sys.modules
    with pytest.raises(FileNotFoundError, match=r"the installed package shipping has no .*elsewhere"):
        InstalledPackage(package="shipping", folder="elsewhere").fetch()
    with pytest.raises(FileNotFoundError, match="the package no_such_package is not installed"):
        InstalledPackage(package="no_such_package", folder="files").fetch()


class Nowhere:
    """A location that never has the data."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def fetch(self) -> Path:
        """Raises FileNotFoundError."""
        raise FileNotFoundError(self.reason)


def test_a_given_path_wins_and_must_exist(tmp_path: Path) -> None:
    assert locate([Nowhere("no")], str(tmp_path), name="x", expected=[]) == tmp_path
    with pytest.raises(FileNotFoundError, match=r"data\.path \(no/such\) does not exist; give an existing file"):
        locate([], "no/such", name="x", expected=[])


def test_the_first_location_that_has_it_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shipping" / "files").mkdir(parents=True)
    (tmp_path / "shipping" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    place = InstalledPackage(package="shipping", folder="files")
    assert locate([Nowhere("no"), place], None, name="x", expected=[]) == tmp_path / "shipping" / "files"


def test_data_that_is_nowhere_tells_why_and_what_to_do() -> None:
    message = (
        r"data set x was not found \(no package; no server\); get \*\.inter or u\.data from its publisher "
        r"and say where it is with data\.path=FILE_OR_FOLDER"
    )
    with pytest.raises(FileNotFoundError, match=message):
        locate([Nowhere("no package"), Nowhere("no server")], None, name="x", expected=["*.inter", "u.data"])


def test_data_of_ones_own_has_to_be_given() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"data set csv has no place .* data\.path=FILE_OR_FOLDER \(\*\.csv or \*\.tsv\)$"
    ):
        locate([], None, name="csv", expected=["*.csv", "*.tsv"])
