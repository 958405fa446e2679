"""What a run starts from: loaded weights, frozen weights."""

from rich import box
from rich.table import Table
from rich.text import Text
from torch import nn

from recsys.initialisation import Loading

MOST = 12  # names shown of a kind


def loading_table(loading: Loading) -> Table:
    """One line per kind: how many tensors, and their names; of those that were loaded, the first."""
    table = Table(box=box.SIMPLE_HEAD)
    for column, justify in (("what", "left"), ("tensors", "right"), ("names", "left")):
        table.add_column(column, justify=justify, overflow="fold")  # pyright: ignore
    for what, names in zip(Loading._fields, loading, strict=True):
        shown = _listed(names) if names is loading.loaded else ", ".join(names)
        table.add_row(what, str(len(names)), Text(shown))
    return table


def trainable_line(model: nn.Module) -> Text:
    """How many numbers training changes, and which parameters it leaves alone."""
    parameters = list(model.named_parameters())
    total = sum(parameter.numel() for _, parameter in parameters)
    trainable = sum(parameter.numel() for _, parameter in parameters if parameter.requires_grad)
    frozen = [name for name, parameter in parameters if not parameter.requires_grad]
    return Text(f"trainable: {trainable:,} of {total:,} parameters; frozen: {_listed(frozen)}")


def _listed(names: list[str]) -> str:
    more = f", and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
