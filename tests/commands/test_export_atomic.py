"""`recsys export-atomic` as a user meets it."""

from pathlib import Path

import pytest

from recsys.commands.cli import main
from recsys.data.sources import write_atomic

TINY = ("data=csv", "data.path=tiny.csv", "data.reader.timestamp=timestamp")


@pytest.mark.usefixtures("workplace")
def test_the_export_says_how_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-atomic", "out=toy", *TINY]) == 0
    said = capsys.readouterr().out
    assert "benchmark_filename: [train, valid, test]" in said
    assert "#   split: {LS: valid_and_test}" in said


def test_help_is_no_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["export-atomic", "--help"])
    assert capsys.readouterr().out.startswith("usage: recsys export-atomic out=FOLDER")


@pytest.mark.parametrize(
    ("out", "data", "sentence"),
    [
        ("tiny.csv", TINY, "can't be made (File exists)"),
        ("mine", ("data=atomic", "data.path=mine/mine.inter"), "holds the data itself"),
        ("mine", ("data=atomic", "data.path=mine"), "holds the data itself"),
    ],
)
@pytest.mark.usefixtures("workplace")
def test_a_folder_that_cannot_be_used_is_refused(
    out: str, data: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_atomic(Path("mine/mine.inter"), {"user_id:token": [1], "item_id:token": [2]})
    assert main(["export-atomic", f"out={out}", *data]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert [path.name for path in Path("mine").iterdir()] == ["mine.inter"]
