"""What is settled before torch is imported."""

import ctypes
import platform

import pytest

from recsys import startup


def test_what_the_user_has_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("the allocator was set"))
    startup.settle_process()
    assert startup.os.environ["GOMP_SPINCOUNT"] == "7"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_glibc_takes_the_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, mallopt = [], ctypes.CDLL(None).mallopt
    library = type("Library", (), {"mallopt": staticmethod(lambda *given: taken.append(mallopt(*given)))})
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    startup.settle_process()
    assert taken == [1, 1]


def test_other_allocators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: opened.append(name) or object())
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    startup.settle_process()
    assert opened == [None]
    assert startup.os.environ["GOMP_SPINCOUNT"] == "20000"
