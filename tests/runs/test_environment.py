"""What a record says of the machine."""

import pytest

from recsys.runs.environment import environment


def test_a_machine_without_git_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert environment()["git"] is None
