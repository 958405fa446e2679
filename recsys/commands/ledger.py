"""`recsys ledger`: the runs that have ended, filtered and sorted."""

import sys
from collections.abc import Sequence

from recsys.consoles import plain_console
from recsys.options.arguments import answer_help
from recsys.options.ledger import USAGE, LedgerOptions, options_of
from recsys.report.ledger import read
from recsys.report.ledger_table import FOREMOST, fitting, sort_key, table

NAMED = 8  # of the columns that are left out
Lines = Sequence[dict[str, str]]


def main(argv: list[str]) -> None:
    """Prints the lines that `argv` asks for: a table on a terminal, tab-separated columns in a pipe."""
    answer_help(argv, USAGE)
    options = options_of(argv)
    lines, problems = read(options.file)
    for problem in problems:
        print(problem, file=sys.stderr)
    chosen = choose(lines, options)
    if lines and not chosen:
        print(f"none of the {len(lines):,} lines of {options.file} passes", file=sys.stderr)
    columns = options.shown(lines)
    if sys.stdout.isatty():
        console = plain_console()
        shown, left_out = fitting(chosen, columns, width=console.width, foremost=options.columns or FOREMOST)
        console.print(table(chosen, shown, width=console.width))
        if left_out:
            named = ", ".join(left_out[:NAMED]) + (f" and {len(left_out) - NAMED} more" if left_out[NAMED:] else "")
            advice = "a wider terminal or a pipe shows them, columns=... chooses"
            console.print(f"no room for {named}: {advice}", style="dim", highlight=False, soft_wrap=True)
    else:
        print("\n".join("\t".join(row) for row in [columns, *([line[name] for name in columns] for line in chosen)]))


def choose(lines: Lines, options: LedgerOptions) -> list[dict[str, str]]:
    """Those that pass every filter, sorted, the last ones where so many are asked for.

    ValueError that names a column which the ledger has not.
    """
    options.check(lines)
    chosen = [line for line in lines if all(passes(line) for passes in options.filters)]
    if options.sort:
        known = [line for line in chosen if line[options.sort]]
        known.sort(key=lambda line: sort_key(line[options.sort or ""]), reverse=options.descending)
        chosen = known + [line for line in chosen if not line[options.sort]]  # unknown values last either way
        return chosen[: options.last]
    return chosen[-options.last :] if options.last else chosen
