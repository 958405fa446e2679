"""Making RecBole's models: what of the process they may touch, what they are known by, what is refused."""

import importlib
import logging
import os
import random
import sys

import numpy as np
import pytest
import torch
import yaml
from recbole_toys import CATALOGUE, LENGTH, ask, make

from recsys.models.recbole import RecBoleModel, shims

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")

SINE = "recbole.model.sequential_recommender.sine"


def facts() -> list[object]:
    """Arguments, environment, root logger, PyYAML and the generators.

    Variables that begin with KMP are scikit-learn's, which RecBole imports.
    """
    root = logging.getLogger()
    return [
        list(sys.argv),
        {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "KMP"))},
        (root.level, list(root.handlers)),
        yaml.load("1e3", yaml.FullLoader),
        random.getstate(),
        str(np.random.get_state()),  # noqa: NPY002
        torch.get_rng_state().tolist(),
        logging.root.manager.disable,
    ]


@pytest.mark.parametrize("name", ["GRU4Rec", "Random", "NNCF"])
def test_making_a_model_leaves_the_process_as_it_was(name: str) -> None:
    before = facts()
    RecBoleModel(CATALOGUE, name=name, max_length=LENGTH)
    assert facts() == before


def test_what_is_trained_is_not_traced_because_recbole_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, SINE, raising=False)
    assert not torch.is_anomaly_enabled()
    with shims.contained():
        importlib.import_module(SINE)
        assert torch.is_anomaly_enabled()
    assert not torch.is_anomaly_enabled()


def test_what_is_traced_stays_so() -> None:
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        with shims.contained():
            torch.autograd.set_detect_anomaly(False)
        assert torch.is_anomaly_enabled()
        assert not torch.is_anomaly_check_nan_enabled()


@pytest.mark.parametrize("name", ["FISM", "FEARec"])
def test_making_a_model_prints_nothing(
    name: str, capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
) -> None:
    RecBoleModel(CATALOGUE, name=name, max_length=LENGTH, batch_size=2)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_the_seed_and_the_batch_size_reach_recbole() -> None:
    torch.manual_seed(7)
    model = RecBoleModel(CATALOGUE, name="FEARec", max_length=LENGTH, batch_size=3)
    assert model.interactions.data.config["seed"] == 7
    assert model.wrapped.batch_size == 3
    first = {name: parameter.clone() for name, parameter in model.named_parameters()}
    again = RecBoleModel(CATALOGUE, name="FEARec", max_length=LENGTH, batch_size=3)
    assert all(torch.equal(first[name], parameter) for name, parameter in again.named_parameters())


KNOW_USERS = ("BPR", "EASE", "MultiVAE", "LightGCN", "FM", "HGN", "Caser", "NPE", "TransRec", "FPMC", "HRM", "SHAN")
DO_NOT = ("SASRec", "GRU4Rec", "NARM", "BERT4Rec", "DIN", "Pop", "Random")


@pytest.mark.parametrize("name", [*KNOW_USERS, *DO_NOT])
def test_a_model_that_looks_users_up_says_so_and_is_not_changed_by_the_question(name: str) -> None:
    model = make(name)
    before = str(model.get_extra_state())
    assert model.has_user_vectors == (name in KNOW_USERS)
    assert str(model.get_extra_state()) == before
    assert model.training


def test_a_model_that_makes_nothing_of_users_ranks_for_strangers() -> None:
    model = make("DIN").eval()
    torch.testing.assert_close(
        model.score_batch(ask()._replace(users=torch.tensor([0, 99, 2, 4]))), model.score_batch(ask())
    )


def test_what_is_solved_for_is_known_by_what_it_leaves_to_train() -> None:
    assert [name for name in ("NCEPLRec", "EASE", "Pop", "LR", "BPR", "SASRec") if make(name).is_solved] == [
        "NCEPLRec",
        "EASE",
        "Pop",
    ]


def test_params_reach_recbole() -> None:
    assert make("SASRec", n_layers=3).wrapped.n_layers == 3
    assert make("GRU4Rec", hidden_size=8).wrapped.hidden_size == 8


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("LightGCM", {}, r"model.name \(LightGCM\) is no model of RecBole; did you mean LightGCN\?"),
        ("sasrec", {}, r"model.name \(sasrec\) is no model of RecBole; did you mean SASRec\?"),
        ("KGAT", {}, "RecBole's KGAT reads a knowledge graph"),
        ("LightGBM", {}, "RecBole's LightGBM is an ensemble of trees"),
        ("NCL", {}, "RecBole's NCL clusters its embeddings with faiss"),
        (
            "SASRec",
            {"n_layer": 2},
            r"model.params.n_layer: unknown key of SASRec; .* did you mean model.params.n_layers\?",
        ),
        ("SASRec", {"learning_rate": 0.1}, "model.params.learning_rate: that is optimizer.lr here"),
        ("SASRec", {"MAX_ITEM_LIST_LENGTH": 7}, "that is max_length here"),
    ],
)
def test_a_mistake_is_one_sentence(name: str, params: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(name, **params)


def test_without_recbole_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.models.recbole.library.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"RecBole is not installed; .* Python 3.11"):
        make("BPR")


def test_tensors_outside_parameters_move_with_the_model() -> None:
    model = make("MultiVAE").to("meta")
    assert model.wrapped.device.type == "meta"
    assert model.wrapped.history_item_id.device.type == "meta"
