"""Protocols against brute force: which items are ranked."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from questions import U, V, question

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.evaluation import (
    Evaluator,
    FullRanking,
    LabelledCandidates,
    Reject,
    SampledRanking,
    SeenScoredZero,
    TruncatedSeenRemoved,
    UniformNegatives,
    evaluate,
    evaluate_all,
)
from recsys.metrics import RankingMetrics
from recsys.metrics.strata import HistoryStrata

pytestmark = pytest.mark.usefixtures("cache")


def brute_rank(scores: torch.Tensor, target: int, others: set[int]) -> float:
    above = [float(scores[item] > scores[target]) + 0.5 * float(scores[item] == scores[target]) for item in others]
    return 1 + sum(above)


def test_seen_items_kept_removed_truncated_or_zero(catalogue: Catalogue) -> None:
    users = [3, 7, 11]
    batch, scores = question(catalogue, users), torch.randn(3, V)
    for row, user in enumerate(users):
        history, target = catalogue.whole.row(user)[:-1].tolist(), int(catalogue.whole.row(user)[-1])
        zero = scores[row].clone()
        zero[history] = 0
        every = set(range(V)) - {target}
        expected = {
            FullRanking(): brute_rank(scores[row], target, every - set(history)),
            FullRanking(remove_seen=False): brute_rank(scores[row], target, every),
            TruncatedSeenRemoved(): brute_rank(scores[row], target, every - set(history[-2:])),
            SeenScoredZero(): brute_rank(zero, target, every),
        }
        for protocol, rank in expected.items():
            ranks = protocol.rank(protocol.candidates(scores.clone(), batch))
            assert ranks[row, 0].item() == rank, protocol.describe()


@pytest.mark.parametrize("num_targets", [1, 2])
@pytest.mark.parametrize("reject", Reject)
def test_sampled_ranks_are_those_among_the_negatives(catalogue: Catalogue, reject: Reject, num_targets: int) -> None:
    source = UniformNegatives(count=20, reject=reject)
    protocol = SampledRanking(negatives=source)
    protocol.prepare(catalogue)
    users = list(range(U))
    batch, scores = question(catalogue, users, num_targets=num_targets), torch.randint(0, 9, (U, V)).float()
    candidates, rows = protocol.candidates(scores.clone(), batch), source.negatives(catalogue)
    ranks = protocol.rank(candidates)
    assert torch.equal(candidates.target_items(), batch.targets)
    for user in users:
        targets = catalogue.whole.row(user)[-num_targets:].tolist()
        negatives = set(rows.row(user).tolist()) - set(targets)
        assert candidates.num_candidates()[user] == len(negatives) + num_targets
        assert set(candidates.top(5)[0][user].tolist()) <= negatives | set(targets)
        if num_targets == 1:
            assert ranks[user, 0].item() == brute_rank(scores[user], targets[0], negatives)
        assert ranks[user, num_targets:].isinf().all()


def test_labelled_candidates(catalogue: Catalogue, tmp_path: Path) -> None:
    rows = [("u00", 100, 1), ("u00", 101, 0), ("u00", 102, 0), ("u01", 103, 0), ("u01", 104, 1), ("u01", 105, 1)]
    pd.DataFrame(rows, columns=["user", "item", "label"]).to_csv(tmp_path / "judged.csv", index=False)
    protocol = LabelledCandidates(path=str(tmp_path / "judged.csv"))
    protocol.prepare(catalogue)
    scores = torch.arange(float(V)).repeat(2, 1)  # the higher the id, the better
    candidates = protocol.candidates(scores, question(catalogue, [0, 1]))
    assert protocol.rank(candidates).tolist() == [[3.0, torch.inf], [2.0, 1.0]]
    assert candidates.num_relevant().tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"user u02 has no relevant candidate in .*judged\.csv"):
        protocol.candidates(scores[:1], question(catalogue, [2]))
    pd.DataFrame([*rows, ("u01", 104, 0)], columns=["user", "item", "label"]).to_csv(tmp_path / "judged.csv")
    with pytest.raises(ValueError, match=r"judged\.csv gives user u01 and item 104 two labels; keep one"):
        protocol.prepare(catalogue)


def test_several_protocols_in_one_pass_are_each_alone(catalogue: Catalogue) -> None:
    class Fixed:
        calls = 0

        def score_batch(self, batch: EvalBatch) -> torch.Tensor:
            self.calls += 1
            return torch.randn(len(batch.users), V, generator=torch.Generator().manual_seed(int(batch.users[0])))

    sampled = SampledRanking(negatives=UniformNegatives(count=10))
    sampled.prepare(catalogue)
    protocols = {"sampled": sampled, "full": FullRanking(), "kept": FullRanking(remove_seen=False)}
    batches, metrics = [question(catalogue, [0, 1, 2]), question(catalogue, [5, 3])], RankingMetrics(cutoffs=[5])
    scorer = Fixed()
    together = evaluate_all(
        scorer, batches, {name: Evaluator(protocol=each, metrics=metrics) for name, each in protocols.items()}
    )
    assert scorer.calls == 2
    for name, protocol in protocols.items():
        alone = evaluate(Fixed(), batches, protocol=protocol, metrics=metrics)
        assert alone.per_user["user"].tolist() == [0, 1, 2, 3, 5]
        pd.testing.assert_frame_equal(together[name].per_user, alone.per_user)


def test_what_nobody_has_a_value_for_is_left_out(catalogue: Catalogue) -> None:
    class Fixed:
        def score_batch(self, batch: EvalBatch) -> torch.Tensor:
            return torch.zeros(len(batch.users), V)

    lists = [HistoryStrata(catalogue, edges=[2, 50], cutoffs=[5])]
    metrics = RankingMetrics(cutoffs=[5])
    result = evaluate(Fixed(), [question(catalogue, [1, 2])], protocol=FullRanking(), metrics=metrics, lists=lists)
    assert {"history_3-50/hr@5", "history_3-50/ndcg@5"} == set(result.summary) - set(metrics.names)
    assert result.per_user["history_1-2/hr@5"].isna().all()


def test_a_label_stands_in_every_name() -> None:
    metrics = RankingMetrics(cutoffs=[1], label="uniform_100")
    assert {name.partition("/")[0] for name in metrics.names} == {"uniform_100"}
