"""`recsys inspect`: what a model does with one toy row, stage by stage."""

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.table import Table
from torch import Tensor, nn

from recsys.config.composing import check_types, run_with_hydra
from recsys.consoles import plain_console
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.base import SequentialModel
from recsys.models.layers import ItemEmbedding
from recsys.runs.directory import register_resolvers

console = plain_console()
ROW = [3, 1, 4, 0]  # the toy user's items, oldest first; the latest alone where a model reads fewer
PADDING = 2
NUM_ITEMS = 6
ROUNDING = 1e-5  # of the largest gradient; what a Fourier transform leaves of nothing is smaller


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
    width = min(len(ROW) + PADDING, config.max_length)
    row = ROW[-max(width - PADDING, 1) :]
    items = torch.tensor([row + [model.pad] * (width - len(row))])  # [1, L]
    console.print(f"items [1, {items.shape[1]}]: {items[0].tolist()}   ({model.pad} = pad, catalogue of {NUM_ITEMS})")
    console.print(mask_table(model, items))
    console.print(stage_table(model, items))


def mask_table(model: SequentialModel, items: Tensor) -> Table:
    """Which items each state depends on; of causal attention, the padding mask times the causal one."""
    table = Table(
        title=f"Who sees whom in ranking{': padding mask x causal mask' if model.causal else ''}",
        caption="1: the state there has a gradient in that item",
    )
    table.add_column("position", justify="right")
    real = items[0, : int(model.lengths(items))].tolist()
    for position, item in enumerate(real):
        table.add_column(f"{position}: {item}", justify="center")
    table.add_column("pad", justify="center")
    for position, row in enumerate(dependence(model, items, of=[*real, model.pad]).tolist()):
        table.add_row(str(position), *("1" if dependent else "." for dependent in row))
    return table


def dependence(model: SequentialModel, items: Tensor, *, of: list[int]) -> Tensor:
    """Whether the state at each real position of items depends on each of those ids, wherever it stands, [L, C]."""
    read: list[tuple[Tensor, Tensor]] = []
    embeddings = [module for module in model.modules() if isinstance(module, ItemEmbedding)]

    def remember(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        read.append((given[0], output))

    hooks = [each.register_forward_hook(remember) for each in embeddings]
    states = model.encode(items)[0, : int(model.lengths(items))]  # [L, D], L real positions
    for hook in hooks:
        hook.remove()
    ids, embedded = read[0]
    direction = torch.randn(states.shape[1], generator=torch.Generator().manual_seed(0))
    slopes = torch.stack(
        [
            torch.autograd.grad(state @ direction, embedded, retain_graph=True)[0].norm(dim=-1).flatten()
            for state in states
        ]
    )  # [L, places]
    by_id = torch.stack([(slopes * (ids.flatten() == each)).amax(1) for each in of], dim=1)  # [L, C]
    return by_id > ROUNDING * slopes.amax()


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
