"""RecBole's models: what they are fed, what they may know, what they give back, what is refused."""

import logging
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from scipy.sparse import coo_array

from recsys.candidates import Candidates
from recsys.data.attributes import ItemAttributes
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import Evaluation, NextItem
from recsys.data.collators.restricted import Restricted
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.initialisation import load_fitting
from recsys.models.ease import EASE
from recsys.models.popularity import Popularity
from recsys.models.recbole import RecBoleModel
from recsys.models.recbole.all_positions import check_all_positions
from recsys.models.recbole.ids import padded_to_recbole, scores_from_recbole
from recsys.models.recbole.inputs import Histories, Pairs, Users

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")

NUM_ITEMS, LENGTH = 12, 4
ROWS = Ragged.from_rows([[3, 1, 4, 7, 5], [2, 8], [9], [0, 1, 2, 3, 4, 6]])
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=ROWS)


def make(name: str, catalogue: Catalogue = CATALOGUE, **params: object) -> RecBoleModel:
    torch.manual_seed(0)
    return RecBoleModel(catalogue, name=name, max_length=LENGTH, params=params)


def ask(rows: Ragged = ROWS) -> EvalBatch:
    """What follows each row?"""
    questions = EvalSet(np.arange(rows.num_rows), rows, rows.last(1))
    return Evaluation(questions, num_items=NUM_ITEMS, max_length=LENGTH)(np.arange(rows.num_rows))


@pytest.fixture
def untouched() -> Iterator[None]:
    """Arguments, environment, root logger, PyYAML and the generators are afterwards what they were.

    Variables that begin with KMP are scikit-learn's, which RecBole imports.
    """

    def facts() -> list[object]:
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

    before = facts()
    yield
    assert facts() == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("name", ["GRU4Rec", "Random", "NNCF"])
def test_making_a_model_leaves_the_process_as_it_was(name: str) -> None:
    RecBoleModel(CATALOGUE, name=name, max_length=LENGTH)


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


def test_ids_map_there_and_back() -> None:
    rows = torch.tensor([[0, 11, 12], [5, 12, 12]])  # 12 = pad
    assert padded_to_recbole(rows, num_items=NUM_ITEMS).tolist() == [[1, 12, 0], [6, 0, 0]]
    scores = torch.arange(14.0)[None]  # padding, the 12 items, a mask
    assert scores_from_recbole(scores, num_items=NUM_ITEMS).tolist() == [list(range(1, 13))]


def test_histories_are_every_prefix_and_what_follows() -> None:
    users, rows = Histories().samples(ROWS)
    found = sorted((user, tuple(rows.row(number).tolist())) for number, user in enumerate(users.tolist()))
    every = [(user, ROWS.row(user)[:end].tolist()) for user in range(4) for end in range(2, ROWS.lengths[user] + 1)]
    assert found == sorted((user, tuple(row)) for user, row in every)
    assert rows.values is ROWS.values  # views


def test_pairs_are_the_interactions_and_users_are_whole() -> None:
    users, rows = Pairs().samples(ROWS)
    assert (users == ROWS.row_ids()).all()
    assert (rows.flat() == ROWS.flat()).all()
    assert Users().samples(ROWS).rows.lengths.tolist() == [5, 2, 1, 6]


def test_recbole_sees_our_training_interactions_and_no_others() -> None:
    model = make("BPR")
    data = model.interactions.data
    expected = coo_array((np.ones(14), (ROWS.row_ids() + 1, ROWS.flat() + 1)), shape=(5, 13)).toarray()
    np.testing.assert_array_equal(data.inter_matrix(form="csr").toarray(), expected)
    assert (data.user_num, data.item_num) == (5, 13)


def test_recboles_augmentation_is_the_one_that_recbole_makes() -> None:
    data = make("GRU4Rec").interactions.data
    feat = data.inter_feat
    rows = zip(feat["user_id"].tolist(), feat["item_id_list"].tolist(), feat["item_id"].tolist(), strict=True)
    expected = []
    for user in range(4):
        row = (ROWS.row(user) + 1).tolist()
        for end in range(1, len(row)):
            history = row[max(0, end - LENGTH) : end]
            expected.append((user + 1, history + [0] * (LENGTH - len(history)), row[end]))
    assert [(user, history, item) for user, history, item in rows] == expected


def test_ease_is_ours() -> None:
    batch = ask()
    ours, theirs = EASE(CATALOGUE, l2=2.0), make("EASE", reg_weight=2.0)
    ours.fit()
    questions = ask()._replace(seen_rows=torch.from_numpy(ROWS.row_ids()), seen_items=torch.from_numpy(ROWS.flat()))
    torch.testing.assert_close(theirs.score_batch(batch), ours.score_batch(questions), atol=1e-5, rtol=1e-4)


def test_popularity_is_ours_but_that_an_item_counts_once_in_a_batch() -> None:
    pop, counted, users = Popularity(CATALOGUE), make("Pop"), Pairs().samples(ROWS)
    pop.fit()
    collate = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)
    for number in range(len(users.users)):
        one = np.array([number])
        counted.objective(collate(users.users[one], users.rows.take(one)), None)
    expected = pop.score_batch(ask())
    torch.testing.assert_close(counted.score_batch(ask()), expected / expected.max())
    counted.objective(collate(*users), None)
    assert counted.wrapped.item_cnt.sum() == len(ROWS.flat()) + len(np.unique(ROWS.flat()))


def test_what_a_sequential_model_ranks_depends_on_the_batch_and_for_a_general_one_on_the_user() -> None:
    longer = Ragged.from_rows([[*ROWS.row(user).tolist(), 11] for user in range(4)])
    sequential, general = make("SASRec").eval(), make("BPR").eval()
    assert not torch.allclose(sequential.score_batch(ask()), sequential.score_batch(ask(longer)))
    torch.testing.assert_close(general.score_batch(ask()), general.score_batch(ask(longer)))


def test_a_loss_of_pairs_is_bpr_over_the_samplers_negatives() -> None:
    model = make("BPR")
    users, rows = Pairs().samples(ROWS)
    batch = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, rows)
    negatives = torch.arange(2 * len(users)).view(-1, 2) % NUM_ITEMS
    candidates = Candidates(
        torch.cat([batch.positives[:, None], negatives], 1), torch.zeros_like(batch.positives), NUM_ITEMS
    )
    assert model.needs_candidates
    scores = model.eval().score_batch(ask())[batch.users]
    margins = scores.gather(1, batch.positives[:, None]) - scores.gather(1, negatives)
    expected = -torch.log(1e-10 + torch.sigmoid(margins)).mean()  # RecBole's gamma
    torch.testing.assert_close(model.objective(batch, candidates), expected)


@pytest.mark.parametrize("name", ["GRU4Rec", "SASRec"])
def test_all_positions_at_once_lose_what_the_prefixes_lose(name: str) -> None:
    rows = Ragged.from_rows([[3, 1, 4, 7, 5], [2, 8, 6]])
    catalogue = Catalogue(num_items=NUM_ITEMS, train=rows)
    model = make(name, catalogue).eval()
    users, prefixes = Histories().samples(rows)
    one_by_one = Histories().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, prefixes)
    together = NextItem(num_items=NUM_ITEMS, max_length=LENGTH)(np.arange(2), rows)
    loss = model.objective_of_all_positions(together, None)
    torch.testing.assert_close(loss, model.objective(one_by_one, None), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["NARM", "STAMP", "BERT4Rec", "HGN", "SASRecCPR", "GRU4RecCPR", "BPR", "FM"])
def test_a_model_that_cannot_be_trained_at_all_positions_says_so(name: str) -> None:
    with pytest.raises(ValueError, match=f"RecBole's {name} cannot be trained at all positions at once"):
        check_all_positions(make(name).wrapped)


def test_all_positions_with_more_negatives_lose_the_mean_over_each_of_them() -> None:
    model = make("SASRec", loss_type="BPR").eval()
    batch = NextItem(num_items=NUM_ITEMS, max_length=LENGTH)(np.array([0, 1, 3]), ROWS)
    items = torch.cat([batch.positives[:, None], torch.arange(3 * len(batch.positives)).view(-1, 3) % NUM_ITEMS], 1)
    target = torch.zeros_like(batch.positives)
    one_by_one = [
        model.objective_of_all_positions(batch, Candidates(items[:, [0, column]], target, NUM_ITEMS))
        for column in (1, 2, 3)
    ]
    together = model.objective_of_all_positions(batch, Candidates(items, target, NUM_ITEMS))
    torch.testing.assert_close(together, torch.stack(one_by_one).mean())


@pytest.mark.parametrize("name", ["SASRec", "BPR"])
def test_rows_without_a_target_bear_no_loss(name: str) -> None:
    model = make(name).eval()
    users, rows = model.inputs.samples(ROWS)
    collate = model.inputs.collator(num_items=NUM_ITEMS, max_length=LENGTH)
    pairs = np.array([3 * NUM_ITEMS + 2, 3 * NUM_ITEMS + 4])  # user 3's items 2 and 4
    some = Restricted(collate, pairs=pairs, num_items=NUM_ITEMS)(users, rows)
    chosen = np.flatnonzero(np.isin(users * NUM_ITEMS + np.array([rows.row(i)[-1] for i in range(len(users))]), pairs))
    alone = collate(users[chosen], rows.take(chosen))

    def loss(batch: TrainBatch) -> torch.Tensor:
        items = torch.stack([batch.positives, torch.full_like(batch.positives, 11)], 1)
        candidates = Candidates(items, torch.zeros_like(batch.positives), NUM_ITEMS)
        return model.objective(batch, candidates if model.needs_candidates else None)

    torch.testing.assert_close(loss(some), loss(alone))


def test_of_a_long_history_the_last_items_are_read() -> None:
    model = make("SASRec").eval()
    long = Evaluation(EvalSet(np.arange(4), ROWS, ROWS.last(1)), num_items=NUM_ITEMS, max_length=9)(np.arange(4))
    assert long.items.shape[1] > LENGTH
    torch.testing.assert_close(model.score_batch(long), model.score_batch(ask()))


def test_dgcf_samples_no_more_than_there_is() -> None:
    model = make("DGCF", embedding_size=8)
    users, rows = Pairs().samples(ROWS)
    batch = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, rows)
    items = torch.stack([batch.positives, (batch.positives + 1) % NUM_ITEMS], 1)
    assert model.objective(batch, Candidates(items, torch.zeros_like(batch.positives), NUM_ITEMS)).isfinite()


def test_attributes_reach_the_models_that_read_them() -> None:
    kind = ItemAttributes(
        name="genre",
        rows=Ragged.from_rows([[0], [0, 1], []] * 4),
        vocabulary=Vocabulary(np.array(["comedy", "drama"])),
    )
    model = make("SASRecF", Catalogue(num_items=NUM_ITEMS, train=ROWS, attributes=[kind]))
    features = model.interactions.data.item_feat["genre"]
    assert features[:4].tolist() == [[0, 0], [1, 0], [1, 2], [0, 0]]
    with pytest.raises(
        ValueError, match="RecBole's SASRecF reads attributes of the items; set task=recbole_attributes"
    ):
        make("SASRecF")


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


def test_tensors_outside_parameters_move_with_the_model() -> None:
    model = make("MultiVAE").to("meta")
    assert model.wrapped.device.type == "meta"
    assert model.wrapped.history_item_id.device.type == "meta"


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


def test_params_reach_recbole() -> None:
    assert make("SASRec", n_layers=3).wrapped.n_layers == 3
    assert make("GRU4Rec", hidden_size=8).wrapped.hidden_size == 8


def test_without_recbole_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.models.recbole.library.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"RecBole is not installed; .* Python 3.11"):
        make("BPR")
