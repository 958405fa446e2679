"""`recsys import-checkpoint`: a model that S3-Rec's released code has saved, as a checkpoint to start from."""

from pathlib import Path

from rich.console import Console

from recsys.published_checkpoints import from_s3rec, read_state, write_checkpoint

KEYS = ("source", "out")


def main(argv: list[str]) -> None:
    """`source=FILE out=FILE`: reads the one, writes the other, says what was taken over and what it is good for."""
    paths = _paths(argv)
    there = read_state(paths["source"])
    here = from_s3rec(there)
    write_checkpoint(here, paths["out"])
    rows, dim = here["embedding.weight"].shape
    length = len(here["positions.weight"])
    console = Console()
    console.print(
        f"{rows - 2:,} items, {dim} wide, {length} positions -> {paths['out']}; "
        f"recsys train model=s3rec max_length={length} init=pretrained init.source={paths['out']}",
        soft_wrap=True,
    )
    left = [name for name in there if name.startswith(("attribute_embeddings", "aap_", "mip_", "map_", "sp_"))]
    if left:
        console.print(f"left behind, heads of pre-training: {', '.join(left)}", soft_wrap=True)


def _paths(argv: list[str]) -> dict[str, Path]:
    given = {key: value for key, _, value in (argument.partition("=") for argument in argv)}
    unknown = [key for key in given if key not in KEYS]
    if unknown:
        raise ValueError(f"{unknown[0]}: unknown key of import-checkpoint; write source=FILE out=FILE")
    for key in KEYS:
        if not given.get(key):
            raise ValueError(f"{key} is required: recsys import-checkpoint source=FILE out=FILE")
    return {key: Path(value).expanduser() for key, value in given.items()}
