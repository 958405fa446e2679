"""The report as one HTML page that needs nothing else: no network, no other file."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from recsys.report import page_data
from recsys.report.exports import best_of, explanation, heading
from recsys.report.histories import unfinished
from recsys.report.leaderboard import Block
from recsys.report.provenance import data_sentences, environments
from recsys.report.study import Study

MINUS, NOTHING = "\u2212", "\u2013"  # a true minus; a dash where there is no number
TEMPLATES = Path(__file__).parent / "templates"


def render(study: Study, *, users: Mapping[str, pd.DataFrame], notes: Sequence[str] = (), refresh: int = 0) -> str:
    """The page. users: `heading` of a block -> its test users, where the data is at hand; notes: besides the study's.

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
    study: Study, block: Block, number: int, users: Mapping[str, pd.DataFrame], running: Sequence[Path]
) -> dict[str, Any]:
    title = heading(block)
    runs, own_users = study.runs_of(block), users.get(title)
    going = running if len(study.blocks) == 1 else [path for path in running if block.data in path.parts]
    faults = page_data.faults(block, runs, own_users)
    points, pairs = page_data.points(block, runs), page_data.pairs(block)
    return {
        "id": f"b{number}",
        "title": title,
        "block": block,
        "best": {metric: best_of(block, metric) for metric in study.shown},
        "reach": _reach(block),
        "over_seeds": any(versus.seeds for versus in block.versus.values()),
        "strata": page_data.strata(block, own_users),
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


def label(name: str) -> Markup:
    """A run's name on two lines: what was overridden stands below in small print, with places to break it."""
    model, rest = re.fullmatch(r"(.*?)(?:,| \(|$)(.*)", name, flags=re.DOTALL).groups()  # type: ignore[union-attr]
    if not rest:
        return escape(model)
    small = re.sub(r"([=/,])", r"\1<wbr>", str(escape(rest.removesuffix(")").replace(",", ", ").replace(",  ", ", "))))
    return Markup('{}<small class="over">{}</small>').format(model, Markup(small))


def number(value: float | None, digits: int = 4) -> str:
    """.0812; a dash where there is none."""
    return NOTHING if _missing(value) else _bare(f"{value:.{digits}f}")


def signed(value: float | None, digits: int = 4) -> str:
    """+.0012, with a true minus."""
    return NOTHING if _missing(value) else _bare(f"{value:+.{digits}f}").replace("-", MINUS)


def p_value(value: float | None) -> str:
    """.032; < .001 below that."""
    if _missing(value):
        return NOTHING
    return "< .001" if value < 0.001 else "1" if value > 0.9995 else number(value, 3)  # type: ignore[operator]


def percent(value: float | None) -> str:
    """12 %."""
    return NOTHING if _missing(value) else f"{100 * value:.0f} %"  # type: ignore[operator]


def cost(value: float | None, digits: int = 0) -> str:
    """1,234."""
    return NOTHING if _missing(value) else f"{value:,.{digits}f}"


def _bare(text: str) -> str:
    return re.sub(r"^([+-]?)0\.", r"\1.", text)


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


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
