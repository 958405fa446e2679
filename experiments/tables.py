"""Tables of the studies in Markdown."""

import pandas as pd

METRICS = {"test/ndcg@10": "NDCG@10", "test/hr@10": "HR@10", "val/ndcg@10": "validation NDCG@10"}
COSTS = {"epochs": "epochs", "fit_cpu_seconds": "processor s", "peak_memory_gb": "GiB"}


def markdown(results: pd.DataFrame, **labels: str) -> str:
    """A line per model, the best by test NDCG@10 first; mean and deviation where there are several seeds.

    results: of `every_run`; labels: columns that tell the models apart, each with its heading. Processor seconds, for
    the machine may have been shared.
    """
    headings = [*labels.values(), *METRICS.values(), *COSTS.values()]
    lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
    groups = [(names, group) for names, group in results.groupby(list(labels), sort=False)]
    for names, group in sorted(groups, key=lambda pair: -pair[1]["test/ndcg@10"].mean()):
        values = [_value(group[metric]) for metric in METRICS]
        costs = [_cost(group[cost], digits) for cost, digits in zip(COSTS, (0, 0, 1), strict=True)]
        lines.append(f"| {' | '.join([*map(str, names), *values, *costs])} |")
    return "\n".join(lines) + "\n"


def _cost(column: pd.Series, digits: int) -> str:
    return "" if column.isna().any() else f"{column.mean():.{digits}f}"  # not recorded by every run


def _value(column: pd.Series) -> str:
    deviation = f" ± {column.std():.4f}" if len(column) > 1 else ""
    return f"{column.mean():.4f}{deviation}".replace("0.", ".")
