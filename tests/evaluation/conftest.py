from pathlib import Path

import numpy as np
import pytest
from questions import U, V

from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def catalogue() -> Catalogue:
    """Users u00.. with 5 items each, the first 3 of training; raw item ids are 100 to 159."""
    rng = np.random.default_rng(0)
    whole = Ragged.from_rows([rng.choice(V, size=5, replace=False).tolist() for _ in range(U)])
    names = np.array([f"u{user:02}" for user in range(U)])
    return Catalogue(
        num_items=V,
        train=whole.trim(tail=2),
        whole=whole,
        users=Vocabulary(names),
        items=Vocabulary(np.arange(100, 100 + V)),
    )
