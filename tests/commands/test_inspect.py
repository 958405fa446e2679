"""`recsys inspect` shows any encoder, whatever its parts return."""

import pytest
from grid import encoders, target

from recsys.commands.cli import main


@pytest.mark.parametrize("model", encoders())
def test_every_encoder_can_be_inspected(model: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", f"model={model}"]) == 0
    assert "[4, 6]" in capsys.readouterr().out.splitlines()[-2]  # logits of four real positions over six items


@pytest.mark.parametrize(("max_length", "positions"), [(1, 1), (3, 1), (5, 3), (6, 4)])
def test_a_short_model_is_shown_the_latest_items(
    max_length: int, positions: int, capsys: pytest.CaptureFixture
) -> None:
    assert main(["inspect", f"max_length={max_length}"]) == 0
    assert f"[{positions}, 6]" in capsys.readouterr().out.splitlines()[-2]


@pytest.mark.parametrize("model", encoders())
def test_what_each_state_depends_on(model: str, capsys: pytest.CaptureFixture) -> None:
    main(["inspect", f"model={model}"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│        ")]
    rows = ["".join(sign for sign in line[11:] if sign in "1.") for line in lines]
    sees_both_ways = ["1111."] * 4  # and no padding
    circular = ["11111"] * 4  # whose filters read the padding too
    assert rows in (["1....", "11...", "111..", "1111."], sees_both_ways, circular)
    assert (rows[0] == "1....") == target("model", model).causal  # pyright: ignore
