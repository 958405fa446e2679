"""What of RecBole's models a checkpoint holds."""

from pathlib import Path

import pytest
import torch
from recbole_toys import CATALOGUE, LENGTH, NUM_ITEMS, ROWS, ask, make

from recsys.initialisation import load_fitting
from recsys.models.recbole import RecBoleModel
from recsys.models.recbole.inputs import Pairs

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")


def test_what_a_model_counts_travels_in_its_checkpoint() -> None:
    pop = make("Pop")
    users, rows = Pairs().samples(ROWS)
    pop.objective(Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, rows), None)
    fresh = make("Pop")
    fresh.load_state_dict(pop.state_dict())
    torch.testing.assert_close(fresh.score_batch(ask()), pop.score_batch(ask()))


@pytest.mark.parametrize("name", ["FwFM", "NNCF"])
def test_what_is_random_outside_the_weights_comes_back_under_another_seed(name: str) -> None:
    torch.manual_seed(1)
    trained = RecBoleModel(CATALOGUE, name=name, max_length=LENGTH)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(torch.randn_like(parameter))
    torch.manual_seed(2)
    other = RecBoleModel(CATALOGUE, name=name, max_length=LENGTH)
    own = other.eval().score_batch(ask())
    other.load_state_dict(trained.state_dict())
    expected = trained.eval().score_batch(ask())
    assert not torch.allclose(own, expected)
    torch.testing.assert_close(other.score_batch(ask()), expected)


def test_moving_a_model_does_not_make_its_data_part_of_the_checkpoint() -> None:
    assert make("MultiVAE").to("meta").get_extra_state()["changed"] == make("MultiVAE").get_extra_state()["changed"]


def test_weights_of_another_run_are_taken_over(tmp_path: Path) -> None:
    there = make("BPR")
    with torch.no_grad():
        there.wrapped.user_embedding.weight.fill_(0.5)
    torch.save(
        {"state_dict": {f"model.{name}": value for name, value in there.state_dict().items()}}, tmp_path / "a.ckpt"
    )
    here = make("BPR")
    assert set(load_fitting(here, tmp_path / "a.ckpt").loaded) == {name for name, _ in here.named_parameters()}
    assert (here.wrapped.user_embedding.weight == 0.5).all()


def test_embeddings_kept_for_ranking_do_not_outlive_their_weights() -> None:
    model = make("LightGCN").eval()
    saved = {
        name: value.clone() if isinstance(value, torch.Tensor) else value for name, value in model.state_dict().items()
    }
    first = model.score_batch(ask())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    model.load_state_dict(saved)
    torch.testing.assert_close(model.score_batch(ask()), first)
