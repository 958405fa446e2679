"""`recsys report`: a study as a table, as files to paste, and as a page to look at."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from recsys.consoles import plain_console
from recsys.options.report import ReportOptions, options_of
from recsys.report.asked import Asked
from recsys.report.exports import explanation, to_frame, to_latex, to_markdown
from recsys.report.leaderboard_table import leaderboard_table
from recsys.report.page import render
from recsys.report.study import Study, load_study
from recsys.runs.data import asked_users
from recsys.whole_files import written_whole

REFRESH = 20  # seconds between looks at a study that is still running
FILES = ("index.html", "table.md", "table.tex", "table.csv")


def main(argv: list[str]) -> None:
    """Writes the report that `argv` asks for; with watch=true again and again, until Ctrl-C."""
    options = options_of(argv)
    if options.watch:
        watch(options)
    else:
        report(options, plain_console())


def report(options: ReportOptions, console: Console) -> None:
    """Once: the table on the console, the files in `out`."""
    study = load_study(options.study, metric=options.metric, baseline=options.baseline)
    users, remarks = users_of(study) if options.data else ({}, [])
    refresh = REFRESH if options.watch else 0
    out = options.out
    write(out / "index.html", render(study, users=users, notes=remarks, refresh=refresh))
    write(out / "table.md", to_markdown(study))
    write(out / "table.tex", to_latex(study))
    write(out / "table.csv", to_frame(study).to_csv(index=False))
    console.print(leaderboard_table(study))
    console.print(explanation(study), soft_wrap=True, highlight=False)
    for orders in (orders for block in study.blocks for orders in block.orders):
        console.print(orders.sentence(), soft_wrap=True, highlight=False)
    for note in [*study.notes, *remarks]:
        console.print(note, style="yellow", soft_wrap=True, highlight=False)
    console.print(f"report: {out / FILES[0]} (beside it {', '.join(FILES[1:])})", soft_wrap=True)


def watch(options: ReportOptions) -> None:
    """Whenever a run ends or logs an epoch; a study that has no result yet is waited for."""
    console, seen = plain_console(), None
    try:
        while True:
            now = state(options.study)
            if now != seen:
                seen = now
                _report_or_wait(options, console)
            time.sleep(options.every)
    except KeyboardInterrupt:
        console.print("stopped watching")


def _report_or_wait(options: ReportOptions, console: Console) -> None:
    try:
        report(options, console)
    except (ValueError, FileNotFoundError) as problem:
        console.print(f"waiting: {problem}", style="yellow", soft_wrap=True, highlight=False)


def state(study: Path) -> list[tuple[str, int]]:
    """What changes whenever a run below the folder ends or logs an epoch."""
    files = [file for name in ("run.json", "metrics.csv") for file in study.rglob(name)]
    return sorted((str(file), file.stat().st_mtime_ns) for file in files if file.exists())


def users_of(study: Study) -> tuple[dict[str, Asked], list[str]]:
    """The test users of each block by its heading, and a sentence for each whose data, or titles, aren't at hand."""
    found, remarks = {}, []
    for block in study.blocks:
        runs: Sequence = study.runs_of(block)
        try:
            found[block.heading], problems = asked_users(runs[0])
            remarks += problems
        except (ValueError, OSError) as problem:
            remarks.append(f"No strata and no items for {block.heading}: {' '.join(str(problem).split())}")
    return found, remarks


def write(path: Path, text: str) -> None:
    with written_whole(path) as partial:  # a browser never reads half a page
        partial.write_text(text, encoding="utf-8")
