"""Recipes, Hydra as a function, and the check of a configuration against constructors."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import pytest
from omegaconf import DictConfig, OmegaConf

from recsys.config import composing as configuration
from recsys.config.composing import check_types, conf_dir, run_with_hydra


class Encoder:
    """What the toy configurations build."""

    def __init__(
        self,
        *,
        dim: int,
        dropout: float = 0.0,
        sizes: Sequence[int] = (),
        betas: tuple[float, float] = (0.9, 0.99),
        norm: Literal["pre", "post"] = "pre",
        path: str | None = None,
        act: Callable[[float], float] = abs,
        options: dict[str, int] | None = None,
        nested: Mapping[str, Mapping[str, float | None]] = MappingProxyType({}),
        untyped=None,
    ) -> None: ...


def flexible(first: int, *rest: int, **named: int) -> None:
    """Takes any key, and positional arguments."""


HERE = __name__
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


def message(call: Callable[[], object]) -> str:
    """The sentence of the ValueError that `call` raises."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the caller compares the whole sentence)
        call()
    return str(caught.value)


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
        said = [record.getMessage().partition(": model.dim is")[0] for record in caplog.records]
        assert said[-2:] == ["failed: model.dim=??? seed=1", "failed: model.dim=??? seed=2"]

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
        (["seed"], "'seed' is no valid override: write key=value, and quote special characters"),
        (["seed=[1,"], "'seed=[1,' is no valid override: write key=value, and quote special characters"),
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


def encoder(text: str) -> DictConfig:
    """A configuration whose `model` is an Encoder with the given keys (YAML flow)."""
    return OmegaConf.create(f"model: {{_target_: {HERE}.Encoder, {text}}}")


@pytest.mark.parametrize(
    "text",
    [
        "dim: 64",
        "dim: 64, dropout: 0.1",
        "dim: 64, dropout: 0",
        "dim: 64, sizes: [1, 2]",
        "dim: 64, sizes: []",
        "dim: 64, betas: [0.9, 1]",
        "dim: 64, norm: post",
        "dim: 64, path: null",
        "dim: 64, path: a/b",
        "dim: 64, options: {a: 1}",
        "dim: 64, untyped: [1, a]",
        "dim: '${width}'",
        "_partial_: true",
        "_partial_: true, _convert_: all, dropout: 0.1",
        "dim: 64, act: {_target_: builtins.float}",
    ],
)
def test_a_right_configuration_passes(text: str):
    config = encoder(text)
    config.width = 64
    check_types(config)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dim: abc", "model.dim ('abc') must be int, got str"),
        ("dim: 6.5", "model.dim (6.5) must be int, got float"),
        ("dim: true", "model.dim (True) must be int, got bool"),
        ("dim: null", "model.dim (None) must be int, got NoneType"),
        ("dim: 64, dropout: high", "model.dropout ('high') must be float, got str"),
        ("dim: 64, sizes: [1, a]", "model.sizes ([1, 'a']) must be Sequence[int], got list"),
        ("dim: 64, betas: [0.9]", "model.betas ([0.9]) must be tuple[float, float], got list"),
        ("dim: 64, norm: poste", "model.norm ('poste') must be Literal['pre', 'post'], got str"),
        ("dim: 64, path: 3", "model.path (3) must be str | None, got int"),
        ("dim: 64, options: {a: 1, b: c}", "model.options.b ('c') must be int, got str"),
        ("dim: 64, options: {1: 1}", "model.options ({1: 1}) must be dict[str, int] | None, got dict"),
        ("dim: 64, options: [1]", "model.options ([1]) must be dict[str, int] | None, got list"),
        ("dim: 64, nested: {a: {b: 1, c: d}}", "model.nested.a.c ('d') must be float | None, got str"),
        ("_partial_: true, dropout: high", "model.dropout ('high') must be float, got str"),
    ],
)
def test_a_wrong_type_names_the_key_the_value_and_the_constructor(text: str, place: str):
    assert message(lambda: check_types(encoder(text))) == f"{place}: {HERE}.Encoder declares that type"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dropout: 0.1", f"model.dim is required by {HERE}.Encoder: pass +model.dim=..."),
        ("dim: '???'", "model.dim is required: pass model.dim=..."),
        ("dim: 64, options: {a: '???'}", "model.options.a is required: pass model.options.a=..."),
        ("dim: 64, sizes: [1, '???']", "model.sizes[1] is required: pass model.sizes[1]=..."),
        ("dim: '${width}'", "model.dim cannot be resolved: Interpolation key 'width' not found"),
    ],
)
def test_a_missing_value_is_named(text: str, sentence: str):
    assert message(lambda: check_types(encoder(text))) == sentence


def test_a_missing_value_outside_of_any_constructor_is_named():
    assert message(lambda: check_types(OmegaConf.create("study: ???"))) == "study is required: pass study=..."


def test_an_unknown_key_names_the_known_ones():
    sentence = message(lambda: check_types(encoder("dim: 64, dropuot: 0.1")))
    assert sentence.startswith(f"model.dropuot: unknown key of {HERE}.Encoder; known keys: dim, dropout, sizes,")
    assert sentence.endswith("; did you mean model.dropout?")


def test_constructors_nested_in_keys_and_lists_are_checked_on_their_own():
    inner = f"{{_target_: {HERE}.Encoder, dim: abc}}"
    nested = OmegaConf.create(f"a: {{_target_: {HERE}.Encoder, dim: 1, act: {inner}}}")
    listed = OmegaConf.create(f"a: [{{b: {inner}}}]")
    assert message(lambda: check_types(nested)).startswith("a.act.dim ('abc') must be int")
    assert message(lambda: check_types(listed)).startswith("a[0].b.dim ('abc') must be int")


def test_open_signatures_take_any_key():
    check_types(OmegaConf.create(f"a: {{_target_: {HERE}.flexible, _args_: [1, 2], other: 3}}"))
    check_types(OmegaConf.create("a: {_target_: builtins.dict, other: 3}"))


@pytest.mark.parametrize("target", ["recsys.no_such_module.Encoder", f"{HERE}.Encodre"])
def test_a_target_that_does_not_exist_is_named(target: str):
    sentence = message(lambda: check_types(OmegaConf.create(f"model: {{_target_: {target}}}")))
    assert sentence.startswith(f"model._target_ ({target}) cannot be imported: ")


def test_a_target_that_cannot_be_called_is_named():
    config = OmegaConf.create(f"model: {{_target_: {HERE}.HERE}}")
    assert message(lambda: check_types(config)) == f"model._target_ ({HERE}.HERE) must be callable, got str"
