"""Readers: files as they are published -> an interactions frame, one row per interaction in file order.

The frame has the columns `user` and `item` (int64 where every raw id is a plain integer, else strings),
and, where the file has them, `rating` (float64) and `timestamp` (int64, or float64 where it has fractions).
"""

from recsys.data.sources.atomic import AtomicFile, read_atomic
from recsys.data.sources.atomic_writer import write_atomic
from recsys.data.sources.detection import READERS, Reader, detect, find_file
from recsys.data.sources.movielens import MovieLensRatings
from recsys.data.sources.sequence_text import SequenceText
from recsys.data.sources.table import Table

__all__ = [
    "READERS",
    "AtomicFile",
    "MovieLensRatings",
    "Reader",
    "SequenceText",
    "Table",
    "detect",
    "find_file",
    "read_atomic",
    "write_atomic",
]
