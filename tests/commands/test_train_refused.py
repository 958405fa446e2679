"""What `recsys train` refuses, before it costs time."""

from pathlib import Path

import pytest
from tiny_training import records, the_run, train

from recsys.commands.cli import main

pytestmark = pytest.mark.usefixtures("workplace")


def test_force_with_a_mistake_leaves_the_finished_run_alone() -> None:
    assert train() == 0
    before = {path.name: path.stat().st_mtime_ns for path in the_run().iterdir()}
    assert train("force=true", "init.freeze=[nothing.like.it]") == 2
    assert {path.name: path.stat().st_mtime_ns for path in the_run().iterdir()} == before


def test_a_directory_of_another_config_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert train("output_dir=outputs/here") == 0
    assert train("output_dir=outputs/here", "model.dim=16") == 2
    error = capsys.readouterr().err
    assert "holds a run of another config (model.dim is 8 there, 16 here)" in error
    assert records()[0]["config"]["model"]["dim"] == 8


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (("model.dmi=3",), "model.dmi: unknown key"),
        (("model.dim=abc",), "model.dim ('abc') must be int"),
        (("model.dim=9",), "dim (9) must be divisible by num_heads (2)"),
        (("sampler=uniform", "sampler.num_negatives=0"), "num_negatives (0) must be at least 1"),
        (("data.path=nowhere.csv",), "nowhere.csv"),
        (("optimizer=adamm",), "optimizer=adamm: no such option"),
        (("optimizer.lr=-1.0",), "optimizer cannot be made: Invalid learning rate: -1.0"),
        (("scheduler=cosine", "scheduler.interval=batch"), "scheduler.interval ('batch') must be Literal"),
        (("scheduler=step", "scheduler.curve.every=0"), "every (0) must be at least 1"),
        (("monitor=val/ndcg@7",), "monitor (val/ndcg@7) must be what the task measures, one of val/hr@1"),
        (("trainer.gradient_clip_val=-1.0",), "trainer.gradient_clip_val (-1.0) must be above 0"),
        (("trainer.gradient_clip_algorithm=l3",), "trainer cannot be made: `gradient_clip_algorithm` l3 is invalid"),
        (("trainer.check_val_every_n_epoch=9",), "trainer.check_val_every_n_epoch (9) must be at most"),
        (("trainer.accelerator=abacus",), "trainer cannot be made: You selected an invalid accelerator"),
        (("callbacks.best.mode=up",), "callbacks cannot be made: `mode` can be"),
        (("init.freeze=[encoder.*]",), "init.freeze (encoder.*) matches no parameter; the names are embedding.weight"),
        (("init.freeze=['*']",), "init.freeze (*) freezes every parameter"),
        (("init=pretrained",), "init.source is required: pass init.source=..."),
        (("init=pretrained", "init.source=nowhere"), "init.source (nowhere): there is no nowhere"),
        (("data.min_user_items=500",), "min_user_items"),
        (("task=user_items",), "SASRec reads a user's items, and task=user_items shows none; set task=next_item"),
        (("sampler=full", "sampler/exclude=train"), "sampler/exclude: what was chosen as sampler has no exclude"),
        (
            ("sampler.num_negatives=5",),
            "sampler.num_negatives: unknown key; what was chosen as sampler has none to set",
        ),
        (("init.freeze=embedding.*",), "write 'init.freeze=[embedding.*]'"),
        (("model.num_heads=0",), "num_heads (0) must be at least 1; set model.num_heads=1 or more"),
        (("model.init_std=-1",), "model fails (RuntimeError"),
        (("max_length=0",), "max_length (0) must be at least 1; set max_length=1 or more"),
        (("model.max_length=0",), "the first step on a toy catalogue fails (RuntimeError: index_select"),
        (("task.datamodule.eval_batch_size=0",), "the first step on a toy catalogue fails (ValueError"),
        (
            ("scheduler=plateau", "scheduler.monitor=val/loss"),
            "scheduler.monitor (val/loss) must be what the task measures",
        ),
        (("eval=labelled", "eval.protocol.path=tiny.csv"), "the best epoch would be chosen on the test"),
        (("trainer.limit_val_batches=0",), "trainer.limit_val_batches (0) must be above 0"),
        (("trainer.check_val_every_n_epoch=0",), "trainer.check_val_every_n_epoch (0) must be at least 1"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_training(
    overrides: tuple[str, ...], named: str, capsys: pytest.CaptureFixture
) -> None:
    assert train(*overrides) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not records()


def test_a_malformed_line_is_named_with_file_line_and_column(capsys: pytest.CaptureFixture) -> None:
    Path("bad.csv").write_text("user,item,timestamp\n1,2,3\n1,3,yesterday\n")
    assert train("data.path=bad.csv") == 2
    error = capsys.readouterr().err
    assert "bad.csv, line 3, column 3" in error
    assert "yesterday" in error


def test_a_user_with_too_few_items_is_named(capsys: pytest.CaptureFixture) -> None:
    Path("short.csv").write_text("user,item,timestamp\nann,2,1\nann,3,2\n")
    assert train("data.path=short.csv") == 2
    assert "user ann has 2 item(s)" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["mf", "fpmc"])
@pytest.mark.parametrize("split", [("split=user_folds",), ("split=temporal", "split.ask_cold_users=true")])
def test_a_model_with_user_vectors_is_not_asked_for_users_it_never_met(
    model: str, split: tuple[str, ...], capsys: pytest.CaptureFixture
) -> None:
    new = "\n".join(f"{user},{item},{time}" for user in (98, 99) for item, time in ((1, 6), (2, 7), (3, 98), (4, 99)))
    Path("tiny.csv").write_text(Path("tiny.csv").read_text() + new + "\n")  # they come late
    own = ("data=csv", "data.path=tiny.csv", "data.reader.timestamp=timestamp", "trainer.max_epochs=1")
    assert main(["train", *own, f"model={model}", *split, "model.dim=8"]) == 2
    said = capsys.readouterr().err
    assert "knows each user by a vector, and the split (" in said
    assert "whom it never trains on" in said
    assert not list(Path("outputs").rglob("*.ckpt"))
    assert main(["train", *own, "model=multivae", *split, "model.hidden=[8]", "model.dim=4"]) == 0
