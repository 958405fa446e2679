import pytest
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.evaluation import FullRanking, RankingProtocol, evaluate
from recsys.metrics.ranking import RankingMetrics
from recsys.models.popularity import Popularity

BATCH = EvalBatch(
    users=torch.tensor([4, 2]),
    items=torch.tensor([[0, 1], [3, 5]]),
    targets=torch.tensor([[2], [0]]),
    seen_rows=torch.tensor([0, 0, 1]),
    seen_items=torch.tensor([0, 1, 3]),
)


class Fixed:
    """A scorer whose scores are given."""

    def __init__(self, scores: list[list[float]]) -> None:
        self.scores = torch.tensor(scores, dtype=torch.float32)

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.scores.clone()


def ranks(protocol: RankingProtocol, scores: Tensor) -> Tensor:
    return protocol.rank(protocol.candidates(scores, BATCH))


def test_seen_items_are_removed_even_where_every_score_is_negative() -> None:
    """The baseline set seen items to 0, so that with negative scores they filled the whole top 10."""
    scorer = Fixed([[-1, -2, -3, -4, -5], [-3, -2, -5, -1, -4]])
    removed = ranks(FullRanking(), scorer.score_batch(BATCH))
    assert removed.squeeze(1).tolist() == [1, 2]
    kept = ranks(FullRanking(remove_seen=False), scorer.score_batch(BATCH))
    assert kept.squeeze(1).tolist() == [3, 3]


def test_users_come_back_in_order_and_are_averaged() -> None:
    scorer = Fixed([[-1, -2, -3, -4, -5], [-3, -2, -5, -1, -4]])
    result = evaluate(scorer, [BATCH], protocol=FullRanking(), metrics=RankingMetrics(cutoffs=[1]))
    assert result.per_user["user"].tolist() == [2, 4]
    assert result.per_user["hr@1"].tolist() == [0.0, 1.0]
    assert result.summary["hr@1"] == 0.5


def test_nan_scores_are_an_error_never_a_rank() -> None:
    scorer = Fixed([[float("nan")] * 5, [0.0] * 5])
    with pytest.raises(ValueError, match="NaN"):
        evaluate(scorer, [BATCH], protocol=FullRanking(), metrics=RankingMetrics(cutoffs=[1]))


def test_nobody_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no user to evaluate"):
        evaluate(Fixed([[0.0]]), [], protocol=FullRanking(), metrics=RankingMetrics(cutoffs=[1]))


def test_popularity_scores_are_training_counts() -> None:
    pop = Popularity(Catalogue(num_items=5, train=Ragged.from_rows([[0, 1, 1], [1, 4]])))
    pop.fit()
    pop.fit()
    assert pop.score_batch(BATCH).tolist() == [[1, 3, 0, 0, 1]] * 2
