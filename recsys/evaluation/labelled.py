"""Candidates and their labels from a file: lists of impressions, or judged items."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.data.fingerprints import file_fingerprint
from recsys.data.ragged import Ragged
from recsys.data.sources import Table
from recsys.evaluation.protocol import Candidates, RankingProtocol
from recsys.evaluation.sampled import gathered
from recsys.metrics.functional import Ties


class LabelledCandidates(RankingProtocol):
    """Each user's candidates, and which of them are relevant, are those of a table; the split's targets don't count.

    path: CSV, TSV or Parquet in raw ids, one candidate per row. user, item, label: names of its columns; a label above
    0 is relevant. Every user that is asked needs at least one relevant candidate.
    """

    has_own_targets = True

    def __init__(
        self,
        *,
        path: str,
        user: str = "user",
        item: str = "item",
        label: str = "label",
        ties: Ties = Ties.AVERAGE,
    ) -> None:
        super().__init__(ties=ties)
        self.path = Path(path).expanduser()
        self.reader = Table(user=user, item=item, rating=label)
        self.relevant: Ragged | None = None

    def describe(self) -> str:
        digest = file_fingerprint(self.path)[:8]
        return f"labelled candidates of {self.path.name} ({digest}), ties {self.ties.name.lower()}"

    def prepare(self, catalogue: Catalogue) -> None:
        """Reads the file. ValueError naming the first user or item that the data has not."""
        if not self.path.is_file():
            raise FileNotFoundError(f"eval.protocol.path ({self.path}) is no file; give the table of candidates")
        frame = self.reader.read(self.path).drop_duplicates(["user", "item", "rating"])
        twice = frame.duplicated(["user", "item"])
        if twice.any():
            user, item = frame.loc[twice, ["user", "item"]].iloc[0]
            raise ValueError(f"{self.path} gives user {user} and item {item} two labels; keep one")
        users = catalogue.find_users(frame["user"], place=self.path)
        items = catalogue.find_items(frame["item"], place=self.path)
        is_relevant, order = frame["rating"].to_numpy() > 0, np.argsort(users, kind="stable")
        rows = Ragged.from_lengths(items[order], np.bincount(users, minlength=catalogue.num_users))
        marks = is_relevant[order]
        self.relevant, self.others = (_marked(rows, mark) for mark in (marks, ~marks))
        self.catalogue = catalogue

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        if self.relevant is None:
            raise RuntimeError("LabelledCandidates.prepare must be called before the first batch")
        users = batch.users.cpu().numpy()
        relevant, others = self.relevant.take(users), self.others.take(users)
        if relevant.lengths.min(initial=1) == 0:
            user = int(users[int(np.argmin(relevant.lengths))])
            raise ValueError(f"user {self.catalogue.user_name(user)} has no relevant candidate in {self.path}; add one")
        parts = [torch.from_numpy(part.padded(max(int(part.lengths.max()), 1), -1)) for part in (relevant, others)]
        items = torch.cat(parts, dim=1).to(scores.device)
        return gathered(scores, items, num_targets=parts[0].shape[1])


def _marked(rows: Ragged, marks: np.ndarray) -> Ragged:
    lengths = np.bincount(rows.row_ids()[marks], minlength=rows.num_rows)
    return Ragged.from_lengths(rows.flat()[marks], lengths)
