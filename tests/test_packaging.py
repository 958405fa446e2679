"""The wheel carries the recipes and works outside the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([sys.executable, *build, folder, ROOT], check=True, cwd=folder)
    (wheel,) = folder.glob("recsys-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_recipe_and_what_is_compiled(installed: Path) -> None:
    recipes = {path.relative_to(ROOT) for path in (ROOT / "conf").rglob("*.yaml")}
    assert recipes == {path.relative_to(installed / "recsys") for path in (installed / "recsys/conf").rglob("*.yaml")}
    assert (installed / "recsys/py.typed").exists()
    kernels = {path.name for path in (ROOT / "recsys/kernels").glob("*.[ch]")}
    assert kernels == {path.name for path in (installed / "recsys/kernels").glob("*.[ch]")}


def test_the_wheel_holds_the_parts_of_the_report(installed: Path) -> None:
    templates = {path.name for path in (ROOT / "recsys/report/templates").iterdir()}
    assert templates == {path.name for path in (installed / "recsys/report/templates").iterdir()}
    assert {"report.html", "report.css", "report.js"} <= templates


def test_the_wheel_works_outside_the_repository(installed: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "recsys", "train", "--cfg", "job", "model=gru4rec"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "recsys.models.gru4rec.GRU4Rec" in done.stdout


def test_the_package_imports_neither_torch_nor_recbole() -> None:
    code = "import sys, recsys; sys.exit(bool({'recbole', 'torch'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
