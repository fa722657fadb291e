"""Plots of the report card, drawn here as SVG: the stylesheet colours them, in light and in dark.

Each says in words what it shows, and its page has a table of the same figures beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from markupsafe import Markup

from app.domain.reliability import Bin, Step
from app.domain.report_card import Week
from app.domain.score import Share
from app.web import speech
from app.web.speech import say

_WIDTH, _HEIGHT = 440, 274
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 420, 20, 236
_TICKS = 4  # of an axis
_MARGIN = 10.0  # per cent: figures near the edge of a plot are hard to read

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """Where per cents lie in the picture: across from 0 to 100, upward from `floor`."""

    floor: float = 0.0

    def place(self, x: float, y: float) -> Place:
        share = (y - self.floor) / (100 - self.floor)
        return _LEFT + (_RIGHT - _LEFT) * x / 100, _BOTTOM - (_BOTTOM - _TOP) * max(0.0, share)

    @property
    def ticks(self) -> list[float]:
        return [self.floor + (100 - self.floor) * n / _TICKS for n in range(_TICKS + 1)]


def reliability(name: str, bins: Sequence[Bin]) -> Markup:
    """What was said against what was right; where both agree there is a dashed line.

    What there is too little of has a hollow dot, and no line leads to it.
    """
    plane = Plane()
    places = [plane.place(100 * one.said, one.right.percent) for one in bins]
    firm = [place for place, one in zip(places, bins, strict=True) if not one.right.few]
    parts = [
        _line("diag", [plane.place(0, 0), plane.place(100, 100)]),
        *(_spread(plane, 100 * one.said, one.right) for one in bins),
        _line("ln", firm),
        *(
            _dot(place, 3 + log10(one.right.n), "pt few" if one.right.few else "pt")
            for place, one in zip(places, bins, strict=True)
        ),
    ]
    return _chart(
        name,
        (say("Said and right"), say("How often it was right, by the probability it had said.")),
        [*_axes(plane, plane, (say("said, %"), say("right, %"))), *parts],
    )


def thresholds(name: str, steps: Sequence[Step], as_it_is: tuple[Share, Share] | None) -> Markup:
    """How much a threshold lets through against how much of that is right."""
    shown = [(one.covered, one.right) for one in steps if one.right and not one.right.few]
    low = min([right.percent for _, right in shown], default=0.0)
    floor = max(0.0, 20.0 * ((low - _MARGIN) // 20))
    plane = Plane(floor)
    places = [plane.place(covered.percent, right.percent) for covered, right in shown]
    parts = [_line("ln", places), *(_dot(place, 3.5) for place in places)]
    if as_it_is:
        covered, right = as_it_is
        x, y = plane.place(covered.percent, right.percent)
        parts += [
            _line("here-line", [(x, _TOP), (x, _BOTTOM)]),
            _dot((x, y), 5),
            _text((x - 8 if x > _WIDTH / 2 else x + 8, min(y + 18, _BOTTOM - 6)), say("as it is"),
                  "em", "end" if x > _WIDTH / 2 else "start"),
        ]  # fmt: skip
    return _chart(
        name,
        (say("Answers given and right"),
         say("How many of the answers given are right, by how many it gives.")),
        [*_axes(Plane(), plane, (say("given, %"), say("right, %"))), *parts],
    )  # fmt: skip


def weeks(name: str, found: Sequence[Week]) -> Markup:
    """How often people changed what was said, week by week."""
    plane, apart = Plane(), 100 / len(found)
    known = [
        ((number + 0.5) * apart, week.changed)
        for number, week in enumerate(found)
        if week.changed is not None
    ]
    places = [plane.place(x, changed.percent) for x, changed in known]
    parts = [
        *(_spread(plane, x, changed) for x, changed in known),
        _line("ln", places),
        *(_dot(place, 3.5) for place in places),
        *(
            _text((plane.place((number + 0.5) * apart, 0)[0], _BOTTOM + 18),
                  speech.date_of(week.begins), "", "middle")
            for number, week in enumerate(found)
            if number % 3 == 0
        ),
    ]  # fmt: skip
    return _chart(
        name,
        (say("Changed by people"), say("How many of its answers people changed, week by week.")),
        [*_grid(plane), _text((_LEFT + 8, _TOP - 4), say("changed, %")), *parts],
    )


def _chart(name: str, words: tuple[str, str], parts: Iterable[Markup]) -> Markup:
    title, description = words
    return Markup(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t" '
        'aria-describedby="{name}-d"><title id="{name}-t">{title}</title>'
        '<desc id="{name}-d">{description}</desc>{parts}</svg>'
    ).format(
        width=_WIDTH,
        height=_HEIGHT,
        name=name,
        title=title,
        description=description,
        parts=Markup("").join(parts),
    )


def _axes(across: Plane, upward: Plane, words: tuple[str, str]) -> list[Markup]:
    said, right = words
    below = [
        _text((across.place(tick, 0)[0], _BOTTOM + 18), f"{tick:.0f}", "", "middle")
        for tick in across.ticks
    ]
    named = [
        _text((_RIGHT, _BOTTOM + 34), said, "", "end"),
        _text((_LEFT + 8, _TOP - 4), right),
    ]
    return [*_grid(upward), *below, *named]


def _grid(plane: Plane) -> list[Markup]:
    parts = []
    for tick in plane.ticks:
        y = plane.place(0, tick)[1]
        parts += [
            _line("ax", [(_LEFT, y), (_RIGHT, y)]),
            _text((_LEFT - 8, y + 4), f"{tick:.0f}", "", "end"),
        ]
    return parts


def _line(look: str, places: Sequence[Place]) -> Markup:
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return Markup('<path class="{}" d="M{}"/>').format(look, path) if places else Markup("")


def _spread(plane: Plane, x: float, share: Share) -> Markup:
    return _line("ci", [plane.place(x, share.low), plane.place(x, share.high)])


def _dot(place: Place, radius: float, look: str = "pt") -> Markup:
    x, y = place
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(
        look, f"{x:.1f}", f"{y:.1f}", f"{radius:.1f}"
    )


def _text(place: Place, words: str, look: str = "", anchor: str = "start") -> Markup:
    x, y = place
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        look, f"{x:.1f}", f"{y:.1f}", anchor, words
    )
