"""What a study's runs have left, in one file that goes with the code: records, curves, values per user.

Weights are those of pre-trainings alone, from which other runs start. A study that took days is continued, and its
tables are made again, where its runs are not.
"""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from recsys.report.runs import load_run
from recsys.whole_files import written_whole

KEPT = ("config.yaml", "run.json", "metrics.csv", "per_user.parquet", "diagnosis.json")
WEIGHTS = "best.ckpt"
BINARY = (".parquet", ".ckpt")
ROOT = "@root@"  # stands for the folder of the runs, wherever that is


def pack(root: Path, file: Path, *, data: Iterable[Path] = ()) -> None:
    """Writes the finished runs below `root`, and the choices among them, to `file` (.tar.xz).

    The same runs make the same file. data: files of data, known by their names alone afterwards.
    """
    folders = [f"{path.parent}/" for path in data]
    with written_whole(file) as partial, tarfile.open(partial, "w:xz") as archive:
        for path in _kept(root):
            content = path.read_bytes()
            if path.suffix not in BINARY:
                content = content.replace(str(root).encode(), ROOT.encode())
                for folder in folders:
                    content = content.replace(folder.encode(), b"")
            member = tarfile.TarInfo(path.relative_to(root).as_posix())
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def unpack(file: Path, root: Path) -> None:
    """Puts back below `root` the runs that have not begun there; nothing where there is no such file."""
    if not file.exists():
        return
    here = {path.parent for path in root.rglob("config.yaml")}
    with tarfile.open(file) as archive:
        for member in archive:
            path = root / member.name
            content = archive.extractfile(member)
            if content is None or path.parent in here or path.exists():
                continue
            text = content.read()
            if path.suffix not in BINARY:
                text = text.replace(ROOT.encode(), str(root).encode())
            with written_whole(path) as partial:
                partial.write_bytes(text)


def _kept(root: Path) -> Iterator[Path]:
    """In the order of their names."""
    for path in sorted(root.rglob("*")):
        if path.name == "chosen.json" or _is_kept(path):
            yield path


def _is_kept(path: Path) -> bool:
    """Whether it is a file of a finished run that goes into the archive."""
    if not (path.parent / "run.json").exists():
        return False
    return path.name in KEPT or (path.name == WEIGHTS and load_run(path.parent).ranks_nothing)
