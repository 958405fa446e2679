"""What the baseline's defects do to a swap of the loss: python -m experiments.ce_vs_bpr.autopsy --help

S3-Rec's encoder on MovieLens-100K, not pre-trained, one negative, the recipe as it stands; per variant the same runs
with BCE and with BPR. Each defect alone, each alone switched off, all and none; a run is validated, stopped and tested
with the defects it has. Finished runs are skipped. What stands behind `--` goes to every run.
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.runs import parsed, side_by_side, train
from recsys.report.leaderboard import compare
from recsys.report.per_user import mean_per_user
from recsys.report.runs import load_runs
from recsys.report.significance import holm

HERE = Path(__file__).parent
METRIC = "ndcg@10"
LOSSES = ("bce", "bpr")
SEEN, IDS, EPSILON, SPECIAL = "seen score 0", "raw ids", "epsilon in the log", "pad and mask rankable"
DEFECTS = (SEEN, IDS, EPSILON, SPECIAL)
CLEAN = "none"


class Variant(NamedTuple):
    """A name, and the defects that are in."""

    name: str
    defects: tuple[str, ...]

    def overrides(self, loss: str) -> list[str]:
        """What makes a run of it."""
        chosen = [f"loss={loss}_epsilon" if EPSILON in self.defects else f"loss={loss}"]
        chosen += ["eval=full_seen_zero"] if SEEN in self.defects else []
        chosen += ["data=released"] if {IDS, SPECIAL} & set(self.defects) else []
        chosen += ["data.spread=17.5"] if IDS in self.defects else []
        chosen += ["data.pad_and_mask=true", "sampler/distribution=all_but_pad"] if SPECIAL in self.defects else []
        return ["--config-dir", str(HERE / "conf"), "model=s3rec", *chosen]


VARIANTS = (
    Variant(CLEAN, ()),
    *(Variant(f"only {defect}", (defect,)) for defect in DEFECTS),
    *(Variant(f"all but {defect}", tuple(other for other in DEFECTS if other != defect)) for defect in DEFECTS),
    Variant("all, as released", DEFECTS),
)


def run(variant: Variant, loss: str, seed: int, root: Path, more: list[str]) -> None:
    """One run."""
    path = root / variant.name / loss / f"seed{seed}"
    if done := train([*variant.overrides(loss), "study=ce_vs_bpr", *more], path, name=loss, seed=seed):
        print(f"{variant.name}, {loss}, seed {seed}: test NDCG@10 {done.metrics[f'test/{METRIC}']:.4f}", flush=True)


def report(root: Path) -> pd.DataFrame:
    """Per variant: both losses, BPR minus BCE over users, and how far that is from what the clean code says."""
    rows = []
    for variant in VARIANTS:
        found = load_runs(root / variant.name)[0] if (root / variant.name).is_dir() else []
        per_user, _ = mean_per_user(found, metric=METRIC)
        if not set(LOSSES) <= set(per_user):
            continue
        users, seeds = compare(per_user["bpr"], per_user["bce"])
        means = {loss: float(per_user[loss].to_numpy().mean()) for loss in LOSSES}
        facts = {"difference": users.mean, "low": users.low, "high": users.high, "p_users": users.randomisation}
        over_seeds = {"seeds": per_user["bpr"].shape[1], "p_seeds": seeds.t_test if seeds else float("nan")}
        rows.append({"defects": variant.name, **means, **facts, **over_seeds})
    table = pd.DataFrame(rows)
    if len(table) and CLEAN in set(table["defects"]):
        table["holm"] = holm(table["p_users"].tolist())
        table["misled_by"] = table["difference"] - table.set_index("defects").loc[CLEAN, "difference"]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/ce_vs_bpr/autopsy"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=HERE, help="where autopsy.csv goes")
    parser.add_argument("--report", action="store_true", help="run nothing: the table of what is there")
    options, more = parsed(parser)
    root = options.root.resolve()
    if not options.report:
        every = [(variant, loss, seed) for seed in options.seeds for variant in VARIANTS for loss in LOSSES]
        side_by_side([partial(run, *each, root, more) for each in every], jobs=options.jobs)
    table = report(root)
    if table.empty:
        sys.exit(f"{root} has no variant with runs of both losses yet")
    table.to_csv(options.out / "autopsy.csv", index=False)
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
