"""The curves of all organisations as one drawing in SVG."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from bench.quarter.curves import MEASURES, Point, curve
from bench.quarter.simulate import Week

# Colours that can be told apart with any eyes; dashes tell them apart in grey.
_LOOKS = (("#0072b2", ""), ("#d55e00", "7 4"), ("#008060", "2 3"), ("#8a4b8f", "9 3 2 3"))
_WIDE, _HIGH = 280, 220  # of one panel's inside
_LEFT, _TOP, _GAP, _BELOW = 48, 78, 64, 46
_MIDDLE = 'text-anchor="middle"'


def drawn(found: Mapping[str, Sequence[Sequence[Week]]]) -> str:
    """A panel for each organisation; a line is the mean of its orders, its band all of them."""
    width = _LEFT + len(found) * (_WIDE + _GAP)
    height = _TOP + _HIGH + _BELOW
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif">',
        "<title>How triage learns in the first thirteen weeks</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_legend(),
    ]
    for number, (name, orders) in enumerate(found.items()):
        lines.append(f'<g transform="translate({_LEFT + number * (_WIDE + _GAP)} {_TOP})">')
        lines += _panel(name, orders)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    for number, (measure, (colour, dash)) in enumerate(zip(MEASURES, _LOOKS, strict=True)):
        left = _LEFT + number * 220
        yield (
            f'<path d="M{left} 22h34" stroke="{colour}" stroke-width="2.5" '
            f'stroke-dasharray="{dash}" fill="none"/>'
        )
        yield _words(left + 42, 26, measure.name)


def _panel(name: str, orders: Sequence[Sequence[Week]]) -> Iterator[str]:
    yield _words(0, -14, name, 'font-weight="bold"')
    for percent in (0, 25, 50, 75, 100):
        height = _across(percent / 100)
        yield f'<path d="M0 {height}H{_WIDE}" stroke="#dddddd"/>'
        yield _words(-6, height + 4, f"{percent} %", 'text-anchor="end"')
    weeks = len(orders[0])
    for week in range(weeks):
        yield _words(_along(week, weeks), _HIGH + 18, str(week + 1), _MIDDLE)
    yield _words(_WIDE / 2, _HIGH + 36, "week", _MIDDLE)
    for measure, (colour, dash) in zip(MEASURES, _LOOKS, strict=True):
        yield from _line(curve(orders, measure), colour, dash)


def _words(along: float, down: float, said: str, how: str = "") -> str:
    place = f'x="{along:g}" y="{down:g}"'
    return f'<text {place} fill="#333333" font-size="12" {how}>{escape(said)}</text>'


def _line(points: Sequence[Point | None], colour: str, dash: str) -> Iterator[str]:
    there = [(_along(week, len(points)), point) for week, point in enumerate(points) if point]
    if not there:
        return
    upper = [f"{along},{_across(point.high)}" for along, point in there]
    lower = [f"{along},{_across(point.low)}" for along, point in reversed(there)]
    yield f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" fill-opacity="0.13"/>'
    middle = " ".join(f"{along},{_across(point.mean)}" for along, point in there)
    yield (
        f'<polyline points="{middle}" fill="none" stroke="{colour}" stroke-width="2.5" '
        f'stroke-dasharray="{dash}"/>'
    )


def _along(week: int, weeks: int) -> float:
    return round(week * _WIDE / max(1, weeks - 1), 1)


def _across(share: float) -> float:
    return round(_HIGH * (1 - share), 1)
