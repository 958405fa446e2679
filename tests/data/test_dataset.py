"""The cache of prepared data, and the shipped recipes."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.data import dataset
from recsys.data.dataset import InteractionDataset
from recsys.data.sources import Table

RECIPES = Path(__file__).parents[2] / "conf" / "data"


class CountingTable(Table):
    """A table that counts how often it is read."""

    reads = 0

    def read(self, path: Path) -> pd.DataFrame:
        """The table."""
        type(self).reads += 1
        return super().read(path)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two users, three items, five rows; nothing read so far."""
    CountingTable.reads = 0
    path = tmp_path / "rows.csv"
    path.write_text("user,item,stars\n1,10,5\n1,20,4\n1,30,2\n2,10,5\n2,20,1\n")
    return path


def make(path: Path, **options: object) -> InteractionDataset:
    """A data set that counts its reads."""
    recipe: dict = {"name": "toy", "reader": CountingTable(rating="stars"), "path": path} | options
    return InteractionDataset(**recipe)


def test_the_second_time_nothing_is_read(table: Path, cache: Path) -> None:
    first, second = make(table).sequences(), make(table).sequences()
    assert CountingTable.reads == 1
    assert first.fingerprint == second.fingerprint
    assert (second.num_users, second.num_items, second.num_interactions) == (2, 3, 5)
    assert len(list((cache / "sequences").iterdir())) == 1


def test_filters_are_applied(table: Path) -> None:
    sequences = make(table, min_rating=2, min_user_items=2).sequences()
    assert sequences.users.ids.tolist() == [1]
    assert sequences.vocabulary.ids.tolist() == [10, 20, 30]


@pytest.mark.parametrize(
    "options",
    [
        {"min_rating": 2},
        {"min_user_items": 3},
        {"min_item_users": 2},
        {"reader": CountingTable(rating=None)},
        {"name": "other"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_changed_option_builds_anew(options: dict, table: Path) -> None:
    make(table).sequences()
    make(table, **options).sequences()
    assert CountingTable.reads == 2


@pytest.mark.parametrize("hashed_bytes", [0, 2**20], ids=["known by size and time", "known by content"])
def test_a_changed_source_builds_anew(hashed_bytes: int, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "_HASHED_BYTES", hashed_bytes)
    make(table).sequences()
    table.write_text(table.read_text().replace("2,20,1", "2,30,1"))
    os.utime(table, ns=(1, 1))
    changed = make(table).sequences()
    assert CountingTable.reads == 2
    assert changed.items.row(1).tolist() == [0, 2]
    make(table).sequences()
    assert CountingTable.reads == 2


@pytest.mark.parametrize("name", ["items.npy", "offsets.npy", "meta.json"])
@pytest.mark.parametrize("kept", [0, 40, None], ids=["emptied", "truncated", "missing"])
def test_a_damaged_cache_is_built_anew(name: str, kept: int | None, table: Path, cache: Path) -> None:
    expected = make(table).sequences().fingerprint
    [damaged] = (cache / "sequences").glob(f"*/{name}")
    content = damaged.read_bytes()
    damaged.unlink()
    if kept is not None:
        damaged.write_bytes(content[:kept])
    assert make(table).sequences().fingerprint == expected
    make(table).sequences()
    assert CountingTable.reads == 2


def test_what_a_killed_process_left_behind_is_ignored(table: Path, cache: Path) -> None:
    make(table).sequences()
    [folder] = (cache / "sequences").iterdir()
    folder.rename(cache / "sequences" / f".{folder.name}-abc")
    assert make(table).sequences().num_users == 2
    assert CountingTable.reads == 2


def test_a_cache_that_cannot_be_written_is_a_warning(table: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="not cached: .*; point RECSYS_CACHE to a writable folder"):
        assert make(table, cache_dir=tmp_path / "file").sequences().num_users == 2


def test_a_given_file_need_not_have_a_known_name(tmp_path: Path, shared: Path) -> None:
    path = tmp_path / "renamed.gz"
    path.write_bytes((shared / "s3rec" / "LastFM.txt.gz").read_bytes())
    recipe = OmegaConf.merge(OmegaConf.load(RECIPES / "lastfm.yaml"), {"path": str(path)})
    assert instantiate(recipe).sequences().num_interactions == 52_551


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_bind_and_name_themselves(recipe: Path) -> None:
    made = instantiate(OmegaConf.load(recipe))
    assert made.name == recipe.stem
    assert made.path is None


def test_movielens_100k(ml_100k: Path) -> None:
    sequences = instantiate(OmegaConf.load(RECIPES / "ml-100k.yaml")).sequences()
    assert (sequences.num_users, sequences.num_items, sequences.num_interactions) == (943, 1682, 100_000)
    raw = pd.read_csv(ml_100k / "ml-100k.inter", sep="\t").set_axis(["user", "item", "rating", "time"], axis=1)
    own = raw[raw["user"] == 196].sort_values("time", kind="stable")
    row = sequences.users.find([196])[0]
    assert sequences.vocabulary.ids[sequences.items.row(row)].tolist() == own["item"].tolist()


@pytest.mark.parametrize(
    ("name", "folder", "sizes"),
    [
        ("ml-1m", "ml-1m", (6040, 3416, 999_611)),
        ("amazon-beauty", "s3rec", (22_363, 12_101, 198_502)),
        ("amazon-sports", "s3rec", (35_598, 18_357, 296_337)),
        ("lastfm", "s3rec", (1_090, 3_646, 52_551)),
    ],
)
def test_published_files(name: str, folder: str, sizes: tuple[int, int, int], shared: Path) -> None:
    recipe = OmegaConf.merge(OmegaConf.load(RECIPES / f"{name}.yaml"), {"path": str(shared / folder)})
    sequences = instantiate(recipe).sequences()
    assert (sequences.num_users, sequences.num_items, sequences.num_interactions) == sizes
    assert sequences.vocabulary.ids.tolist() == list(range(1, sizes[1] + 1))


@pytest.mark.parametrize("name", ["amazon-beauty", "amazon-sports", "lastfm", "csv"])
def test_a_recipe_without_a_download_says_which_file_it_needs(name: str) -> None:
    made = instantiate(OmegaConf.load(RECIPES / f"{name}.yaml"))
    expected = {"amazon-beauty": "Beauty", "amazon-sports": "Sports_and_Outdoors", "lastfm": "LastFM"}.get(name)
    published = rf"was not found .*get {expected}\.txt or {expected}\.txt\.gz.*data\.path="
    own = r"has no place of its own: .*data\.path=FILE_OR_FOLDER \(\*\.csv or \*\.tsv or \*\.parquet"
    with pytest.raises(FileNotFoundError, match=f"data set {name} {published if expected else own}"):
        made.sequences()


def test_reading_data_needs_no_torch() -> None:
    code = "import sys, recsys.data.dataset; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
