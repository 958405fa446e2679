"""Pieces of a product."""

from hypothesis import given
from hypothesis import strategies as st

from recsys.products import pieces


@given(st.integers(0, 2000), st.integers(1, 300))
def test_pieces_cover_everything_once_in_order(count: int, size: int) -> None:
    covered = [index for piece in pieces(count, size) for index in range(piece.start, piece.stop)]
    assert covered == list(range(count))


def test_remainders_of_any_length_have_few_sizes() -> None:
    sizes = {piece.stop - piece.start for count in range(1, 600) for piece in pieces(count, 256)}
    assert sizes == {256, 128, 64, 32, 16, 8, 4, 2, 1}
