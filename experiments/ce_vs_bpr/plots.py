"""The study's pictures and its table, from what is finished: python -m experiments.ce_vs_bpr.plots --help

answer.png: differences of losses with their intervals, from tests.csv. losses.png: test NDCG@10 by loss and encoder.
cost.png: validation NDCG@10 against processor seconds. missing.png: missing values against true negatives, and
reliability. table.md, diagnosis.csv: the numbers behind them.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.ce_vs_bpr.results import Finished, cpu_to_best, finished
from recsys.report.diagnosis import reliability_panel

TEST, VALIDATION = "test/ndcg@10", "val/ndcg@10"
COLOURS = {"ce": "#333333", "gbce": "#559944", "bpr": "#cc6633", "bce": "#3366aa"}
ENCODERS = {
    "sasrec": "SASRec",
    "s3rec": "S3-Rec",
    "s3rec pre-trained": "S3-Rec, pre-trained",
    "gru4rec": "GRU4Rec",
    "bert4rec": "BERT4Rec",
}
OTHER = "#999999"
SIGNIFICANT = 0.05
INTERVAL = ("mean", "low", "high", "holm")
DATA = {"ml100k": "MovieLens-100K", "ml1m": "MovieLens-1M", "beauty": "Amazon Beauty"}
COMPARISONS = {  # of cells without their encoder
    "BPR minus BCE, 1 negative": ("bpr, 1 uniform", "bce, 1 uniform"),
    "BPR minus BCE, 100 negatives": ("bpr, 100 uniform", "bce, 100 uniform"),
    "best BCE minus softmax": ("bce", "ce"),
    "best BPR minus softmax": ("bpr", "ce"),
}
AUCS = ("missing_over_disliked", "observed_over_missing")


def label(cell: Finished) -> str:
    """The cell without its encoder."""
    return cell.name.partition(", ")[2] or cell.name


def colour(cell: Finished) -> str:
    """That of its loss."""
    return COLOURS.get(str(cell.facts["loss"]), OTHER)


def answer(table: pd.DataFrame, png: Path) -> None:
    """What another loss changes: a panel per comparison, a row per data set and encoder; 95 % intervals over users."""
    table = table.query("stratum == 'all'")
    one, other = (table[name].str.partition(", ")[2] for name in ("one", "other"))
    rows = list(dict.fromkeys(zip(table["section"], table["encoder"], strict=True)))
    rows.sort(key=lambda row: (list(DATA).index(row[0]), list(ENCODERS).index(row[1])))
    size = (2.4 * len(COMPARISONS) + 2, 1.2 + 0.3 * len(rows))
    figure, axes = plt.subplots(1, len(COMPARISONS), figsize=size, sharex=True, sharey=True, layout="constrained")
    for axis, (title, (first, second)) in zip(axes, COMPARISONS.items(), strict=True):
        loss_colour = COLOURS[first.partition(",")[0]]
        found = table.loc[one.str.startswith(first) & (other == second), ["section", "encoder", *INTERVAL]]
        for section, encoder, centre, low, high, p in found.to_numpy():
            place = rows.index((section, encoder))
            axis.plot([low, high], [place, place], color=loss_colour, linewidth=1.5)
            inside = loss_colour if p < SIGNIFICANT else "white"
            axis.plot(centre, place, "o", color=loss_colour, markerfacecolor=inside, markersize=6)
        axis.axvline(0, color=OTHER, linewidth=1)
        axis.set_title(title, fontsize=9)
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(axis="y", alpha=0.3)
    axes[0].margins(y=0.12)
    axes[0].set_yticks(range(len(rows)), [f"{DATA[section]}, {ENCODERS[name]}" for section, name in rows], fontsize=8)
    axes[0].invert_yaxis()
    figure.supxlabel(
        "difference in test NDCG@10, 95 % interval over users; filled: p < .05 by Holm over all of a section",
        fontsize=9,
    )
    save(figure, png)


def losses(cells: list[Finished], png: Path) -> None:
    """A panel per encoder, a row per loss: each seed a dot, the mean a stroke; what has no loss is a dotted line."""
    trained = sorted((cell for cell in cells if cell.facts["loss"]), key=rank)
    encoders = sorted({str(cell.facts["encoder"]) for cell in trained}, key=list(ENCODERS).index)
    names = list(dict.fromkeys(map(label, trained)))
    size = (1.9 * len(encoders) + 1.5, 1.4 + 0.24 * len(names))
    figure, axes = plt.subplots(
        1, len(encoders), figsize=size, squeeze=False, sharex=True, sharey=True, layout="constrained"
    )
    for axis, encoder in zip(axes[0], encoders, strict=True):
        for cell in trained:
            if cell.facts["encoder"] == encoder:
                values, row = [run.metrics[TEST] for run in cell.runs], names.index(label(cell))
                axis.plot(values, [row] * len(values), "o", color=colour(cell), markersize=4, alpha=0.5)
                axis.plot(mean(cell), row, "|", color=colour(cell), markersize=12, markeredgewidth=2)
        rivals = (cell for cell in cells if not cell.facts["loss"])
        for rival, style in zip(rivals, (":", "--", "-."), strict=False):
            axis.axvline(mean(rival), color=OTHER, linestyle=style, linewidth=1, label=rival.name)
        axis.set(xlabel="test NDCG@10")
        axis.set_title(ENCODERS[encoder], fontsize=10)
        axis.grid(axis="y", alpha=0.3)
    axes[0][0].set_yticks(range(len(names)), names, fontsize=8)
    axes[0][0].invert_yaxis()
    figure.legend(
        *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncol=3, fontsize=8, frameon=False
    )
    save(figure, png)


def rank(cell: Finished) -> tuple[bool, float, int]:
    """Where it stands among the rows: uniform negatives before popular ones, many before few, what has no loss last."""
    negatives, loss = cell.facts["negatives"], cell.facts["loss"]
    if loss is None:
        return True, 0, 0
    many = float("inf") if negatives is None else float(negatives)
    return cell.facts["sampler"] == "popular", -many, list(COLOURS).index(str(loss))


def mean(cell: Finished) -> float:
    """Its test NDCG@10 over the seeds."""
    return sum(run.metrics[TEST] for run in cell.runs) / len(cell.runs)


def cost(cells: list[Finished], png: Path) -> None:
    """SASRec with 1 or 100 uniform negatives or all, the first seed: quality by processor seconds, the best marked."""
    figure, axis = plt.subplots(figsize=(7, 4.5), layout="constrained")
    styles = {None: "-", 1: ":", 100: "-"}
    for cell in cells:
        count = cell.facts["negatives"]
        if cell.facts["encoder"] != "sasrec" or cell.facts["sampler"] == "popular" or count not in styles:
            continue
        run = cell.runs[0]
        history = pd.read_csv(run.path / "metrics.csv").dropna(subset=[VALIDATION])
        seconds = (history["epoch"] + 1) * run.seconds["fit_cpu"] / (run.epochs or 1)
        best = run.metrics[VALIDATION]
        axis.plot(seconds, history[VALIDATION], styles[count], color=colour(cell), linewidth=1.2, label=label(cell))
        axis.plot(cpu_to_best(run), best, "o", color=colour(cell), markersize=5)
    axis.set(xlabel="processor seconds of training, validation included", ylabel="validation NDCG@10")
    axis.set_title("SASRec on MovieLens-100K, seed 0, each loss with its chosen setting", fontsize=9, loc="left")
    axis.legend(fontsize=7, ncol=2)
    save(figure, png)


def diagnoses(cells: list[Finished]) -> pd.DataFrame:
    """A row per run that has been diagnosed."""
    rows = []
    for cell in cells:
        for run in cell.runs:
            file = run.path / "diagnosis.json"
            if file.exists():
                found = json.loads(file.read_text())
                drawn = {f"negatives_{name}": share for name, share in (found["negatives"] or {}).items()}
                errors = {f"ece_{name}": error for name, error in found["ece"].items()}
                rows.append(
                    {"name": cell.name, "seed": run.seed, TEST: run.metrics[TEST], **found["auc"]} | drawn | errors
                )
    return pd.DataFrame(rows)


def missing(cells: list[Finished], table: pd.DataFrame, png: Path) -> None:
    """Two AUCs by loss, then the reliability of the losses that have a probability, first seed."""
    by_name = {cell.name: cell for cell in cells}
    names = sorted(set(table["name"]), key=lambda name: (rank(by_name[name]), name))
    probable = [name for name in names if json.loads(diagnosis_file(by_name[name]).read_text())["reliability"]]
    figure = plt.figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subfigures(2, 1)
    for axis, auc in zip(above.subplots(1, len(AUCS)), AUCS, strict=True):
        auc_panel(axis, table, names, auc, by_name)
    for axis, name in zip(below.subplots(1, len(probable), squeeze=False)[0], probable, strict=True):
        cell = by_name[name]
        found = json.loads(diagnosis_file(cell).read_text())
        error = f"seed {cell.runs[0].seed}, ECE {found['ece']['next']:.3f}"
        reliability_panel(axis, pd.DataFrame(found["reliability"]["next"]), title=f"{name}\n{error}")
    save(figure, png)


def diagnosis_file(cell: Finished) -> Path:
    """That of its first seed."""
    return cell.runs[0].path / "diagnosis.json"


def auc_panel(axis: Axes, table: pd.DataFrame, names: list[str], auc: str, cells: dict[str, Finished]) -> None:
    """Each seed a dot."""
    for place, name in enumerate(names):
        values = table.loc[table["name"] == name, auc]
        axis.plot(values, [place] * len(values), "o", color=colour(cells[name]), alpha=0.6)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.axvline(0.5, color=OTHER, linestyle=":", linewidth=1)
    axis.set_yticks(range(len(names)), names if auc == AUCS[0] else [""] * len(names), fontsize=8)
    axis.set_title(f"AUC, {auc.replace('_', ' ')}", fontsize=9, loc="left")


def markdown(sections: dict[str, list[Finished]]) -> str:
    """Test NDCG@10 and HR@10, mean and deviation over seeds, what a run took."""
    lines = ["| data | model, loss, negatives | seeds | setting | test NDCG@10 | test HR@10 | CPU s to best | GiB |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for section, cells in sections.items():
        for cell in sorted(cells, key=mean, reverse=True):
            values = pd.DataFrame([run.metrics for run in cell.runs])
            shown = [f"{values[name].mean():.4f} ± {values[name].std():.4f}" for name in (TEST, "test/hr@10")]
            seconds = sum(map(cpu_to_best, cell.runs)) / len(cell.runs)
            memory = max(run.peak_memory_gb or 0 for run in cell.runs)
            setting = cell.runs[0].path.parent.name.replace("optimizer.", "").replace("model.", "")
            facts = [section, cell.name, str(len(cell.runs)), setting, *shown, f"{seconds:.0f}", f"{memory:.1f}"]
            lines.append("| " + " | ".join(facts).replace(" ± nan", "") + " |")
    return "\n".join(lines) + "\n"


def save(figure: Figure, png: Path) -> None:
    figure.savefig(png, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("outputs/ce_vs_bpr"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where pictures and tables go")
    options = parser.parse_args()
    sections = {name: list(finished(options.root / name)) for name in ("ml100k", "ml1m", "beauty", "hidden")}
    if not any(sections.values()):
        sys.exit(f"{options.root} has nothing to draw yet")
    (options.out / "table.md").write_text(markdown(sections))
    if any(cell.facts["loss"] for cell in sections["ml100k"]):
        losses(sections["ml100k"], options.out / "losses.png")
        cost(sections["ml100k"], options.out / "cost.png")
    if (options.out / "tests.csv").exists():
        answer(pd.read_csv(options.out / "tests.csv"), options.out / "answer.png")
    table = diagnoses(sections["hidden"])
    if len(table):
        table.to_csv(options.out / "diagnosis.csv", index=False)
        missing(sections["hidden"], table, options.out / "missing.png")


if __name__ == "__main__":
    main()
