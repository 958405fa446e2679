"""From the command line to a configuration: where the recipes lie, and Hydra as a plain function."""

import functools
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import hydra._internal.utils as hydra_driver
import yaml
from hydra import version
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from recsys.config.errors import explain
from recsys.config.mistakes import behind_hydra, is_user_error
from recsys.config.types import check_types

__all__ = ["check_types", "conf_dir", "run_with_hydra"]

Task = Callable[[DictConfig], object]

log = logging.getLogger(__name__)


def conf_dir() -> Path:
    """The folder of the recipes: inside the package when installed from a wheel, beside it in a checkout.

    Raises FileNotFoundError where neither is a folder.
    """
    package = Path(__file__).parents[1]
    candidates = (package / "conf", package.parent / "conf")
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    tried = " and ".join(map(str, candidates))
    raise FileNotFoundError(f"no configuration folder: looked for {tried}; install recsys again")


def run_with_hydra(task: Task, *, config_name: str, argv: list[str], conf: Path | None = None) -> None:
    """Compose `config_name` from the recipes in `conf` and run `task` on it, once or for each job of a sweep.

    `argv` is what follows the verb: overrides and Hydra's flags, in any order. `sys.argv` is neither read nor
    changed, so that Lightning can start the same command in its other processes. Raises ValueError, in one
    sentence, where the configuration cannot be composed, and the task's own exception where the task fails.
    Where a job of a sweep fails, the others still run; at the end all that failed are logged with what they said and
    counted in a ValueError, or a bug's own exception is raised. Flags that only print (`--help`, `--hydra-help`)
    raise SystemExit(0).
    """
    version.setbase("1.3")
    parser = hydra_driver.get_args_parser()
    parser.prog = "recsys"
    args = parser.parse_intermixed_args(argv)
    if args.experimental_rerun is not None:
        raise ValueError("--experimental-rerun would unpickle a file: give the run's overrides again instead")
    path = str((conf or conf_dir()).resolve())
    failures: list[Exception] = []
    with TemporaryDirectory(prefix="recsys-failures-") as elsewhere:
        try:
            with _letting_errors_through():
                recording = _recording(task, failures, elsewhere=Path(elsewhere))
                hydra_driver._run_hydra(args, parser, recording, path, config_name)
        except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
            raise ValueError(explain(error, overrides=argv)) from error
        messages = [file.read_text() for file in sorted(Path(elsewhere).iterdir())]
    if len(messages) > len(failures):  # of jobs in processes of their own, whose log is not this one's
        for message in messages:
            log.error("failed: %s", message)
    for failure in failures:
        if not messages or not is_user_error(behind_hydra(failure)):
            raise failure
    if messages:
        raise ValueError(f"{len(messages)} of the grid's jobs failed, the first with {messages[0]}")


@contextmanager
def _letting_errors_through() -> Iterator[None]:
    """Within, Hydra raises its errors; its driver would print them and exit.

    HYDRA_FULL_ERROR=1 has the same effect, but child processes would inherit the variable.
    """
    original = hydra_driver.run_and_report
    hydra_driver.run_and_report = lambda func: func()
    try:
        yield
    finally:
        hydra_driver.run_and_report = original


def _recording(task: Task, failures: list[Exception], *, elsewhere: Path) -> Task:
    """`task`, its exceptions put into `failures`: apart from Hydra's own, and so that a sweep goes on.

    elsewhere: where each failed job of a sweep leaves what it said, in a file named by its number: the `failures` of a
    parallel launcher's processes are lost with them.
    """
    owner = os.getpid()

    @functools.wraps(task)  # Hydra names the job after the task's module
    def recorded(config: DictConfig) -> object:
        try:
            return task(config)
        except Exception as error:
            hydra, here = HydraConfig.get(), os.getpid() == owner
            if here:
                failures.append(error)
            if hydra.mode == RunMode.MULTIRUN:
                message = f"{' '.join(hydra.overrides.task)}: {behind_hydra(error)}"
                (elsewhere / f"{hydra.job.num:06}").write_text(message)
                if here:
                    log.error("failed: %s", message)
            return None
        finally:
            remove_if_empty(Path(HydraConfig.get().runtime.output_dir))

    return recorded


def remove_if_empty(directory: Path) -> None:
    """The folder that was made for a task which wrote nothing there, and those above it, within the current one."""
    here = Path.cwd()
    with suppress(OSError):  # the first that holds something
        for folder in (directory.absolute(), *directory.absolute().parents):
            if here in folder.parents:
                folder.rmdir()
