"""`recsys inspect`: what a model does with one toy row, stage by stage."""

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from recsys.commands.configuration import check_types, run_with_hydra
from recsys.commands.run_directory import register_resolvers
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.base import SequentialModel
from recsys.models.layers import attention_mask

console = Console()
ROW = [3, 1, 4, 0]  # the toy user's items, oldest first
PADDING = 2
NUM_ITEMS = 6


def main(argv: list[str]) -> None:
    """Shows the model that `argv` (the overrides of `recsys train`) describes."""
    register_resolvers()
    run_with_hydra(inspect, config_name="train", argv=argv)


def inspect(config: DictConfig) -> None:
    """Prints the toy row, its mask, every stage's output shape and that of the logits at its real positions."""
    check_types(config)
    model = instantiate(config.model)(Catalogue(num_items=NUM_ITEMS)).eval()
    if not isinstance(model, SequentialModel):
        raise ValueError(f"{type(model).__name__} encodes no sequence, so it has no stages to show; set model=sasrec")
    items = torch.tensor([ROW + [model.pad] * PADDING])  # [1, L]
    console.print(f"items [1, {items.shape[1]}]: {items[0].tolist()}   ({model.pad} = pad, catalogue of {NUM_ITEMS})")
    console.print(mask_table(items, pad=model.pad, causal=model.causal))
    console.print(stage_table(model, items))


def mask_table(items: Tensor, *, pad: int, causal: bool) -> Table:
    """Who may see whom: the padding mask, times the causal mask where the model has one."""
    made_of = "padding mask x causal mask" if causal else "padding mask"
    mask = attention_mask(items, pad=pad, causal=causal)  # [1, 1, 1 or L, L]
    table = Table(title=f"Who sees whom: {made_of}, one per row, {list(mask.shape)}")
    table.add_column("position", justify="right")
    for position, item in enumerate(items[0].tolist()):
        table.add_column(f"{position}: {'pad' if item == pad else item}", justify="center")
    for position, row in enumerate(mask[0, 0].expand(items.shape[1], -1).tolist()):
        table.add_row(str(position), *("1" if seen else "." for seen in row))
    return table


def stage_table(model: SequentialModel, items: Tensor) -> Table:
    """Every module in the order it ran, with the shape it returned and its number of parameters."""
    table = Table(title=f"Stages of {type(model).__name__}.encode, then the logits")
    for name, justify in (("stage", "left"), ("module", "left"), ("output", "left"), ("parameters", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # pyright: ignore

    def record(name: str, module: nn.Module, output: Tensor | tuple) -> None:
        own = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        table.add_row(name, type(module).__name__, shapes(output), f"{own:,}" if own else "")

    hooks = [
        module.register_forward_hook(lambda module, _, output, name=name: record(name, module, output))
        for name, module in model.named_modules()
        if name
    ]
    with torch.inference_mode():
        logits = model.score(model.queries(toy_batch(items, pad=model.pad)))  # [N, V], N real positions
    for hook in hooks:
        hook.remove()
    table.add_row("score", "hidden x item table", str(list(logits.shape)), "")
    return table


def toy_batch(items: Tensor, *, pad: int) -> TrainBatch:
    """The toy row as a batch, a minute between its items."""
    times = 60 * torch.arange(items.shape[1])[None]  # [1, L] seconds
    return TrainBatch.of(torch.zeros(1, dtype=torch.long), items, items, target_mask=items != pad, timestamps=times)


def shapes(output: Tensor | tuple) -> str:
    """Shape of what a module returned; of each part where it returned several, as a recurrent layer does."""
    parts = output if isinstance(output, tuple) else (output,)
    return ", ".join(str(list(part.shape)) for part in parts if isinstance(part, Tensor))
