"""The folder for everything that can be made again."""

from pathlib import Path

import pytest

from recsys.cache import cache_root


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("RECSYS_CACHE")
    assert cache_root() == Path.home() / ".cache" / "recsys"
