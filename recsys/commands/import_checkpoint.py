"""`recsys import-checkpoint`: a model that S3-Rec's released code has saved, as a checkpoint to start from."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from recsys.options.arguments import parse
from recsys.published_checkpoints import from_s3rec, left_behind, read_state, sizes, write_checkpoint
from recsys.recommending.file import check_writable

USAGE = """usage: recsys import-checkpoint source=FILE out=FILE

  source=Beauty-epochs-150.pt   what S3-Rec's released code has saved: a state dict, model.state_dict()
  out=beauty.ckpt               the checkpoint to write

Ends with the command of recsys train that starts from it, with every size that the file tells."""


def main(argv: list[str]) -> None:
    """`source=FILE out=FILE`: reads the one, writes the other, says what was taken over and what it is good for."""
    given = parse(argv, verb="import-checkpoint", usage=USAGE, defaults={}, required=("source", "out")).given
    source, out = (Path(given[key]).expanduser() for key in ("source", "out"))
    check_writable(out)
    there = read_state(source)
    if out.resolve() == source.resolve():
        raise ValueError(f"out ({out}) is the source itself, which would be lost; give another file")
    here = from_s3rec(there)
    write_checkpoint(here, out)
    rows, dim = here["embedding.weight"].shape
    print(f"{rows - 2:,} items, {dim} wide, {len(here['positions.weight'])} positions -> {out}")
    heads, unknown = left_behind(there)
    if heads:
        print(f"left behind, heads of pre-training: {', '.join(heads)}")
    if unknown:
        print(f"left behind, unknown in S3-Rec's released code: {', '.join(unknown)}")
    print("\nStart from it with your data set, the one whose items these are, in place of DATA:\n")
    print(follow_up(sizes(there), out))
    print("\nNo tensor tells the number of heads: set model.num_heads where it was not the recipe's 2.")


def follow_up(overrides: Sequence[str], path: Path) -> str:
    """The command of `recsys train` that starts from the checkpoint at `path`, as a shell takes it."""
    plain = re.fullmatch(r"[\w./+-]+", str(path), re.ASCII)
    source = str(path) if plain else '"{}"'.format(str(path).replace('"', r"\""))  # quoted for Hydra's grammar
    words = ["data=DATA", "model=s3rec", *overrides, "init=pretrained", f"init.source={source}"]
    return f"recsys train {shlex.join(words)}"
