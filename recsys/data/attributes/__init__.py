"""Attributes of items: one small reader per format, and what they become.

A reader returns a frame with one row per (item, attribute) pair, columns `item` (raw id) and `value`; an item without
attributes has no row.
"""

from recsys.data.attributes.atomic_items import AtomicItems
from recsys.data.attributes.attribute_file import AttributeFile, AttributeReader
from recsys.data.attributes.first_match import FirstMatch
from recsys.data.attributes.item_attributes import ItemAttributes
from recsys.data.attributes.item_lists import ItemLists
from recsys.data.attributes.item_table import ItemTable
from recsys.data.attributes.movielens_movies import MovieGenres, MovieTitles, MovieYears

__all__ = [
    "AtomicItems",
    "AttributeFile",
    "AttributeReader",
    "FirstMatch",
    "ItemAttributes",
    "ItemLists",
    "ItemTable",
    "MovieGenres",
    "MovieTitles",
    "MovieYears",
]
