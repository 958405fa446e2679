"""RecBole's own metric classes on equal scores; MovieLens and trained models: experiments/recbole_zoo/parity.py."""

import pytest
import torch
from torch import Tensor

from recsys.metrics import RankingMetrics, target_ranks
from recsys.metrics.functional import average_precision
from recsys.metrics.ranking import DEFAULT_METRICS

CUTOFFS = (1, 3, 5, 10, 20)
NAMES = {"hr": "hit", "recall": "recall", "ndcg": "ndcg", "mrr": "mrr", "precision": "precision", "map": "map"}
USERS, ITEMS, MOST = 60, 40, 7


@pytest.fixture
def targets() -> Tensor:
    """[U, T] distinct items, 1 to 7 of each user, padded with -1."""
    drawn = torch.stack([torch.randperm(ITEMS)[:MOST] for _ in range(USERS)])
    return drawn.where(torch.arange(MOST) <= torch.arange(USERS)[:, None] % MOST, -1)


def theirs(scores: Tensor, targets: Tensor) -> dict[str, float]:
    """RecBole's evaluator under our names."""
    pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")
    from recsys.models.recbole import shims

    shims.install()
    from recbole.config import Config
    from recbole.data.interaction import Interaction
    from recbole.evaluator import Collector, Evaluator

    settings = {"metrics": ["Hit", "Recall", "NDCG", "MRR", "Precision", "MAP"], "topk": list(CUTOFFS), "gpu_id": ""}
    with shims.contained():
        config = Config(model="BPR", dataset="recsys", config_dict={**settings, "metric_decimal_place": 12})
    collector, (users, columns) = Collector(config), torch.where(targets >= 0)
    asked = Interaction({"user_id": torch.arange(len(scores))})
    collector.eval_batch_collect(scores, asked, users, targets[users, columns])
    found = Evaluator(config).evaluate(collector.get_data_struct())
    return {f"{ours}@{k}": float(found[f"{name}@{k}"]) for ours, name in NAMES.items() for k in CUTOFFS}


def map_of_recbole(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """Our MAP with RecBole's denominator, min(k, #relevant): all that differs, see `average_precision`."""
    return average_precision(ranks, num_relevant, k=k) * num_relevant / num_relevant.clamp(max=k)


@pytest.mark.parametrize("removed", [False, True])
def test_every_metric_is_recboles(removed: bool, targets: Tensor) -> None:
    scores = torch.stack(
        [torch.randperm(ITEMS).float() for _ in range(USERS)]
    )  # no ties: RecBole leaves them undefined
    if removed:
        seen = torch.rand(USERS, ITEMS) < 0.3
        seen.scatter_(1, targets.clamp(min=0), False)
        scores = scores.masked_fill(seen, -torch.inf)
    metrics = RankingMetrics(metrics={**DEFAULT_METRICS, "map": map_of_recbole}, cutoffs=CUTOFFS)
    metrics.update(target_ranks(scores, targets), (targets >= 0).sum(dim=1))
    expected = theirs(scores, targets)
    assert list(expected) == metrics.names
    assert {name: value.item() for name, value in metrics.compute().items()} == pytest.approx(expected, abs=1e-6)
