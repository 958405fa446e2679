"""Classical models against independent truth: other libraries, brute force, closed forms."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.sparse import csr_matrix
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.metrics.pairwise import cosine_similarity
from torch.distributions import Normal, kl_divergence

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import Bag, Evaluation, NextItem
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.models.closed_form import ClosedFormModel
from recsys.models.ease import EASE
from recsys.models.fpmc import FPMC
from recsys.models.itemknn import ItemKNN
from recsys.models.mf import MatrixFactorisation
from recsys.models.multivae import MultiDAE, MultiVAE, divergence
from recsys.models.popularity import Popularity
from recsys.models.slim import SLIM

NUM_USERS, NUM_ITEMS = 40, 12  # item 11 is nobody's


def draw_rows() -> Ragged:
    """Users' items, popular ones more often; some users have an item twice."""
    rng = np.random.default_rng(3)
    taste = 0.8 ** np.arange(NUM_ITEMS - 1)
    sizes = rng.integers(2, 8, NUM_USERS)
    return Ragged.from_rows([rng.choice(NUM_ITEMS - 1, n, p=taste / taste.sum()).tolist() for n in sizes])


ROWS = draw_rows()
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=ROWS)
MATRIX = np.zeros((NUM_USERS, NUM_ITEMS))  # users' items, 0 or 1
MATRIX[ROWS.row_ids(), ROWS.flat()] = 1
GRAM = MATRIX.T @ MATRIX
CLOSED = [
    Popularity(CATALOGUE),
    ItemKNN(CATALOGUE, num_neighbours=3),
    EASE(CATALOGUE, l2=2.0),
    SLIM(CATALOGUE, l1=0.5, l2=1.0),
]


def ask(rows: Ragged = ROWS, *, max_length: int = 50) -> EvalBatch:
    """One batch that asks for every row's successor."""
    questions = EvalSet(np.arange(rows.num_rows), rows, rows.last(1))
    return Evaluation(questions, num_items=NUM_ITEMS, max_length=max_length)(np.arange(rows.num_rows))


def fitted(model: ClosedFormModel) -> np.ndarray:
    """Its scores of all items for all users, [U, V]."""
    model.fit()
    return model.score_batch(ask()).numpy()


def test_popularity_counts_every_interaction() -> None:
    scores = fitted(Popularity(CATALOGUE))
    assert scores.shape == (NUM_USERS, NUM_ITEMS)
    assert (scores == [(ROWS.flat() == item).sum() for item in range(NUM_ITEMS)]).all()


def test_itemknn_with_all_neighbours_is_the_cosine() -> None:
    similarity = cosine_similarity(MATRIX.T)
    np.fill_diagonal(similarity, 0)
    scores = fitted(ItemKNN(CATALOGUE, num_neighbours=NUM_ITEMS))
    np.testing.assert_allclose(scores, MATRIX @ similarity, atol=1e-6)


def test_itemknn_sums_over_the_nearest_neighbours_of_the_scored_item() -> None:
    expected = np.zeros_like(MATRIX)
    for item in range(NUM_ITEMS):
        others = [other for other in range(NUM_ITEMS) if other != item]
        norms = np.sqrt(np.outer(GRAM.diagonal(), GRAM.diagonal()))
        shrunk = {other: GRAM[item, other] / (norms[item, other] + 4) for other in others}
        for near in sorted(shrunk, key=shrunk.__getitem__)[-3:]:
            expected[:, item] += MATRIX[:, near] * shrunk[near]
    scores = fitted(ItemKNN(CATALOGUE, num_neighbours=3, shrinkage=4.0))
    np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_ease_regresses_each_item_on_the_others() -> None:
    model = EASE(CATALOGUE, l2=2.0)
    scores = fitted(model)
    for item in range(NUM_ITEMS):
        others = np.arange(NUM_ITEMS) != item
        regression = Ridge(alpha=2.0, fit_intercept=False).fit(MATRIX[:, others], MATRIX[:, item])
        np.testing.assert_allclose(model.weights[others, item], regression.coef_, atol=1e-5)
        np.testing.assert_allclose(scores[:, item], MATRIX[:, others] @ regression.coef_, atol=1e-5)
    assert (model.weights.diagonal() == 0).all()


def test_slim_solves_a_non_negative_elastic_net_for_each_item() -> None:
    model = SLIM(CATALOGUE, l1=0.5, l2=1.5, rho=5.0, tolerance=1e-6, max_steps=1000)
    fitted(model)
    for item in range(NUM_ITEMS):
        others = np.arange(NUM_ITEMS) != item
        # scikit-learn divides the squared error by the number of rows, and mixes the penalties by a ratio
        net = ElasticNet(
            alpha=2.0 / NUM_USERS, l1_ratio=0.25, positive=True, fit_intercept=False, tol=1e-8, max_iter=100_000
        )
        expected = net.fit(MATRIX[:, others], MATRIX[:, item]).coef_
        np.testing.assert_allclose(model.weights[others, item], expected, atol=1e-4)
    assert (model.weights.diagonal() == 0).all()
    assert 0.1 < (model.weights > 0).float().mean() < 0.9  # sparse, and not empty


def test_slim_says_how_far_it_came_when_steps_run_out() -> None:
    model = SLIM(CATALOGUE, l1=0.5, l2=1.5, max_steps=2)
    with pytest.warns(UserWarning, match=r"has not converged in model\.max_steps=2; gap"):
        model.fit()
    assert model.weights.any()  # what it came to is kept


def test_recbole_agrees_on_ease_and_itemknn() -> None:
    recbole = pytest.importorskip("recbole.model.general_recommender")

    class Config(dict):
        device = "cpu"

    class Data:
        def num(self, field: str) -> int:
            return {"user": NUM_USERS, "item": NUM_ITEMS}[field]

        def inter_matrix(self, form: str) -> csr_matrix:
            return csr_matrix(MATRIX)

    fields = {"USER_ID_FIELD": "user", "ITEM_ID_FIELD": "item", "NEG_PREFIX": "", "device": "cpu"}
    ease = recbole.EASE(Config(fields, reg_weight=2.0), Data())
    knn = recbole.ItemKNN(Config(fields, k=NUM_ITEMS, knn_method="item", shrink=4.0), Data())
    np.testing.assert_allclose(fitted(EASE(CATALOGUE, l2=2.0)), MATRIX @ np.asarray(ease.item_similarity), atol=1e-5)
    theirs, ours = knn.pred_mat.toarray(), fitted(ItemKNN(CATALOGUE, num_neighbours=NUM_ITEMS, shrinkage=4.0))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("model", CLOSED, ids=lambda model: type(model).__name__)
def test_scores_follow_the_whole_history_however_short_the_window(model: ClosedFormModel) -> None:
    model.fit()
    torch.testing.assert_close(model.score_batch(ask(max_length=1)), model.score_batch(ask()))


@pytest.mark.parametrize("model", CLOSED, ids=lambda model: type(model).__name__)
def test_a_checkpoint_holds_all_that_was_learned(model: ClosedFormModel) -> None:
    model.fit()
    before = model.score_batch(ask())
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for tensor in model.state_dict().values():
        tensor.zero_()
    model.load_state_dict(state)
    torch.testing.assert_close(model.score_batch(ask()), before)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ItemKNN(CATALOGUE, num_neighbours=0), "num_neighbours (0) must be at least 1"),
        (lambda: ItemKNN(CATALOGUE, num_neighbours=5, shrinkage=-1.0), "shrinkage (-1.0) must not be negative"),
        (lambda: EASE(CATALOGUE, l2=0.0), "l2 (0.0) must be above 0"),
        (lambda: SLIM(CATALOGUE, l1=1.0, l2=-2.0), "l2 (-2.0) must be above 0"),
        (lambda: MultiVAE(CATALOGUE, anneal_steps=0), "anneal_steps (0) must be at least 1"),
    ],
)
def test_impossible_values_are_named(make, named: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the sentence is compared)
        make()
    assert named in str(caught.value)


def bag_of(*users: int) -> TrainBatch:
    index = np.array(users)
    return Bag(num_items=NUM_ITEMS)(index, ROWS.take(index))


def test_a_bag_asks_for_every_item_and_shows_none() -> None:
    batch = bag_of(3, 1)
    for row, user in enumerate((3, 1)):
        assert batch.targets[row][batch.target_mask[row]].tolist() == ROWS.row(user).tolist()
    assert (batch.items == NUM_ITEMS).all()  # pad


def test_mf_scores_the_user_alone_at_every_target() -> None:
    model, batch = MatrixFactorisation(CATALOGUE, dim=4), bag_of(7, 2, 30)
    queries = model.queries(batch)
    owners = batch.users[batch.target_mask.nonzero()[:, 0]]
    torch.testing.assert_close(queries, model.users.weight[owners])
    torch.testing.assert_close(model.next_queries(ask()), model.users.weight)
    weight, bias, _ = model.item_table()
    assert weight.shape == (NUM_ITEMS, 4)
    assert bias is not None


def test_fpmc_adds_taste_and_transition() -> None:
    model = FPMC(CATALOGUE, dim=4)
    index = np.array([5, 8])
    batch = NextItem(num_items=NUM_ITEMS, max_length=50)(index, ROWS.take(index))
    scores = model.queries(batch) @ model.item_table().weight.T  # [N, V]
    liked, successor = model.items.weight[:, :4], model.items.weight[:, 4:]
    pairs = [(user, item) for user in index for item in ROWS.row(user)[:-1]]
    expected = [liked @ model.users.weight[user] + successor @ model.last.weight[item] for user, item in pairs]
    torch.testing.assert_close(scores, torch.stack(expected))
    ranked = model.next_queries(ask()) @ model.item_table().weight.T
    last = [model.last.weight[ROWS.row(user)[-1]] @ successor.T for user in range(NUM_USERS)]
    torch.testing.assert_close(ranked, model.users.weight @ liked.T + torch.stack(last))


def test_the_objective_is_the_multinomial_likelihood_of_the_users_items() -> None:
    model, batch = MultiDAE(CATALOGUE, hidden=(6,), dim=3).eval(), bag_of(0, 9, 4)
    scores = model.score_batch(ask())[[0, 9, 4]]
    own = [sorted(set(ROWS.row(user).tolist())) for user in (0, 9, 4)]
    losses = [F.cross_entropy(scores[row].expand(len(items), -1), torch.tensor(items), reduction="sum")
              for row, items in enumerate(own)]  # fmt: skip
    expected = torch.stack(losses).sum() / sum(map(len, own))
    torch.testing.assert_close(model.objective(batch), expected)


def test_the_divergence_is_that_of_normal_distributions() -> None:
    encoded = torch.randn(5, 6)
    theirs = kl_divergence(Normal(encoded[:, :3], (encoded[:, 3:] / 2).exp()), Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(divergence(encoded), theirs)


def test_multivae_anneals_its_divergence_and_remembers_how_far() -> None:
    model = MultiVAE(CATALOGUE, hidden=(), dim=3, dropout=0.0, beta=0.5, anneal_steps=4)
    batch = bag_of(0, 1, 2)
    share = divergence(model.encode(F.normalize(torch.tensor(MATRIX[:3]).float()))) / MATRIX[:3].sum()
    penalties = []
    for _ in range(6):
        torch.manual_seed(0)
        with_penalty = model.objective(batch)
        torch.manual_seed(0)
        bags = torch.tensor(MATRIX[:3]).float()
        penalties.append(((with_penalty - model.negative_log_likelihood(model.encode(bags), bags)) / share).item())
    assert penalties == pytest.approx([0, 0.125, 0.25, 0.375, 0.5, 0.5], abs=1e-4)
    assert model.state_dict()["steps"] == 6


def test_autoencoders_are_random_in_training_alone() -> None:
    model = MultiVAE(CATALOGUE, hidden=(6,), dim=3)
    assert not torch.equal(model.score_batch(ask()), model.score_batch(ask()))
    model.eval()
    torch.testing.assert_close(model.score_batch(ask()), model.score_batch(ask()))
