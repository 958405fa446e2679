"""The steps of a run around Lightning's fit: first weights, the fit itself, the best epoch's weights."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from rich.console import Console
from rich.text import Text
from torch import nn

from recsys.data.catalogue import Catalogue
from recsys.initialisation import Scratch, freeze, load_fitting
from recsys.report.weights import loading_table, trainable_line
from recsys.runs.assembly import Parts
from recsys.runs.sources import check_alike, check_fits, foreign_rows, origin, run_of


def initialise(
    init: Scratch,
    model: nn.Module,
    console: Console,
    *,
    catalogue: Catalogue,
    options: Mapping[str, Any],
    fingerprints: Mapping[str, str],
) -> dict[str, str]:
    """First weights and what of them is trained; prints both where they are not the usual.

    options: the model's, as composed. Returns where the weights came from, for the run's record; empty for nowhere.
    """
    source = init.source_for(fingerprints)
    if source is not None:
        run = run_of(source)
        if run is None:
            loading = load_fitting(model, source)
        else:
            check_alike(run, options, fingerprints=fingerprints)
            foreign = foreign_rows(run, catalogue, fingerprints=fingerprints)
            loading = load_fitting(model, source, foreign=foreign)
            check_fits(run, loading, fingerprints=fingerprints)
        console.print(Text(f"first weights: {len(loading.loaded)} tensors of {source}"), soft_wrap=True)
        if not loading.whole:
            console.print(loading_table(loading))
    freeze(model, init.freeze)
    if init.freeze:
        console.print(trainable_line(model))
    return {} if source is None else origin(source)


def fit(trainer: Trainer, parts: Parts, *, resume: Path | None) -> bool:
    """Trains, from the checkpoint `resume` on where there is one; returns whether the user interrupted."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(parts.task, datamodule=parts.datamodule, ckpt_path=resume, weights_only=True)
    except SystemExit:  # how Lightning ends after Ctrl-C, leaving the signal ignored
        signal.signal(signal.SIGINT, handler)
        return True
    return False


def load_best(parts: Parts, path: Path, console: Console) -> int:
    """Puts the best epoch's weights into the task and returns that epoch."""
    if not path.exists():
        console.print("interrupted before the first epoch ended: nothing is kept; the same command starts again")
        raise KeyboardInterrupt
    checkpoint = torch.load(path, map_location=parts.task.device, weights_only=True)
    parts.task.load_state_dict(checkpoint["state_dict"])
    return checkpoint["epoch"]
