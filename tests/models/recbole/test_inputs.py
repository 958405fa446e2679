"""What RecBole's models are fed: ids, histories, pairs, attributes, and no interaction but those of training."""

import numpy as np
import pytest
import torch
from recbole_toys import LENGTH, NUM_ITEMS, ROWS, ask, make
from scipy.sparse import coo_array

from recsys.data.attributes import ItemAttributes
from recsys.data.catalogue import Catalogue
from recsys.data.collators import Evaluation
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.models.recbole.ids import padded_to_recbole, scores_from_recbole
from recsys.models.recbole.inputs import Histories, Pairs, Users

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")


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


def test_of_a_long_history_the_last_items_are_read() -> None:
    model = make("SASRec").eval()
    long = Evaluation(EvalSet(np.arange(4), ROWS, ROWS.last(1)), num_items=NUM_ITEMS, max_length=9)(np.arange(4))
    assert long.items.shape[1] > LENGTH
    torch.testing.assert_close(model.score_batch(long), model.score_batch(ask()))


def test_what_a_sequential_model_ranks_depends_on_the_batch_and_for_a_general_one_on_the_user() -> None:
    longer = Ragged.from_rows([[*ROWS.row(user).tolist(), 11] for user in range(4)])
    sequential, general = make("SASRec").eval(), make("BPR").eval()
    assert not torch.allclose(sequential.score_batch(ask()), sequential.score_batch(ask(longer)))
    torch.testing.assert_close(general.score_batch(ask()), general.score_batch(ask(longer)))
