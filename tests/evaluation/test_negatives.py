"""Which negatives are drawn, and what files of them may hold."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from questions import U, V, question

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.sources import SequenceText
from recsys.data.splits import LeaveOneOut
from recsys.evaluation import (
    NegativesFile,
    PopularityNegatives,
    Reject,
    SampledRanking,
    UniformNegatives,
)

pytestmark = pytest.mark.usefixtures("cache")
S3REC = Path(__file__).parents[3] / "shared/data/s3rec"  # beside the repository


def test_draws_are_fixed_distinct_and_outside_of_what_is_rejected(catalogue: Catalogue, cache: Path) -> None:
    for kind in (UniformNegatives, PopularityNegatives):
        source = kind(count=8, seed=3)
        first = source.negatives(catalogue)
        assert list((cache / "negatives").iterdir())
        again = kind(count=8, seed=3).negatives(catalogue)  # from the disk
        assert np.array_equal(first.flat(), again.flat())
        assert not np.array_equal(first.flat(), kind(count=8, seed=4).negatives(catalogue).flat())
        for user in range(U):
            drawn = first.row(user).tolist()
            assert len(set(drawn)) == 8
            assert not set(drawn) & set(catalogue.whole.row(user).tolist())


def test_a_users_draw_does_not_depend_on_other_users(catalogue: Catalogue) -> None:
    whole = catalogue.whole.take(np.arange(5))
    fewer = Catalogue(num_items=V, train=whole, whole=whole)
    few, many = (UniformNegatives(count=8).negatives(part) for part in (fewer, catalogue))
    assert np.array_equal(few.flat(), many.take(np.arange(5)).flat())


def test_chances_are_uniform_or_by_popularity() -> None:
    """One negative for each of 4,000 users of item 4: chances 1/4 each, or as the counts of the other items."""
    rows = Ragged.from_rows([[4]] * 4000)
    counts = Ragged.from_rows([[0] * 10 + [1] * 20 + [2] * 30])
    uniform = UniformNegatives(count=1).negatives(Catalogue(num_items=5, train=rows, whole=rows))
    assert np.bincount(uniform.flat(), minlength=5) == pytest.approx([1000, 1000, 1000, 1000, 0], abs=110)
    popular = PopularityNegatives(count=1).negatives(Catalogue(num_items=5, train=counts, whole=rows))
    assert np.bincount(popular.flat(), minlength=5) == pytest.approx([667, 1333, 2000, 0, 0], abs=130)


def test_popularity_without_replacement_is_drawing_one_by_one() -> None:
    """Two of weights 1, 2, 3: P{first two} from the definition of sequential drawing."""
    counts = Ragged.from_rows([[0] + [1] * 2 + [2] * 3])
    rows = Ragged.from_rows([[3]] * 6000)
    drawn = PopularityNegatives(count=2).negatives(Catalogue(num_items=4, train=counts, whole=rows))
    pairs = np.sort(drawn.flat().reshape(-1, 2), axis=1)
    share = np.mean((pairs == [1, 2]).all(1))
    assert share == pytest.approx(2 / 6 * 3 / 4 + 3 / 6 * 2 / 3, abs=0.02)


def test_with_replacement_every_draw_has_the_same_chances() -> None:
    """4,000 pairs by counts 1, 2, 3: the same item twice in (1 + 4 + 9) / 36 of them."""
    rows = Ragged.from_rows([[3]] * 4000)
    counts = Ragged.from_rows([[0] + [1] * 2 + [2] * 3 + [3] * 9])
    source = PopularityNegatives(count=2, replacement=True)
    drawn = source.negatives(Catalogue(num_items=4, train=counts, whole=rows)).take(np.arange(4000))
    pairs = drawn.flat().reshape(-1, 2)
    assert np.bincount(pairs.reshape(-1), minlength=4) / 8000 == pytest.approx([1 / 6, 2 / 6, 3 / 6, 0], abs=0.02)
    assert np.mean(pairs[:, 0] == pairs[:, 1]) == pytest.approx(14 / 36, abs=0.03)


def test_more_negatives_than_items_are_drawn_with_replacement_alone(catalogue: Catalogue) -> None:
    assert UniformNegatives(count=90, replacement=True).negatives(catalogue).take(np.arange(2)).lengths.tolist() == [
        90,
        90,
    ]
    everything = Catalogue(num_items=2, train=Ragged.from_rows([[0, 1]]), whole=Ragged.from_rows([[0, 1]]))
    with pytest.raises(ValueError, match=r"user 0 has 0 item\(s\) left"):
        UniformNegatives(count=1, replacement=True).negatives(everything)


def test_fresh_negatives_differ_from_evaluation_to_evaluation(catalogue: Catalogue, cache: Path) -> None:
    """As SASRec draws them: of a user's items those of training are rejected, and the target does not count twice."""
    source = UniformNegatives(count=40, reject=Reject.TRAIN, replacement=True, fresh=True)
    rows, users = source.negatives(catalogue), np.array([4, 2, 4])
    first, second = rows.take(users), rows.take(users)
    assert not np.array_equal(first.flat(), second.flat())
    assert not np.array_equal(first.row(0), first.row(2))
    for row, user in enumerate(users):
        assert not set(first.row(row).tolist()) & set(catalogue.train.row(user).tolist())
    again = source.negatives(catalogue).take(users)  # a new evaluation of the same kind begins where this one did
    assert np.array_equal(first.flat(), again.flat())
    assert not cache.exists()
    assert "training items, with replacement, anew each time (seed 0)" in source.describe()
    protocol = SampledRanking(negatives=source)
    protocol.prepare(catalogue)
    batch = question(catalogue, list(range(U)))
    candidates = protocol.candidates(torch.zeros(U, V), batch)
    negatives = candidates.items[:, batch.targets.shape[1] :]
    assert not (negatives[:, :, None] == batch.targets[:, None, :1]).any()
    others = (negatives >= 0).sum(1)
    assert torch.equal(protocol.rank(candidates)[:, 0], 1 + others / 2)  # all tie; repeated ones count as often


def test_too_few_items_left_is_an_error_that_names_the_user(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match=r"user u00 has 55 item\(s\) left to draw 56 negatives from; .*count=55"):
        UniformNegatives(count=56).negatives(catalogue)
    with pytest.raises(ValueError, match=r"count \(0\) must be at least 1"):
        UniformNegatives(count=0)


def test_negatives_of_a_file_in_raw_ids(catalogue: Catalogue, tmp_path: Path) -> None:
    file = tmp_path / "sample.txt.gz"
    with gzip.open(file, "wt") as out:
        out.write("u01 100 101\nu00 159 158 157\n")
    with pytest.warns(UserWarning, match="from 2 to 3 negatives: those with few of them have an easier question"):
        rows = NegativesFile(path=str(file)).negatives(catalogue)
    assert rows.row(0).tolist() == [59, 58, 57]
    assert rows.row(1).tolist() == [0, 1]
    with gzip.open(file, "wt") as out:
        out.write("u01 100 101\nu00 159 158\n")
    protocol = SampledRanking(negatives=NegativesFile(path=str(file)))
    protocol.prepare(catalogue)
    with pytest.raises(ValueError, match=r"user u02 has no negatives in: negatives of sample\.txt\.gz"):
        protocol.candidates(torch.zeros(1, V), question(catalogue, [2]))
    file.write_bytes(gzip.compress(b"u00 160\n"))
    with pytest.raises(ValueError, match=r"sample\.txt\.gz: item 160 is not in the data \(1 such rows\)"):
        NegativesFile(path=str(file)).negatives(catalogue)
    own = catalogue.whole.row(2)[0]
    file.write_bytes(gzip.compress(f"u02 {100 + own}\n".encode()))
    with pytest.raises(ValueError, match=rf"item {100 + own} is one of user u02's own, so no negative \(1 such\)"):
        NegativesFile(path=str(file)).negatives(catalogue)
    with pytest.raises(FileNotFoundError, match=r"eval\.protocol\.negatives\.path \(nowhere\) is no file"):
        NegativesFile(path="nowhere").negatives(catalogue)


def test_the_published_file_of_s3rec_fits_its_data() -> None:
    if not S3REC.is_dir():
        pytest.skip(f"needs the research files in {S3REC}, which may not be redistributed")
    data = UserSequences.from_frame(SequenceText().read(S3REC / "LastFM.txt.gz"), name="lastfm")
    split = LeaveOneOut()(data)
    catalogue = Catalogue(
        num_items=data.num_items, train=split.train, whole=data.items, users=data.users, items=data.vocabulary
    )
    rows = NegativesFile(path=str(S3REC / "LastFM_sample.txt.gz")).negatives(catalogue)
    assert rows.lengths.tolist() == [99] * 1090
    for user in range(data.num_users):
        assert not set(rows.row(user).tolist()) & set(data.items.row(user).tolist())
