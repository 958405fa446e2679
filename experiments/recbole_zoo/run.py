"""RecBole's models beside our own on MovieLens-100K: python -m experiments.recbole_zoo.run --help

Every model has its own defaults, one seed and the same split and evaluator; the best epoch on validation NDCG@10 is
tested. Finished runs are skipped, so a killed sweep continues; a model that fails is reported with its reason in
failures.csv and stops nothing. results.csv and the table hold what is finished, seconds included.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console

from experiments.runs import failure, side_by_side
from experiments.tables import markdown
from recsys.report.aggregation import every_run
from recsys.report.runs import load_runs
from recsys.report.tables import study_table

OURS = {
    "ours: pop": ["model=pop"],
    "ours: itemknn": ["model=itemknn"],
    "ours: ease": ["model=ease"],
    "ours: mf-bpr": ["model=mf"],
    "ours: multivae": ["model=multivae"],
    "ours: sasrec-ce": ["model=sasrec"],
    "ours: gru4rec-ce": ["model=gru4rec"],
}
SOLVED = ("Pop", "ItemKNN", "AsymKNN", "EASE", "SLIMElastic", "ADMMSLIM", "Random", "NCEPLRec")
INTERACTIONS = ("BPR", "LightGCN", "NGCF", "NeuMF", "DMF", "SpectralCF", "GCMC", "LINE", "SGL", "SimpleX")
USERS = ("MultiDAE", "MultiVAE", "MacridVAE", "CDAE", "ENMF", "DiffRec")
FEATURES = ("FM", "LR", "DeepFM", "WideDeep", "NFM")
ALL_POSITIONS = ("SASRec", "GRU4Rec")  # one pass for all prefixes of a row
PREFIXES = ("STAMP", "FPMC", "FOSSIL", "HGN", "NPE", "SHAN", "TransRec", "Caser", "HRM", "NARM")
REFUSED = ("KGAT",)  # reads a knowledge graph: told with its reason, and nothing else stops
SELDOM = ["trainer.check_val_every_n_epoch=5", "trainer.max_epochs=100"]
RECBOLE = {
    **{name: ["task=recbole"] for name in SOLVED},
    **{name: ["task=recbole", *SELDOM] for name in INTERACTIONS},
    **{name: ["task=recbole", "batch_size=128", "callbacks=patient"] for name in USERS},
    **{name: ["task=recbole_attributes", *SELDOM] for name in FEATURES},
    **{name: ["task=recbole_all_positions"] for name in ALL_POSITIONS},
    **{name: ["task=recbole"] for name in REFUSED},
    **{name: ["task=recbole", "max_length=20", "trainer.max_epochs=20"] for name in PREFIXES},
}
CELLS = OURS | {name: ["model=recbole", f"model.name={name}", *more] for name, more in RECBOLE.items()}


def work(name: str, root: Path, *, minutes: float) -> dict[str, str] | None:
    """Runs one model in a process of its own; None, or what it said where it fails or takes too long."""
    named = [f"name='{name}'", "study=recbole_zoo", f"output_dir='{root / name}'"]
    reason = failure("train", *CELLS[name], *named, "trainer.enable_progress_bar=false", minutes=minutes)
    print(f"FAILED {name}: {reason}" if reason else f"done {name}", flush=True)
    return {"model": name, "reason": reason} if reason else None


def record_failures(path: Path, told: Mapping[str, dict[str, str] | None]) -> None:
    """Each model of `told` with its reason, or gone where it works now; other models' lines stay."""
    before = pd.read_csv(path).to_dict("records") if path.exists() else []
    failures = [line for line in before if line["model"] not in told] + [line for line in told.values() if line]
    unfinished = path.with_name(f"{path.name}.partial")
    pd.DataFrame(failures, columns=["model", "reason"]).to_csv(unfinished, index=False)
    unfinished.replace(path)


def report(root: Path, folder: Path) -> None:
    """results.csv, table.md and the table of what is finished."""
    runs, problems = load_runs(root)
    console = Console(width=110)
    for problem in problems:
        console.print(problem, soft_wrap=True)
    if runs:
        results = every_run(runs)
        results.to_csv(folder / "results.csv", index=False)
        (folder / "table.md").write_text(markdown(results, name="model"))
        console.print(study_table(runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="models at work at once, one thread each (default: 2)")
    parser.add_argument("--minutes", type=float, default=60, help="for each model (default: 60)")
    parser.add_argument("--root", type=Path, default=Path("outputs/recbole_zoo"), help="where runs are kept")
    parser.add_argument("--models", nargs="*", default=list(CELLS), choices=list(CELLS), help="some models only")
    parser.add_argument("--report", action="store_true", help="run nothing: the table of what is there")
    options = parser.parse_args()
    root, folder = options.root.resolve(), Path(__file__).parent
    if not options.report:
        work_on = [partial(work, name, root, minutes=options.minutes) for name in options.models]
        told = side_by_side(work_on, jobs=options.jobs)
        record_failures(folder / "failures.csv", dict(zip(options.models, told, strict=True)))
    report(root, folder)


if __name__ == "__main__":
    main()
