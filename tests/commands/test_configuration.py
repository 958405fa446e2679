"""Recipes, and Hydra as a function."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from recsys.config import composing as configuration
from recsys.config.composing import check_types, conf_dir, run_with_hydra
from tests.sentences import message

QUOTING = (
    "write key=value, and a value with spaces or special characters in double quotes inside single ones, "
    "'key=\"a value\"'"
)
TREE = {
    "train.yaml": """
defaults: [{model: sasrec}, {override hydra/job_logging: none}, {override hydra/hydra_logging: none}, _self_]
seed: 0
hydra: {output_subdir: null}
""",
    "model/sasrec.yaml": "dim: 64\nnum_blocks: 2\nblock: {norm: pre}\n",
    "model/gru4rec.yaml": "dim: 100\n",
}


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree of recipes; jobs write under tmp_path."""
    monkeypatch.chdir(tmp_path)
    for name, text in TREE.items():
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "conf"


@pytest.fixture
def run(conf: Path) -> Callable[..., list[DictConfig]]:
    """Runs a command line and returns the configuration of each job."""

    def run(*argv: str) -> list[DictConfig]:
        jobs: list[DictConfig] = []
        run_with_hydra(jobs.append, config_name="train", argv=list(argv), conf=conf)
        return jobs

    return run


class TestConfDir:
    @pytest.mark.parametrize("place", ["site/recsys/conf", "site/conf"], ids=["wheel", "checkout"])
    def test_is_found(self, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        (tmp_path / place).mkdir(parents=True)
        monkeypatch.setattr(configuration, "__file__", str(tmp_path / "site/recsys/config/composing.py"))
        assert conf_dir() == tmp_path / place

    def test_absence_names_the_places(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(configuration, "__file__", str(tmp_path / "site/recsys/config/composing.py"))
        with pytest.raises(FileNotFoundError, match=r"site/recsys/conf and .*site/conf"):
            conf_dir()


class TestRun:
    def test_overrides_reach_the_task(self, run: Callable[..., list[DictConfig]]):
        (job,) = run("model=gru4rec", "seed=3")
        assert job == {"seed": 3, "model": {"dim": 100}}

    def test_flags_may_stand_anywhere(self, run: Callable[..., list[DictConfig]]):
        jobs = run("seed=1,2", "-m", "model.dim=8,16")
        assert [(job.seed, job.model.dim) for job in jobs] == [(1, 8), (1, 16), (2, 8), (2, 16)]

    def test_argv_and_environment_stay_as_they_were(
        self, run: Callable[..., list[DictConfig]], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
        argv, environment = list(sys.argv), dict(os.environ)
        run("seed=1")
        assert (sys.argv, dict(os.environ)) == (argv, environment)

    def test_cfg_prints_instead_of_running(
        self, run: Callable[..., list[DictConfig]], capsys: pytest.CaptureFixture[str]
    ):
        assert run("--cfg", "job", "model.dim=7") == []
        assert OmegaConf.create(capsys.readouterr().out).model.dim == 7

    def test_config_dir_adds_recipes(self, run: Callable[..., list[DictConfig]], tmp_path: Path):
        (tmp_path / "mine/model").mkdir(parents=True)
        (tmp_path / "mine/model/own.yaml").write_text("dim: 5\n")
        assert run("--config-dir", str(tmp_path / "mine"), "model=own")[0].model == {"dim": 5}

    def test_a_failing_task_raises_its_own_error_and_prints_nothing(
        self, conf: Path, capsys: pytest.CaptureFixture[str]
    ):
        with pytest.raises(ZeroDivisionError):
            run_with_hydra(lambda config: 1 / config.seed, config_name="train", argv=[], conf=conf)
        assert capsys.readouterr() == ("", "")

    def test_a_sweep_goes_on_after_a_failed_job(self, conf: Path, caplog: pytest.LogCaptureFixture):
        results: list[float] = []
        argv = ["-m", "seed=1,0,2"]
        with pytest.raises(ZeroDivisionError):
            run_with_hydra(lambda config: results.append(1 / config.seed), config_name="train", argv=argv, conf=conf)
        assert results == [1, 0.5]
        assert "failed: seed=0: division by zero" in caplog.text

    def test_a_sweep_ends_with_all_that_failed(self, conf: Path, caplog: pytest.LogCaptureFixture):
        argv = ["-m", "model.dim=???,3", "seed=1,2"]
        with pytest.raises(
            ValueError, match=r"^2 of the grid's jobs failed, the first with .*seed=1: model.dim is required"
        ):
            run_with_hydra(check_types, config_name="train", argv=argv, conf=conf)
        errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert [error.partition(": model.dim is")[0] for error in errors] == [
            "failed: model.dim=??? seed=1",
            "failed: model.dim=??? seed=2",
        ]

    def test_a_parallel_sweep_goes_on_after_a_failed_job(
        self, conf: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
    ):
        pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra `parallel`")
        argv = ["-m", "seed=1,0,2,0", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]

        def task(config: DictConfig) -> None:
            (tmp_path / f"result{config.seed}").write_text(str(1 / config.seed))

        with pytest.raises(ValueError, match="2 of the grid's jobs failed, the first with seed=0: division by zero"):
            run_with_hydra(task, config_name="train", argv=argv, conf=conf)
        assert [(tmp_path / f"result{seed}").read_text() for seed in (1, 2)] == ["1.0", "0.5"]
        assert caplog.text.count("failed: seed=0: division by zero") == 2


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["model.dmi=3"],
            "model.dmi: unknown key; known keys of model: dim, num_blocks, block; did you mean model.dim?",
        ),
        (
            ["-m", "model.dmi=3,4"],
            "model.dmi: unknown key; known keys of model: dim, num_blocks, block; did you mean model.dim?",
        ),
        (
            ["model={dmi: 3}"],
            "model.dmi: unknown key; known keys of model: dim, num_blocks, block; did you mean model.dim?",
        ),
        (["modle=gru4rec"], "modle: unknown key; known keys: model, seed; did you mean model?"),
        (["norm=post"], "norm: unknown key; known keys: model, seed; did you mean model.block.norm?"),
        (["zzz=1"], "zzz: unknown key; known keys: model, seed"),
        (
            ["model.dim.x=1"],
            "model.dim.x: unknown key; model.dim has none to set; +model.dim.x=... adds one where any is taken",
        ),
        (
            ["model=sasrecc"],
            "model=sasrecc: no such option; known options of model: gru4rec, sasrec; did you mean model=sasrec?",
        ),
        (
            ["-m", "model=sasrec,gru"],
            "model=gru: no such option; known options of model: gru4rec, sasrec; did you mean model=gru4rec?",
        ),
        (
            ["seed"],
            f"'seed' is no valid override: {QUOTING}",
        ),
        (
            ["seed=[1,"],
            f"'seed=[1,' is no valid override: {QUOTING}",
        ),
        (
            ["seed=1,2"],
            "several values for one key: write a list as [1,2], or add -m to train with each of them (in: seed=1,2)",
        ),
        (["model=null"], "Config group override must be a string or a list. Got NoneType (in: model=null)"),
        (
            ["--config-dir", "/nowhere"],
            "Additional config directory '/nowhere' not found (in: --config-dir /nowhere)",
        ),
    ],
)
def test_what_cannot_be_composed_is_one_sentence(argv: list[str], sentence: str, run: Callable[..., list[DictConfig]]):
    assert message(lambda: run(*argv)) == sentence


def test_a_recipe_that_is_no_yaml_names_file_and_line(run: Callable[..., list[DictConfig]], conf: Path):
    (conf / "model/sasrec.yaml").write_text("dim: [64\nnum_blocks: 2\n")
    assert "sasrec.yaml" in (text := message(run))
    assert "line 2" in text


def test_rerunning_a_pickle_is_refused(run: Callable[..., list[DictConfig]]):
    assert "unpickle" in message(lambda: run("--experimental-rerun", "config.pickle"))
