"""Conventions that a reviewer would otherwise have to look for."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from grid import options

PACKAGE = Path(__file__).parents[1] / "recsys"
NAMES = {name for group in ("model", "loss", "sampler", "task") for name in options(group)}
# What a folder or module of recsys/ may import: itself and what stands before it.
ORDER = (
    "startup",
    "consoles",
    "whole_files",
    "products",
    "cache",
    "draws",
    "kernels",
    "parallel",
    "data",
    "candidates",
    "losses",
    "scoring",
    "models",
    "metrics",
    "evaluation",
    "tasks",
    "tensor_files",
    "initialisation",
    "published_checkpoints",
    "report",
    "pretraining_runs",
    "callbacks",
    "config",
    "options",
    "runs",
    "refits",
    "diagnoses",
    "recommending",
    "ensembles",
    "searches",
    "commands",
)


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def comparisons(path: Path) -> Iterator[tuple[int, str]]:
    """Strings that are compared, or matched, with something: (line, string)."""
    for node in ast.walk(ast.parse(path.read_text())):
        compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        if isinstance(node, ast.MatchValue):
            compared = [node.value]
        for part in (inner for expression in compared for inner in ast.walk(expression)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.lineno, part.value


def test_no_code_is_chosen_by_comparing_a_model_loss_sampler_or_task_name() -> None:
    found = [
        f"{path}:{line}: {text!r}" for path in sources() for line, text in comparisons(path) if text.lower() in NAMES
    ]
    assert not found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_to_what_stands_before(path: Path) -> None:
    place = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if place not in ORDER:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module and module.startswith("recsys."):
            imported = module.split(".")[1]
            assert ORDER.index(imported) <= ORDER.index(place), f"{path}:{node.lineno} imports {module}"


def test_constructors_take_one_positional_argument_at_most_and_none_that_has_no_name() -> None:
    public = [
        (node.name, function.args)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for function in node.body
        if isinstance(function, ast.FunctionDef) and function.name == "__init__"
    ]
    assert [
        name
        for name, given in public
        if len(given.posonlyargs + given.args) > 2 or given.vararg or given.kwarg  # self is the first
    ] == []
    assert len(public) > 50


def test_no_module_is_called_utils() -> None:
    assert not [path for path in sources() if path.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_every_console_prints_text_as_it_is() -> None:
    """Paths and names may hold brackets, which rich takes for markup where it is not told otherwise."""
    lines = [(path, line) for path in sources() for line in path.read_text().splitlines()]
    made = [(path, line) for path, line in lines if re.search(r"\bConsole\(", line)]
    assert made
    assert not [f"{path}: {line}" for path, line in made if "markup=False" not in line]
