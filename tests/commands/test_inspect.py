"""`recsys inspect` shows any encoder, whatever its parts return."""

import pytest
from grid import encoders

from recsys.commands.cli import main


@pytest.mark.parametrize("model", encoders())
def test_every_encoder_can_be_inspected(model: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", f"model={model}"]) == 0
    assert "[4, 6]" in capsys.readouterr().out.splitlines()[-2]  # logits of four real positions over six items


@pytest.mark.parametrize(("model", "first_row"), [("sasrec", "1...."), ("s3rec", "1...."), ("bert4rec", "1111..")])
def test_the_mask_is_the_models_own(model: str, first_row: str, capsys: pytest.CaptureFixture) -> None:
    main(["inspect", f"model={model}"])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│        0 │")]
    assert "".join(sign for sign in row if sign in "1.").startswith(first_row)
