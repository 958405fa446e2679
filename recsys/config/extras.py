"""Packages that only some of the verbs and options need."""

from importlib.util import find_spec


def require(package: str, *, extra: str, purpose: str) -> None:
    """ValueError that says how to install the package, where it is missing."""
    if find_spec(package) is None:
        raise ValueError(f"{purpose} needs {package}, which is not installed: pip install 'recsys[{extra}]'")
