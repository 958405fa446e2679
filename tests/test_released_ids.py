"""The movie baseline's raw ids, as experiments/ce_vs_bpr puts them in."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from recsys.data.dataset import InteractionDataset
from recsys.data.sources import Table

ROOT = Path(__file__).parents[1]


def test_items_keep_their_order_in_a_larger_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    released = import_module("experiments.ce_vs_bpr.defects").ReleasedIds
    (tmp_path / "x.csv").write_text(
        "user,item\n" + "".join(f"{user},{(user + k) % 9}\n" for user in range(5) for k in (3, 1))
    )
    data = InteractionDataset(name="x", path=tmp_path / "x.csv", reader=Table(), cache_dir=tmp_path / "cache")
    own, larger = data.sequences(), released(name="x", data=data, spread=4.0, pad_and_mask=True).sequences()
    assert larger.num_items == 4 * own.num_items + 2
    assert larger.items.lengths.tolist() == own.items.lengths.tolist()
    assert (
        np.argsort(larger.items.values, kind="stable").tolist() == np.argsort(own.items.values, kind="stable").tolist()
    )
    assert larger.items.values.min() > 0  # the padding's
    assert len({own.fingerprint, larger.fingerprint, released(name="x", data=data).sequences().fingerprint}) == 3
