"""What `recsys data` is told."""

USAGE = """usage: recsys data [NAME] [key=value ...]

  NAME               a data set, short for data=NAME: ml-100k, ml-1m, csv, ...; ml-100k
  data.KEY=...       of the data set: data.path=FILE, data.min_rating=4, data.reader.timestamp=time
  split=NAME         how it is split: leave_one_out, temporal, ratio, ...; leave_one_out
  split.KEY=...      of the split: split.test=0.2

Prints licence and source, sizes, lengths and popularity, repeats, ties, first and last time, the parts of the split and
what of it leaks, and draws lengths and popularity in outputs/data/NAME.png. recsys train --help lists all keys."""
