"""Names of run directories, and which are left."""

from pathlib import Path

import pytest

from recsys.commands.cli import main
from recsys.runs.directory import differences, run_name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("sasrec", "ce", ""), "sasrec-ce"),
        (("ease", None, ""), "ease"),
        (("sasrec", "ce", "model/block=post_norm,model.dim=8"), "sasrec-ce,model.block=post_norm,model.dim=8"),
    ],
)
def test_a_run_is_named_by_what_was_chosen(parts: tuple, name: str):
    assert run_name(*parts) == name


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ((), "recbole-BPR"),
        (("model.name=EASE", "+model.params.reg_weight=1"), "recbole-EASE,+model.params.reg_weight=1"),
        (("model.name=EASE", "name=mine"), "mine"),
    ],
)
def test_an_option_for_many_models_is_named_with_the_model(
    overrides: tuple[str, ...], name: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "model=recbole", *overrides, "--cfg", "job", "--resolve", "--package", "name"]) == 0
    assert capsys.readouterr().out.split() == [name]


def test_a_name_too_long_for_a_file_system_is_cut_and_stays_unique():
    one, other = (run_name("sasrec", "ce", f"init.source=outputs/{'é' * 200}/seed{seed}") for seed in (0, 1))
    assert one != other
    assert one.startswith("sasrec-ce,init.source=outputs.é")
    assert len(one.encode()) < 255


def test_a_name_with_brackets_and_colons_is_printed_as_it_is(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To rich, [positions.*] is markup and :x: an emoji."""
    tiny = ("data=csv", "data.path=tiny.csv", "trainer.accelerator=cpu", "trainer.enable_progress_bar=false")
    run = "train", *tiny, "data.name=':x:'", "trainer.max_epochs=1", "max_length=5", "init.freeze=[positions.*]"
    for sentence in (" -> {}", "already finished, nothing to do (force=true runs it again): {}"):
        assert main(run) == 0
        (path,) = Path("outputs").rglob("run.json")
        assert ":x:/sasrec-ce,init.freeze=[positions.*]," in str(path)
        assert sentence.format(path.parent.absolute()) in capsys.readouterr().out
    assert main(["evaluate", f"run={path.parent}"]) == 0
    assert f"{path.parent / 'evaluations.json'}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("there", "here", "said"),
    [
        ([1, 2], [2, 3], "a.k has 1 there alone, 3 here alone"),
        ([1, 2], [1], "a.k has 2 there alone, nothing here alone"),
        ([1, 2], [2, 1], "a.k is [1, 2] there, [2, 1] here"),
        ([1], [1, 1], "a.k is [1] there, [1, 1] here"),
    ],
)
def test_lists_that_differ_are_told_by_what_differs(there: list, here: list, said: str) -> None:
    assert differences({"a": {"k": there}}, {"a": {"k": here}}) == [said]


def test_no_folder_is_left_where_nothing_was_written(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = ("model=pop", "data=csv", "data.path=tiny.csv", "trainer.accelerator=cpu", "ledger=null")
    assert main(["inspect"]) == 0
    (workplace / "empty").mkdir()
    monkeypatch.chdir("empty")
    assert main(["inspect"]) == 0
    assert Path.cwd() == workplace / "empty"  # still there
    monkeypatch.chdir(workplace)
    assert main(["train", *tiny, "trainer.nonsense=1"]) == 2
    assert main(["train", *tiny[1:], "init=pretrained", "init.source=tiny.csv", "output_dir=other/run"]) == 2
    assert not (workplace / "other").exists()
    assert main(["train", *tiny, "output_dir=elsewhere/run"]) == 0
    assert not (workplace / "outputs").exists()
    assert (workplace / "elsewhere/run/run.json").exists()
