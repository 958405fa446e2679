"""The recipe of `recsys train`: from the data's file to a tested model and a table."""

import time
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, seed_everything

from recsys.callbacks import Pruning, Stopwatch
from recsys.config.composing import check_types
from recsys.consoles import plain_console
from recsys.data.attributes import ItemAttributes
from recsys.data.audit import Audit
from recsys.data.catalogue import Catalogue
from recsys.data.sequences import UserSequences
from recsys.data.splits import Split, Splitter
from recsys.products import prefer_onednn
from recsys.report.runs import Run, load_run
from recsys.report.tables import run_line, run_table
from recsys.runs.assembly import assemble, check_users, make_trainer, reads_attributes, rehearse
from recsys.runs.directory import RunDirectory
from recsys.runs.environment import peak_memory_gb, quiet_lightning, reset_peak_memory
from recsys.runs.fitting import fit, initialise, load_best
from recsys.runs.loggers import begin, end, make_logger
from recsys.runs.results import results

console = plain_console()


def train(config: DictConfig, *callbacks: Callback, brief: bool = False) -> None:
    """Trains, tests the best epoch, writes the run's record and prints its table; a line where `brief` or in a grid.

    callbacks: of whoever trains many, beside those of the config.
    """
    quiet_lightning()
    prefer_onednn()
    check_types(config)
    rehearse(config)
    started = time.perf_counter()
    reset_peak_memory()
    dataset = instantiate(config.data)
    sequences = dataset.sequences()
    attributes = dataset.attributes(sequences) if reads_attributes(config) else ()
    run = RunDirectory(Path(config.output_dir), config=config, fingerprints=fingerprints(sequences, attributes))
    finished = run.is_finished()
    if not finished:
        with run.held(waiting=_say_that_another_runs):
            finished = run.is_finished()  # by the process that had it
            interrupted = not finished and execute(config, run, sequences, attributes, *callbacks, started=started)
        if interrupted:
            if not any(isinstance(callback, Pruning) and callback.pruned for callback in callbacks):
                _say_what_is_kept(load_run(run.path))
            raise KeyboardInterrupt
    if finished:
        console.print(f"already finished, nothing to do (force=true runs it again): {run.path}", soft_wrap=True)
    done = load_run(run.path)
    if brief or HydraConfig.get().mode == RunMode.MULTIRUN:
        console.print(run_line(done), soft_wrap=True)
        return
    console.print(run_table(done))
    if done.ranks_nothing:
        console.print(f"start from it: {done.as_start}", soft_wrap=True)


def _say_that_another_runs(path: Path) -> None:
    console.print(f"another process is at work on this very run; waiting for it to end: {path}", soft_wrap=True)


def _say_what_is_kept(run: Run) -> None:
    kept = f"epoch {run.best_epoch}, the best so far, is kept; the same command continues"
    console.print(f"interrupted: {kept}", soft_wrap=True)
    console.print(run_table(run))


def fingerprints(sequences: UserSequences, attributes: Sequence[ItemAttributes]) -> dict[str, str]:
    """What identifies the data of a run, and the attributes of its items where it reads them."""
    known_by = {"data": sequences.fingerprint}
    return known_by | ({"attributes": " ".join(kind.fingerprint for kind in attributes)} if attributes else {})


def catalogue_of(sequences: UserSequences, split: Split, attributes: Sequence[ItemAttributes]) -> Catalogue:
    """What models and protocols are told of the data."""
    return Catalogue(
        num_items=sequences.num_items,
        train=split.train,
        whole=sequences.items,
        attributes=attributes,
        users=sequences.users,
        items=sequences.vocabulary,
    )


def say_what_is_read(
    config: DictConfig, run: RunDirectory, sequences: UserSequences, attributes: Sequence[ItemAttributes]
) -> None:
    """The data's size, its items' attributes where the task reads them, and the run's directory."""
    console.print(
        f"{sequences.name}: {sequences.num_users:,} users, {sequences.num_items:,} items, "
        f"{sequences.num_interactions:,} interactions -> {run.path}",
        soft_wrap=True,
    )
    for kind in attributes:
        console.print(kind.describe(), soft_wrap=True)
    if reads_attributes(config) and not attributes:
        console.print(
            "the items have no attributes: what is learned or measured of them is left out; set data.attributes"
        )


def execute(
    config: DictConfig,
    run: RunDirectory,
    sequences: UserSequences,
    attributes: Sequence[ItemAttributes],
    *callbacks: Callback,
    started: float,
) -> bool:
    """Split, model, fit, test, record: the recipe. Returns whether it was cut short."""
    splitter: Splitter = instantiate(config.split)
    split = splitter(sequences)
    seed_everything(config.seed, verbose=False)
    catalogue = catalogue_of(sequences, split, attributes)
    parts = assemble(config, split, catalogue)
    model = parts.task.get_submodule("model")
    check_users(model, splitter, split)
    parts.protocol.prepare(catalogue)
    known_by = fingerprints(sequences, attributes) | {"split": split.fingerprint()}
    options = run.config["model"]
    init = initialise(
        instantiate(config.init), model, console, catalogue=catalogue, options=options, fingerprints=known_by
    )
    stopwatch = Stopwatch()
    logger = make_logger(config)
    trainer = make_trainer(config, stopwatch, *callbacks, logger=logger)
    say_what_is_read(config, run, sequences, attributes)
    begin(logger, config)
    interrupted = fit(trainer, parts, resume=run.start())
    seconds = stopwatch.seconds()
    best_epoch = load_best(parts, run.path / "best.ckpt", console)

    result = results(parts, catalogue, run.path, monitor=config.monitor, best_epoch=best_epoch)
    run.write(
        status="interrupted" if interrupted else "finished",
        fingerprints=known_by | {"protocol": parts.protocol.describe()},
        init=init,
        audit={"split": splitter.describe(), **Audit.of(split, sequences).record()},
        num_parameters=parts.task.num_parameters,
        seconds=seconds | {"total": time.perf_counter() - started},
        peak_memory_gb=peak_memory_gb(),
        best_epoch=best_epoch,
        epochs=trainer.current_epoch,
        metrics=result.metrics,
        baselines=result.baselines,
    )
    end(logger, result.metrics, steps=trainer.global_step)
    return interrupted
