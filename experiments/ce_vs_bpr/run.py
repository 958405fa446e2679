"""The runs of the study, section by section: python -m experiments.ce_vs_bpr.run --help

Sections: ml100k (the grid), ml1m, beauty, hidden (missing values against true negatives, ended by `recsys diagnose`).
Each cell's setting is chosen with its first seed by validation NDCG@10, then run over the others. Finished runs are
skipped: a killed study continues, and so does one whose runs are known by runs.tar.xz alone. What stands behind `--`
goes to every run: -- trainer.max_epochs=1
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from experiments.archive import pack, unpack
from experiments.ce_vs_bpr.cells import Cell, Setting, beauty, hidden, ml1m, ml100k
from experiments.ce_vs_bpr.results import choose, write_results
from experiments.runs import parsed, recsys, side_by_side, train
from recsys.report.runs import Run

ARCHIVE = "runs.tar.xz"
SECTIONS = ("ml100k", "ml1m", "beauty", "hidden")


def work(cell: Cell, root: Path, more: list[str]) -> bool:
    """Chooses the cell's setting, then runs it over the other seeds; writes chosen.json. Whether no run failed."""
    first, *others = cell.seeds
    tried = {setting: run_one(cell, setting, first, root, more) for setting in cell.settings}
    scores = {setting: run.metrics["val/ndcg@10"] for setting, run in tried.items() if run is not None}
    if not scores:
        return False
    best = max(scores, key=scores.__getitem__)
    choose(root / cell.name, cell.facts, folder_of(best))
    runs = [tried[best], *(run_one(cell, best, seed, root, more) for seed in others)]
    found = ", ".join(f"{run.metrics['val/ndcg@10']:.4f}" for run in runs if run is not None)
    print(f"{cell.name}, {folder_of(best)}: validation NDCG@10 {found}", flush=True)
    return None not in runs and None not in tried.values()


def run_one(cell: Cell, setting: Setting, seed: int, root: Path, more: list[str]) -> Run | None:
    """One run of the cell; None where it fails."""
    path = root / cell.name / folder_of(setting) / f"seed{seed}"
    overrides = [*cell.overrides, *setting, "study=ce_vs_bpr", *more]
    return train(overrides, path, name=cell.name, seed=seed)


def folder_of(setting: Setting) -> str:
    """The folder of a setting's runs."""
    return ",".join(setting) or "default"


def pretrain(path: Path, epochs: int, more: list[str]) -> None:
    """S3-Rec's pre-training on MovieLens-100K, of seed 0: every fine-tuning starts from it."""
    recipe = ["model=s3rec", "task=s3_pretrain", "model.dropout=0.2", f"trainer.max_epochs={epochs}"]
    train([*recipe, "study=ce_vs_bpr", *more], path, name="pre-training", seed=0)


def known(section: str) -> str:
    """The name of a section."""
    if section not in SECTIONS:  # argparse's own `choices` refuses an empty list
        raise argparse.ArgumentTypeError(f"{section!r} is none of {', '.join(SECTIONS)}")
    return section


def sections(options: argparse.Namespace) -> dict[str, list[Cell]]:
    """Those asked for, whose data is given."""
    found = {"ml100k": ml100k(options.root / "pretraining"), "hidden": hidden()}
    if options.ml1m:
        found["ml1m"] = ml1m(options.ml1m.resolve(), options.ml1m_pretraining and options.ml1m_pretraining.resolve())
    if options.beauty:
        found["beauty"] = beauty(options.beauty.resolve())
    missing = [name for name in options.sections if name not in found]
    if missing:
        sys.exit(f"section {missing[0]} needs its data: --{missing[0]} FILE")
    beginnings = tuple(options.cells)
    wanted = {name: [cell for cell in found[name] if cell.name.startswith(beginnings)] for name in options.sections}
    if wanted and not any(wanted.values()):
        names = "; ".join(cell.name for name in wanted for cell in found[name])
        sys.exit(f"no cell begins with --cells {' '.join(map(repr, options.cells))}; there are {names}")
    return wanted


def data_file(text: str) -> Path:
    """The path of data that is there."""
    if not Path(text).exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    return Path(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    help_ = "ml100k, ml1m (needs --ml1m), beauty (--beauty), hidden; none: results.csv and runs.tar.xz of what is there"
    parser.add_argument("sections", nargs="*", type=known, metavar="section", help=help_)
    parser.add_argument("--ml1m", type=data_file, help="ml-1m_sas.txt, or a folder of MovieLens-1M")
    parser.add_argument("--ml1m-pretraining", type=Path, help="a pre-training of S3-Rec on it, with max_length=100")
    parser.add_argument("--beauty", type=data_file, help="Beauty.txt")
    parser.add_argument("--epochs", type=int, default=5, help="of pre-training on MovieLens-100K (default: 5)")
    parser.add_argument(
        "--cells", nargs="*", default=[""], help="those alone whose name begins so, such as 'sasrec, bpr'"
    )
    parser.add_argument("--jobs", type=int, default=2, help="cells at work at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/ce_vs_bpr"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where tables go")
    options, more = parsed(parser)
    options.root = options.root.resolve()
    asked = sections(options)  # a mistake is told before the archive is unpacked
    unpack(options.out / ARCHIVE, options.root)
    done = []
    for name, cells in asked.items():
        if any("pre-trained" in cell.encoder for cell in cells) and name == "ml100k":
            pretrain(options.root / "pretraining", options.epochs, more)
        done += side_by_side([partial(work, cell, options.root / name, more) for cell in cells], jobs=options.jobs)
        if name == "hidden":
            done.append(recsys("diagnose", f"run={options.root / name}"))
    if not any(options.root.glob("*/")):
        sys.exit(f"{options.root} holds no runs; name a section to train")
    write_results(options.root, options.out)
    given = [path.resolve() for path in (options.ml1m, options.beauty) if path is not None]
    pack(options.root, options.out / ARCHIVE, data=given)
    if not all(done):
        sys.exit("not every run succeeded; the same command tries them again")


if __name__ == "__main__":
    main()
