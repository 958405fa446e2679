"""The report as one HTML page that needs nothing else: no network, no other file."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recsys.report import page_data
from recsys.report.asked import Asked
from recsys.report.exports import best_of, explanation
from recsys.report.formats import cost, label, number, p_value, percent, signed
from recsys.report.histories import unfinished
from recsys.report.leaderboard import Block
from recsys.report.provenance import data_sentences, environments
from recsys.report.study import Study

TEMPLATES = Path(__file__).parent / "templates"


def render(study: Study, *, users: Mapping[str, Asked], notes: Sequence[str] = (), refresh: int = 0) -> str:
    """The page. users: heading of a block -> its test users, where the data is at hand; notes: besides the study's.

    refresh: seconds after which a browser loads the page anew; 0 never.
    """
    running = unfinished(study.root)
    sections = [_section(study, block, number, users, running) for number, block in enumerate(study.blocks)]
    charts = {section["id"]: section.pop("charts") for section in sections}
    diagram = page_data.diagram(study)
    return (
        _environment()
        .get_template("report.html")
        .render(
            study=study,
            sections=sections,
            notes=[*study.notes, *notes],
            explanation=explanation(study),
            diagram=diagram,
            environments=environments(study.runs),
            refresh=refresh,
            css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            js=Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),
            data=embedded({"blocks": charts, "diagram": diagram}),
        )
    )


def embedded(value: Any) -> Markup:
    """JSON inside a script element: no `<` that could end it, nulls for what JSON has no number for."""
    text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), default=str)
    return Markup(text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e"))


def _section(
    study: Study, block: Block, number: int, users: Mapping[str, Asked], running: Sequence[Path]
) -> dict[str, Any]:
    title = block.heading
    runs, asked = study.runs_of(block), users.get(title)
    going = running if len(study.blocks) == 1 else [path for path in running if block.data in path.parts]
    faults = page_data.faults(block, runs, asked)
    points, pairs = page_data.points(block, runs), page_data.pairs(block)
    return {
        "id": f"b{number}",
        "title": title,
        "block": block,
        "best": {metric: best_of(block, metric) for metric in study.shown},
        "reach": _reach(block),
        "over_seeds": any(versus.seeds for versus in block.versus.values()),
        "strata": page_data.strata(block, asked),
        "faults": faults,
        "config": page_data.config_table(block, runs),
        "facts": data_sentences(runs),
        "has_coverage": points["coverage"],
        "charts_axes": points["axes"],
        "paired": bool(pairs["rows"]),
        "charts": {
            "metric": block.metric,
            "models": block.names,
            "curves": page_data.curves(block, runs, running=going, root=study.root),
            "points": points,
            "pairs": pairs,
            "worst": faults["worst"],
        },
    }


def _reach(block: Block) -> float:
    """Half the width of the axis on which the intervals are drawn."""
    ends = [abs(end) for versus in block.versus.values() for end in versus.users[1:4] if not math.isnan(end)]
    return max(ends, default=0.0) or 1.0


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "label": label,
        "number": number,
        "signed": signed,
        "p": p_value,
        "percent": percent,
        "cost": cost,
    }
    return environment


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
