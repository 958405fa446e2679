"""Draws what the other scripts here have measured: quality.png, throughput.png, memory.png.

python experiments/speed/plots.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

HERE = Path(__file__).parent
PUBLISHED = (540, 0.1821)  # SASRec + CE on a GPU, seconds and test NDCG@10: Klenitskiy and Vasilev, RecSys 2023
PEER = {"seconds": [42, 60, 94], "ndcg@10": [0.0366, 0.0455, 0.0502]}  # RecTools on ML-100K, two cores (Zen 4)


def quality() -> None:
    """Validation NDCG@10 against seconds of training, one line per seed; crosses are test values."""
    curves, results = pd.read_csv(HERE / "quality_epochs.csv").dropna(), pd.read_csv(HERE / "quality.csv")
    names = list(results["data"].unique())
    figure, axes = plt.subplots(1, len(names), figsize=(6 * len(names), 4), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        found = results[results["data"] == name]
        for seed, curve in curves[curves["data"] == name].groupby("seed"):
            axis.plot(curve["seconds"], curve["val/ndcg@10"], label=f"validation, seed {seed}", linewidth=1)
        axis.scatter(found["fit"], found["test/ndcg@10"], marker="x", color="black", label="test, best epoch", zorder=3)
        axis.axhline(found["target"].iloc[0], linestyle=":", color="grey", label="asked for, test")
        if name == "MovieLens-1M":
            axis.scatter(*PUBLISHED, marker="s", color="tab:red", label="published SASRec + CE, on a GPU, test")
        else:
            axis.plot(PEER["seconds"], PEER["ndcg@10"], "s-", color="tab:red", label="RecTools SASRec, test")
        axis.set(xlabel="seconds of training, validation included", ylabel="NDCG@10", title=name)
        axis.legend(fontsize=8)
    _save(figure, "quality.png")


def throughput() -> None:
    """Positions a second against the share of the machine's peak that the products of an epoch reach."""
    limits, epochs = pd.read_csv(HERE / "limits.csv"), pd.read_csv(HERE / "epochs.csv")
    merged = epochs.groupby(["case", "who"], as_index=False)["epoch_s"].median().merge(limits, on="case")
    merged["share"] = merged["gflop"] / merged["epoch_s"] / merged["peak_gflops"]
    figure, axis = plt.subplots(figsize=(7, 4.5))
    for who, rows in merged.groupby("who"):
        axis.scatter(100 * rows["share"], rows["positions"] / rows["epoch_s"], label=who, s=50)
        for _, row in rows.iterrows():
            place = (100 * row["share"], row["positions"] / row["epoch_s"])
            axis.annotate(row["case"].split(",")[0], place, xytext=(6, 4), textcoords="offset points", fontsize=8)
    axis.set(xlabel="share of the float32 peak, %", ylabel="positions per second", yscale="log", xlim=(0, 90))
    axis.set_title("SASRec on MovieLens-1M, two cores: one training epoch")
    axis.legend()
    _save(figure, "throughput.png")


def memory() -> None:
    """Peak memory of a step with full cross-entropy against the size of the catalogue."""
    table = pd.read_csv(HERE / "memory.csv")
    figure, axis = plt.subplots(figsize=(7, 4.5))
    axis.plot(table["items"], table["peak_gb"], "o-", label="here: the whole process")
    axis.plot(table["items"], table["logits_gb"], "s--", label="logits alone, were they kept: [4096, V]")
    axis.set(xlabel="items", ylabel="GiB", xscale="log", yscale="log")
    axis.set_title("Full cross-entropy, 4,096 positions, 64 wide, float32")
    axis.legend()
    _save(figure, "memory.png")


def _save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout()
    figure.savefig(HERE / name, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    for draw in (quality, throughput, memory):
        draw()
