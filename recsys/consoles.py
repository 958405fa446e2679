"""Where text is printed."""

from rich.console import Console


def plain_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is.

    Paths, names and what a user typed may hold what rich takes for markup: brackets, and words between colons.
    """
    return Console(stderr=stderr, markup=False, emoji=False)
