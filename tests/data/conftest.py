"""Files that the data tests read."""

import importlib.util
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"  # beside the repository


@pytest.fixture
def shared() -> Path:
    """Folder of research files that may not be redistributed."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the research files in {SHARED}, which may not be redistributed")
    return SHARED


@pytest.fixture
def ml_100k() -> Path:
    """Folder of MovieLens-100K's atomic files inside recbole."""
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        pytest.skip("needs recbole, which ships MovieLens-100K")
    return Path(spec.origin).parent / "dataset_example" / "ml-100k"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, in place of the user's own."""
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
