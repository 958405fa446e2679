"""The seconds of a fit, across an interruption."""

import time

import pytest

from recsys.callbacks import Stopwatch


def test_seconds_before_a_checkpoint_count_and_those_between_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"wall": 100.0, "cpu": 10.0}
    monkeypatch.setattr(time, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(time, "process_time", lambda: now["cpu"])
    first = Stopwatch()
    now.update(wall=130.0, cpu=12.0)
    kept = first.state_dict()
    assert kept == {"fit": 30.0, "fit_cpu": 2.0}

    now.update(wall=1000.0, cpu=50.0)
    second = Stopwatch()
    second.load_state_dict(kept)
    now.update(wall=1005.0, cpu=51.0)
    assert second.seconds() == {"fit": 35.0, "fit_cpu": 3.0}
