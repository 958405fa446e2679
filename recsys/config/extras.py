"""Packages that only some of the verbs and options need."""

from importlib.util import find_spec


def require(package: str, *, extra: str, purpose: str) -> None:
    """ValueError that says how to install the package, where it is missing."""
    if find_spec(package) is None:
        raise ValueError(f"{purpose} needs {package}, which is not installed: {install(extra)}")


def install(extra: str) -> str:
    """The command that installs an extra, of the tested versions."""
    return f"pip install -c constraints.txt -e '.[{extra}]'"
