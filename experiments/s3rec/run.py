"""S3-Rec's published figures and what pre-training brings: python -m experiments.s3rec.run --help

Per data set one pre-training, then fine-tuning from scratch (that is SASRec) and from it, several seeds each, every
command with finished runs skipped: a killed study continues. Tables of what is finished are written at the end.
"""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.runs import side_by_side, train
from recsys.report.aggregation import every_run
from recsys.report.runs import load_runs

SAMPLED = "val/{}/mrr@100"  # what the authors stop early by: of 100 candidates all are ranked
RELEASED = ["sampler/exclude=whole"]  # the negatives of the authors' code avoid held-out items too


class Data(NamedTuple):
    """A data set: overrides of all its runs, epochs of pre-training, fine-tunings by name."""

    name: str
    overrides: list[str]
    pretraining: list[str]
    finetunings: dict[str, list[str]]


def published(name: str, path: Path, *, epochs: int, negatives: Path | None) -> Data:
    """One of S3-Rec's: sampled against 99 negatives, and full with seen items scored 0."""
    protocol, label = ["eval=uniform_100", "eval.protocol.negatives.count=99"], "uniform_99"
    if negatives is not None:
        protocol, label = ["eval=negatives_file", f"eval.protocol.negatives.path={negatives}"], "negatives_file"
    sampled = [*protocol, "eval.metrics.cutoffs=[1,5,10,100]", f"monitor={SAMPLED.format(label)}"]
    return Data(
        name,
        overrides=[f"data={name}", f"data.path={path}"],
        pretraining=["experiment=s3rec_pretrain", "task.module.as_released=true", f"trainer.max_epochs={epochs}"],
        finetunings={
            "sampled": ["experiment=s3rec_finetune", *RELEASED, *sampled],
            "full, seen 0": ["experiment=s3rec_finetune", *RELEASED, "eval=full_seen_zero", "monitor=val/ndcg@20"],
        },
    )


def movielens(path: Path, *, epochs: int) -> Data:
    """Ours: genres and years, three losses, full ranking with seen items removed."""
    size = ["max_length=100", "batch_size=128"]
    return Data(
        "ml-1m",
        overrides=["data=ml-1m", f"data.path={path}", "model=s3rec", *size],
        pretraining=["task=s3_pretrain", "batch_size=256", f"trainer.max_epochs={epochs}"],
        finetunings={loss: [f"loss={loss}", "model.dropout=0.2"] for loss in ("bce", "ce", "bpr")},
    )


def finetune(data: Data, kind: str, *, seed: int, root: Path, pretrained: bool) -> None:
    """One fine-tuning; from the data's pre-training or from scratch."""
    init = ["init=pretrained", f"init.source='{root / data.name / 'pretraining'}'"] if pretrained else ["init=scratch"]
    name = f"{'S3-Rec' if pretrained else 'not pre-trained'}, {kind}"
    path = root / data.name / name / f"seed{seed}"
    if run := train([*data.overrides, *data.finetunings[kind], *init, "study=s3rec"], path, name=name, seed=seed):
        best = {key: round(value, 4) for key, value in run.metrics.items() if key.startswith("test") and "@10" in key}
        print(f"{data.name} {name} seed {seed}: {best}", flush=True)


def pretrain(data: Data, root: Path) -> None:
    """The data's pre-training, of seed 0."""
    path = root / data.name / "pretraining"
    train([*data.overrides, *data.pretraining, "study=s3rec"], path, name="pre-training", seed=0)


def plan(data: Data, options: argparse.Namespace, root: Path) -> tuple[list[partial[None]], list[partial[None]]]:
    """What can be done at once, and what has to wait for it."""
    scratch, pretrained = (
        [
            partial(finetune, data, kind, seed=seed, root=root, pretrained=pretrained)
            for seed in options.seeds
            for kind in data.finetunings
            if options.kinds is None or kind in options.kinds
        ]
        for pretrained in (False, True)
    )
    if options.scratch_only:
        return scratch, []
    return [partial(pretrain, data, root), *scratch], pretrained


def chosen(options: argparse.Namespace) -> Iterator[Data]:
    """The data sets that were given."""
    if options.lastfm:
        yield published("lastfm", options.lastfm, epochs=150, negatives=options.lastfm_negatives)
    if options.beauty:
        yield published("amazon-beauty", options.beauty, epochs=options.beauty_epochs, negatives=None)
    if options.ml1m:
        yield movielens(options.ml1m, epochs=options.ml1m_epochs)


def mistake(options: argparse.Namespace, given: Sequence[Data]) -> str | None:
    """What of the options leaves nothing to run, or some of what was asked for; None where nothing does."""
    if not given:
        return "give data: --lastfm, --beauty or --ml1m; or --report for tables of what is there"
    kinds = list(dict.fromkeys(kind for data in given for kind in data.finetunings))
    unknown = [kind for kind in options.kinds or () if kind not in kinds]
    if unknown:
        return f"--kinds: no data set given has '{unknown[0]}'; they have: {'; '.join(kinds)}"
    files = (options.lastfm, options.lastfm_negatives, options.beauty, options.ml1m)
    missing = next((file for file in files if file and not file.is_file()), None)
    return f"{missing} does not exist; give the data's file" if missing else None


def report(root: Path, folder: Path) -> None:
    """results.csv of every run, losses.csv of every epoch's training loss; prints the medians over seeds."""
    runs = load_runs(root)[0] if root.is_dir() else []
    if not runs:
        print(f"{root} has no finished run: nothing is written")
        return
    folder.mkdir(parents=True, exist_ok=True)
    table = every_run(runs)
    table.to_csv(folder / "results.csv", index=False)
    epochs = []
    for run in runs:
        log = pd.read_csv(run.path / "metrics.csv")
        kept = [column for column in log if column in ("epoch", "seconds") or str(column).startswith("train/")]
        epochs.append(log[kept].assign(data=run.data, name=run.name, seed=run.seed))
    pd.concat(epochs).to_csv(folder / "losses.csv", index=False)
    names = [name for name in table if str(name).startswith("test/") and str(name).endswith(("/hr@10", "ndcg@10"))]
    grouped = table.groupby(["data", "name"])
    medians = grouped[names].median().round(4).dropna(how="all")
    print(medians.assign(seeds=grouped.size()).dropna(axis=1, how="all").to_string(na_rep=""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lastfm", type=Path, help="LastFM.txt, LastFM_item2attributes.json beside it")
    parser.add_argument("--lastfm-negatives", type=Path, help="LastFM_sample.txt: the released negatives")
    parser.add_argument("--beauty", type=Path, help="Beauty.txt, Beauty_item2attributes.json beside it")
    parser.add_argument("--beauty-epochs", type=int, default=150, help="of pre-training (default: the authors' 150)")
    parser.add_argument("--ml1m", type=Path, help="ml-1m_sas.txt with sas_to_original_items.txt, movies.dat beside it")
    parser.add_argument("--ml1m-epochs", type=int, default=20, help="of pre-training (default: 20)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--kinds", nargs="*", help="of fine-tuning: sampled; full, seen 0; bce; ce; bpr (default: all)")
    parser.add_argument("--scratch-only", action="store_true", help="no pre-training, nor what starts from it")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/s3rec"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where the tables go")
    parser.add_argument("--report", action="store_true", help="run nothing: tables of what is there")
    options = parser.parse_args()
    root = options.root.resolve()
    if not options.report:
        given = list(chosen(options))
        if problem := mistake(options, given):
            parser.error(problem)
        first, then = zip(*(plan(data, options, root) for data in given), strict=True)
        for stage in (first, then):
            side_by_side([work for works in stage for work in works], jobs=options.jobs)
    report(root, options.out)


if __name__ == "__main__":
    main()
