"""Names and numbers as the page shows them."""

import math
import re

from markupsafe import Markup, escape

MINUS, NOTHING = "\u2212", "\u2013"  # a true minus; a dash where there is no number


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
