"""A size below 1 is named before any time is spent on it."""

import pytest
from grid import composed
from hydra.utils import instantiate

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged

CATALOGUE = Catalogue(num_items=5, train=Ragged.from_rows([[0, 1, 2], [3, 4]]))


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("sasrec", "dim"),
        ("sasrec", "num_blocks"),
        ("sasrec", "feedforward_dim"),
        ("esasrec", "feedforward_dim"),
        ("bert4rec", "num_heads"),
        ("gru4rec", "hidden_dim"),
        ("gru4rec", "num_layers"),
        ("caser", "window"),
        ("caser", "num_horizontal"),
        ("caser", "num_vertical"),
        ("fmlprec", "num_blocks"),
        ("lrurec", "state_dim"),
        ("lrurec", "num_blocks"),
        ("hstu", "num_blocks"),
        ("hstu", "num_heads"),
        ("mf", "dim"),
        ("fpmc", "dim"),
        ("multidae", "dim"),
    ],
)
def test_a_size_below_one_is_named(model: str, size: str) -> None:
    for value in (0, -1):
        make = instantiate(composed(f"model={model}", f"model.{size}={value}", "max_length=8").model)
        with pytest.raises(ValueError, match=rf"{size} \({value}\) must be at least 1; set model\.{size}=1 or more"):
            make(CATALOGUE)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model=multidae model.hidden=[9,0]", r"hidden\[1\] \(0\) must be at least 1"),
        ("model=multivae model.beta=-1", r"beta \(-1\) must not be negative; set model\.beta=0 or more"),
        ("model=hstu model.num_time_buckets=-3", r"num_time_buckets \(-3\) must not be negative"),
        ("model=bert4rec max_length=1", r"max_length \(1\) must be at least 2"),
    ],
)
def test_so_are_other_numbers_out_of_range(override: str, message: str) -> None:
    make = instantiate(composed(*override.split()).model)
    with pytest.raises(ValueError, match=message):
        make(CATALOGUE)
