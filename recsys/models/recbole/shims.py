"""What RecBole 1.2.1 needs on today's packages, and what it must not touch; each with its reason."""

import io
import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import torch
import yaml
from scipy.sparse import dok_matrix

# RecBole's Config reads these names, and its models read the aliases that Config makes of them; NumPy 2 has neither.
_NUMPY_NAMES = {"float_": np.float64, "complex_": np.complex128, "unicode_": np.str_}


def install() -> None:
    """Gives NumPy and SciPy the names that RecBole calls; nothing else of theirs changes."""
    for name, value in _NUMPY_NAMES.items():
        if name not in vars(np):
            setattr(np, name, value)
    warnings.filterwarnings("ignore", module=r"recbole\.")  # of calls that torch and SciPy will drop one day
    if not hasattr(dok_matrix, "_update"):  # SciPy 1.13 dropped it; LightGCN, NGCF, NCL, GCMC and SpectralCF call it
        dok_matrix._update = _update  # pyright: ignore[reportAttributeAccessIssue]


def _update(matrix: Any, entries: dict[tuple[int, int], Any]) -> None:
    """Sets the entries unchecked, as `dok_matrix._update` did; one by one they take minutes on millions."""
    matrix._dict.update(entries)


@contextmanager
def contained(*, seed: int | None = None) -> Iterator[None]:
    """Within, RecBole may do as it likes; after, the process is as it was.

    Config reads options from `sys.argv` (and warns of ours), hides or shows GPUs by CUDA_VISIBLE_DEVICES, and teaches
    PyYAML's loader another notation of floats. Models print and log as they are made; what the package imports and
    some of its models draw from all three generators, or seed them. The import of one of them, SINE, has torch keep the
    place in the code of every operation of whatever is trained in the process: small batches take two to three times
    as long.

    seed: of Python's, NumPy's and torch's generators within; None leaves them where they are.
    """
    with _generators_kept(), _process_kept(), redirect_stdout(io.StringIO()):
        if seed is not None:
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
        yield


@contextmanager
def _generators_kept() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    try:
        with torch.random.fork_rng(devices=gpus):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


@contextmanager
def _process_kept() -> Iterator[None]:
    arguments, gpus = sys.argv, os.environ.get("CUDA_VISIBLE_DEVICES")
    resolvers = yaml.FullLoader.yaml_implicit_resolvers
    silenced = logging.root.manager.disable
    traced = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
    logging.disable(max(silenced, logging.WARNING))
    sys.argv = sys.argv[:1] or [""]
    yaml.FullLoader.yaml_implicit_resolvers = {key: list(value) for key, value in resolvers.items()}
    try:
        yield
    finally:
        logging.disable(silenced)
        torch.autograd.set_detect_anomaly(*traced)
        sys.argv, yaml.FullLoader.yaml_implicit_resolvers = arguments, resolvers
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        if gpus is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpus
