"""A run of `recsys train`, for the scripts here that ask what it reaches."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def trained(path: Path, overrides: list[str], *, name: str, seed: int, environment: Mapping[str, str]) -> dict:
    """The record of the run in that directory, which is trained where it is not finished.

    environment: variables that are set for it.
    """
    command = [sys.executable, "-m", "recsys", "train", *overrides, f"seed={seed}"]
    subprocess.run([*command, f"output_dir='{path}'", f"name='{name}'"], check=True, env={**os.environ, **environment})
    return json.loads((path / "run.json").read_text())
