"""Metrics of lists and strata against brute force in plain Python."""

from itertools import combinations
from math import log2

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from recsys.data.attributes import ItemAttributes
from recsys.data.catalogue import Catalogue
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.evaluation import Candidates
from recsys.metrics import ndcg, target_ranks
from recsys.metrics.lists import (
    AUC,
    AveragePopularity,
    CappedRecall,
    Concentration,
    Diversity,
    Novelty,
    Serendipity,
)
from recsys.metrics.ranked import ListMetric, Ranked
from recsys.metrics.strata import HistoryStrata, ItemStrata, WarmthStrata, popularity_strata

V, B, T, K = 30, 50, 4, 10


@pytest.fixture
def catalogue() -> Catalogue:
    """40 users, item i the more popular the smaller i; the last items unknown to training; attributes of two kinds."""
    rng = np.random.default_rng(0)
    rows = [np.minimum(rng.geometric(0.15, size=rng.integers(2, 12)) - 1, V - 4).tolist() for _ in range(40)]
    kinds = [
        ItemAttributes(
            name=name,
            rows=Ragged.from_rows([sorted(rng.choice(6, size=rng.integers(0, 4), replace=False)) for _ in range(V)]),
            vocabulary=Vocabulary(np.arange(6)),
        )
        for name in ("genre", "year")
    ]
    return Catalogue(num_items=V, train=Ragged.from_rows(rows), attributes=kinds)


def batch(seed: int = 0) -> tuple[Ranked, torch.Tensor]:
    """Users with 1 to 4 targets, some items removed, scores that tie; and the scores."""
    rng = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 12, (B, V), generator=rng).float()
    scores[torch.rand(B, V, generator=rng) < 0.2] = -torch.inf
    scores[:, 0] = 3.0  # something to rank besides the targets
    num_relevant = torch.randint(1, T + 1, (B,), generator=rng)
    targets = torch.stack([1 + torch.randperm(V - 1, generator=rng)[:T] for _ in range(B)])
    targets = targets.where(torch.arange(T) < num_relevant[:, None], -1)
    candidates = Candidates(scores, targets)
    ranked = Ranked(
        ranks=target_ranks(scores, targets),
        num_relevant=num_relevant,
        num_candidates=candidates.num_candidates(),
        targets=targets,
        top=candidates.top(K)[0],
        history=torch.randint(1, 120, (B,), generator=rng),
        users=torch.randint(40, (B,), generator=rng),
    )
    return ranked, scores


def shown(ranked: Ranked, user: int, k: int) -> list[int]:
    return [item for item in ranked.top[user, :k].tolist() if item >= 0]


def relevant(ranked: Ranked, user: int) -> list[int]:
    return [item for item in ranked.targets[user].tolist() if item >= 0]


def test_auc_is_scikit_learns_with_removed_targets_at_the_bottom(catalogue: Catalogue) -> None:
    ranked, scores = batch()
    values = AUC(catalogue).values(ranked)[0]
    for user in range(B):
        wanted, row = set(relevant(ranked, user)), scores[user].tolist()
        pairs = [(value, i in wanted) for i, value in enumerate(row) if value > -np.inf or i in wanted]
        numbers = [-1.0 if value == -np.inf else value for value, _ in pairs]
        assert values[user].item() == pytest.approx(roc_auc_score([hit for _, hit in pairs], numbers))


def test_novelty_and_popularity(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    rows = [catalogue.train.row(user).tolist() for user in range(40)]
    owners = [sum(item in row for row in rows) for item in range(V)]
    counts = [sum(row.count(item) for row in rows) for item in range(V)]
    novelty = Novelty(catalogue, cutoffs=[3, 10]).values(ranked)
    popularity = AveragePopularity(catalogue, cutoffs=[3, 10]).values(ranked)
    for user in range(B):
        for row, k in enumerate((3, 10)):
            items = shown(ranked, user, k)
            expected = np.mean([-log2(max(owners[item], 1) / 40) for item in items])
            assert novelty[row, user].item() == pytest.approx(expected)
            assert popularity[row, user].item() == pytest.approx(np.mean([counts[item] for item in items]))


def test_diversity_is_the_mean_over_pairs(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    metric = Diversity(catalogue, cutoffs=[2, 10])
    assert metric.names == ["diversity_genre@2", "diversity_genre@10", "diversity_year@2", "diversity_year@10"]
    values = dict(zip(metric.names, metric.values(ranked), strict=True))
    for kind in catalogue.attributes:
        sets = kind.multi_hot().astype(float)
        norms = np.linalg.norm(sets, axis=1)
        for k in (2, 10):
            for user in range(B):
                pairs = combinations(shown(ranked, user, k), 2)
                apart = [1 - sets[a] @ sets[b] / (norms[a] * norms[b] or 1) for a, b in pairs]
                assert values[f"diversity_{kind.name}@{k}"][user].item() == pytest.approx(np.mean(apart), abs=1e-9)


def test_serendipity(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    order = np.argsort(-catalogue.counts, kind="stable").tolist()
    values = Serendipity(catalogue, cutoffs=[10]).values(ranked)[0]
    for user in range(B):
        total = 0.0
        for place, item in enumerate(shown(ranked, user, 10)):
            total += max(0.0, (1 - place / V) - (1 - order.index(item) / V)) * (item in relevant(ranked, user))
        assert values[user].item() == pytest.approx(total / 10, abs=1e-6)
    assert values.max() > 0


def test_coverage_and_gini(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    metric = Concentration(catalogue, cutoffs=[2])
    metric.add(ranked)
    counts = np.bincount([item for user in range(B) for item in shown(ranked, user, 2)], minlength=V)
    differences = np.abs(counts[:, None] - counts[None, :]).sum() / (2 * V * counts.sum())  # Gini's own definition
    values = metric.compute()
    assert values["gini@2"].item() == pytest.approx(differences)
    assert values["coverage@2"].item() == pytest.approx((counts > 0).mean())


def test_recall_by_popularity_of_the_target(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    strata = popularity_strata(catalogue.counts, 3)
    metric = ItemStrata(catalogue, num_strata=3, cutoffs=[5])
    values = metric.values(ranked)
    for part in range(3):
        for user in range(B):
            pairs = zip(ranked.targets[user].tolist(), ranked.ranks[user].tolist(), strict=True)
            ranks = [rank for item, rank in pairs if item >= 0 and strata[item] == part]
            got = values[part, user].item()
            assert np.isnan(got) if not ranks else got == pytest.approx(np.mean([rank <= 5 for rank in ranks]))
    metric.add(ranked)
    assert metric.compute()["items_1of3/recall@5"].item() == pytest.approx(values[0].nanmean().item())


def test_strata_share_out_the_interactions_and_the_unknown_is_tail() -> None:
    counts = np.array([0, 5, 50, 5, 20, 10, 10, 0])
    assert popularity_strata(counts, 2).tolist() == [1, 1, 0, 1, 1, 1, 1, 1]
    assert popularity_strata(np.ones(9), 3).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_accuracy_by_history(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    metric = HistoryStrata(catalogue, edges=[20, 60], metrics={"ndcg": ndcg}, cutoffs=[5])
    assert metric.names == ["history_1-20/ndcg@5", "history_21-60/ndcg@5", "history_over_60/ndcg@5"]
    metric.add(ranked)
    plain, inside = ndcg(ranked.ranks, ranked.num_relevant, k=5), (ranked.history > 20) & (ranked.history <= 60)
    assert metric.compute()["history_21-60/ndcg@5"].item() == pytest.approx(plain[inside].mean().item())


def test_accuracy_of_users_whom_training_met_and_of_others(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    known = [user % 3 > 0 for user in range(40)]
    rows = Ragged.from_rows([[1, 2] if there else [] for there in known])
    metric = WarmthStrata(Catalogue(num_items=V, train=rows), cutoffs=[5])
    assert metric.names == ["warm_users/hr@5", "warm_users/ndcg@5", "cold_users/hr@5", "cold_users/ndcg@5"]
    metric.add(ranked)
    plain, warm = ndcg(ranked.ranks, ranked.num_relevant, k=5), torch.tensor(known)[ranked.users]
    assert metric.compute()["warm_users/ndcg@5"].item() == pytest.approx(plain[warm].mean().item())
    assert metric.compute()["cold_users/ndcg@5"].item() == pytest.approx(plain[~warm].mean().item())


def test_capped_recall_counts_the_places_there_are(catalogue: Catalogue) -> None:
    ranked, _ = batch()
    values = CappedRecall(catalogue, cutoffs=[2]).values(ranked)[0]
    for user in range(B):
        wanted = relevant(ranked, user)
        found = sum(rank <= 2 for rank in ranked.ranks[user, : len(wanted)].tolist())
        assert values[user].item() == pytest.approx(found / min(2, len(wanted)))


@pytest.mark.parametrize(
    "kind",
    [
        AUC,
        AveragePopularity,
        CappedRecall,
        Concentration,
        Diversity,
        HistoryStrata,
        ItemStrata,
        Novelty,
        Serendipity,
        WarmthStrata,
    ],
)
def test_two_processes_add_up_to_one(kind: type[ListMetric], catalogue: Catalogue) -> None:
    one, other = batch(1)[0], batch(2)[0]
    whole, here, there = (kind(catalogue) for _ in range(3))  # pyright: ignore
    whole.add(one)
    whole.add(Ranked(*(part[:7] for part in other)))
    here.add(one)
    there.add(Ranked(*(part[:7] for part in other)))
    here.merge_state(there)
    expected = {name: pytest.approx(value.item(), nan_ok=True) for name, value in whole.compute().items()}
    assert {name: value.item() for name, value in here.compute().items()} == expected


def test_mistakes_are_told(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="diversity needs attributes"):
        Diversity(Catalogue(num_items=3))
    with pytest.raises(ValueError, match=r"num_strata \(1\) must be at least 2"):
        ItemStrata(catalogue, num_strata=1)
    with pytest.raises(ValueError, match=r"edges \[5, 3\] must ascend"):
        HistoryStrata(catalogue, edges=[5, 3])
    with pytest.raises(ValueError, match="cutoffs must be one or more"):
        Novelty(catalogue, cutoffs=[0])
