"""The work of `recsys refit`."""

import json
import time
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning import Trainer, seed_everything

from recsys.callbacks import StopAfter, Stopwatch
from recsys.consoles import plain_console
from recsys.data.splits import Refitted
from recsys.options.refit import RefitOptions
from recsys.products import prefer_onednn
from recsys.refits.plans import PLANS, Plan
from recsys.refits.sides import Sides, measure, sides_table
from recsys.report.runs import Run
from recsys.runs.assembly import Parts, assemble, made
from recsys.runs.directory import RunDirectory
from recsys.runs.environment import peak_memory_gb, quiet_lightning, reset_peak_memory
from recsys.runs.fitting import fit
from recsys.runs.rebuilding import Rebuilt, rebuild
from recsys.runs.recipe import catalogue_of, fingerprints
from recsys.runs.sources import again
from recsys.whole_files import written_whole

ANEW = "give the same epochs=N as there, or force=true to run over it"
console = plain_console()


def refit(options: RefitOptions) -> None:
    """Trains beside the run, measures both sides before and after, and records it."""
    plan = PLANS[options.how]
    quiet_lightning()
    prefer_onednn()
    before = rebuild(options.run, list(options.overrides))
    if before.data.run.is_refit:
        raise ValueError(f"{options.run} is a refit already; give the run that it was made from")
    plan.check(before)
    path = options.run.with_name(f"{options.run.resolve().name}-{options.how}")
    config = refit_config(before, options, path)
    known_by = fingerprints(before.data.sequences, before.data.attributes)
    run = RunDirectory(path, config=config, fingerprints=known_by)
    if run.is_finished(instead=ANEW):
        console.print(f"already finished, nothing to do (force=true runs it again): {path}", soft_wrap=True)
        sides = json.loads((path / "run.json").read_text())["refit"]
        console.print(sides_table(Sides(**sides["before"]), Sides(**sides["after"])))
        return
    execute(before, run, config, plan, options)


def refit_config(before: Rebuilt, options: RefitOptions, path: Path) -> DictConfig:
    """The run's config with nothing held out, nothing validated, and its files in the refit's own folder."""
    plain: dict[str, Any] = OmegaConf.to_container(before.data.config, resolve=True)  # pyright: ignore
    callbacks = {name: node for name, node in plain["callbacks"].items() if node and "monitor" not in node}
    plain |= {
        "name": f"{plain['name']},refit={options.how}",
        "split": {"_target_": f"{Refitted.__module__}.{Refitted.__name__}", "split": plain["split"]},
        "callbacks": moved(callbacks, plain["output_dir"], str(path)),
        "trainer": plain["trainer"] | {"limit_val_batches": 0},
        "output_dir": str(path),
        "force": options.force,
        "note": options.note,
        "refit": {"how": options.how, "epochs": options.epochs},
    }
    return OmegaConf.create(plain)


def moved(node: Any, there: str, here: str) -> Any:
    """The node with every path in the folder `there` put into the folder `here`."""
    if isinstance(node, dict):
        return {key: moved(value, there, here) for key, value in node.items()}
    return node.replace(there, here, 1) if isinstance(node, str) and node.startswith(there) else node


def execute(before: Rebuilt, run: RunDirectory, config: DictConfig, plan: Plan, options: RefitOptions) -> None:
    """Assemble, fit, measure, record."""
    started = time.perf_counter()
    reset_peak_memory()
    sequences = before.data.sequences
    split = instantiate(config.split)(sequences)
    seed_everything(config.seed, verbose=False)
    parts = assemble(config, split, catalogue_of(sequences, split, before.data.attributes))
    callbacks = plan.prepare(before, parts, again(instantiate(config.init), before.data.run), console)
    epochs = options.epochs or plan.epochs(before, parts)
    lasting = f"{epochs} epoch{'s' if epochs > 1 else ''}"
    console.print(f"{config.name}: {lasting} {plan.describe(before, parts)} -> {run.path}", soft_wrap=True)
    sides = measure(before.task, before)
    stopwatch = Stopwatch()
    trainer = trainer_of(config, epochs, [*callbacks, stopwatch])
    if fit(trainer, parts, resume=run.start()):
        console.print("interrupted; the same command continues after the last whole epoch", soft_wrap=True)
        raise KeyboardInterrupt
    with written_whole(run.path / "best.ckpt") as partial:
        trainer.save_checkpoint(partial)
    after = measure(parts.task.eval(), before)  # pyright: ignore[reportArgumentType]
    seconds = stopwatch.seconds() | {"total": time.perf_counter() - started}
    facts = told(before.data.run, options) | {"before": sides._asdict(), "after": after._asdict()}
    record(run, before, parts, facts, epochs=trainer.current_epoch, seconds=seconds)
    console.print(sides_table(sides, after))
    console.print("The held-out questions have been trained on: after is no measure of how good the model is.")
    console.print(f"recsys recommend run={run.path} out=submission.csv", soft_wrap=True)


def trainer_of(config: DictConfig, epochs: int, callbacks: list[Any]) -> Trainer:
    """The run's Trainer, which ends after those epochs and validates nothing."""
    config.trainer.max_epochs = max(epochs, config.trainer.get("max_epochs") or 0)
    usual = made("callbacks", config.callbacks)
    return made("trainer", config.trainer, callbacks=[*usual.values(), *callbacks, StopAfter(epochs=epochs)])


def told(of: Run, options: RefitOptions) -> dict[str, Any]:
    """How the refit came to be: of which run, what that was told on its command line, and what this was told."""
    there = json.loads((of.path / "run.json").read_text())
    asked = {"how": options.how, "epochs": options.epochs}
    own = [*options.overrides, *(f"refit.{key}={value}" for key, value in asked.items() if value is not None)]
    overrides = [*(there.get("overrides") or []), *own]
    return {"of": str(of.path), **asked, "overrides": overrides, "choices": there.get("choices") or {}}


def record(
    run: RunDirectory,
    before: Rebuilt,
    parts: Parts,
    facts: dict[str, Any],
    *,
    epochs: int,
    seconds: dict[str, float],
) -> None:
    """run.json: a run without test metrics, for nothing is held out; facts: what stands under `refit`."""
    known_by = fingerprints(before.data.sequences, before.data.attributes)
    run.write(
        status="finished",
        fingerprints=known_by | {"split": parts.datamodule.split.fingerprint(), "protocol": parts.protocol.describe()},
        num_parameters=parts.task.num_parameters,
        seconds=seconds,
        peak_memory_gb=peak_memory_gb(),
        best_epoch=None,
        epochs=epochs,
        metrics={},
        baselines={},
        overrides=[],  # of recsys train; what the refit was told stands under `refit`
        choices={},
        refit=facts,
    )
