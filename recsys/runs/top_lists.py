"""A run's best items of every user, kept beside it: topk_val.parquet and topk_test.parquet."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from recsys.consoles import plain_console
from recsys.data.interactions import Vocabulary
from recsys.evaluation import RankingProtocol, Scorer
from recsys.evaluation.fusion import TopLists
from recsys.report.top_lists import write_top
from recsys.runs.rebuilding import Rebuilt, rebuild

PARTS = ("val", "test")
console = plain_console()


def stored(run: Path, overrides: list[str], *, k: int) -> dict[str, pd.DataFrame]:
    """Part -> user, item (raw ids), rank (1 to k), score; computed from best.ckpt where it isn't there yet.

    Longer lists that are there are left as they are.

    overrides: of keys of `data`, for data that lies elsewhere now.
    """
    files = {part: run / f"topk_{part}.parquet" for part in PARTS}
    stale = {part: file for part, file in files.items() if not _is_fresh(file, run / "best.ckpt", k=k)}
    if stale:
        rebuilt = rebuild(run, overrides, with_attributes=False)
        for part, file in stale.items():
            write_top(file, to_frame(top_lists(rebuilt, part=part, k=k), rebuilt), k=k)
    return {part: pd.read_parquet(file, filters=[("rank", "<=", k)]) for part, file in files.items()}


@torch.inference_mode()
def top_lists(
    run: Rebuilt, *, part: str, k: int, protocol: RankingProtocol | None = None, scorer: Scorer | None = None
) -> TopLists:
    """What a scorer ranks first under a protocol; None: the run's own model, protocol."""
    protocol, scorer = protocol or run.parts.protocol, scorer or run.task
    protocol.prepare(run.catalogue)
    users, items, scores = [], [], []
    loader = run.parts.datamodule.get_dataloader(part)
    hidden = not console.is_terminal
    for batch in track(
        loader, f"top {k} of {part}", total=len(loader), console=console, transient=True, disable=hidden
    ):
        candidates = protocol.candidates(scorer.score_batch(batch), batch)
        chosen, best = candidates.top(k)
        users.append(batch.users.cpu().numpy())
        items.append(chosen.cpu().numpy())
        scores.append(best.double().cpu().numpy())
    order = np.argsort(np.concatenate(users))
    width = max(rows.shape[1] for rows in items)
    return TopLists(
        np.concatenate(users)[order], _stacked(items, -1, width)[order], _stacked(scores, 0.0, width)[order]
    )


def to_frame(lists: TopLists, run: Rebuilt) -> pd.DataFrame:
    """A row per user and rank, in raw ids."""
    row, column = np.nonzero(lists.items >= 0)
    return pd.DataFrame(
        {
            "user": run.users.ids[lists.users[row]],
            "item": run.catalogue.items.ids[lists.items[row, column]],
            "rank": column + 1,
            "score": lists.scores[row, column],
        }
    )


def from_frame(frame: pd.DataFrame, *, users: Vocabulary, items: Vocabulary) -> TopLists:
    """The same in indices; users ascending."""
    rows = pd.Index(users.ids).get_indexer(pd.Index(frame["user"]))
    asked, row = np.unique(rows, return_inverse=True)
    column = frame["rank"].to_numpy() - 1
    found = np.full((len(asked), int(column.max()) + 1), -1)
    scores = np.zeros(found.shape)
    found[row, column] = pd.Index(items.ids).get_indexer(pd.Index(frame["item"]))
    scores[row, column] = frame["score"]
    return TopLists(asked, found, scores)


def _is_fresh(file: Path, checkpoint: Path, *, k: int) -> bool:
    if not file.exists() or (checkpoint.exists() and file.stat().st_mtime_ns < checkpoint.stat().st_mtime_ns):
        return False
    return pd.read_parquet(file).attrs.get("k", 0) >= k


def _stacked(blocks: list[np.ndarray], fill: float, width: int) -> np.ndarray:
    """Rows of blocks that may be of different widths."""
    padded = [np.pad(block, ((0, 0), (0, width - block.shape[1])), constant_values=fill) for block in blocks]
    return np.concatenate(padded)
