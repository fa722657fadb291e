"""Plots: what they say to those who do not see them, and that nothing leaves the picture."""

import re
from datetime import date, timedelta

import pytest

from app.domain import reliability
from app.domain.report_card import THRESHOLDS, Week
from app.domain.score import share
from app.web import charts

SAID: reliability.Said = [(n / 100, n % 3 > 0) for n in range(1, 101)]


def drawn() -> list[str]:
    monday = date(2026, 8, 31)
    weeks = [Week(monday + timedelta(weeks=n), share(n, 20) if n % 2 else None) for n in range(12)]
    return [
        str(charts.reliability("a", reliability.bins(SAID))),
        str(
            charts.thresholds(
                "b", reliability.steps(SAID, THRESHOLDS), (share(80, 100), share(50, 80))
            )
        ),
        str(charts.thresholds("c", (), None)),
        str(charts.weeks("d", weeks)),
    ]


@pytest.mark.parametrize("picture", drawn(), ids="abcd")
def test_a_plot_has_a_name_a_description_and_stays_in_its_frame(picture: str) -> None:
    numbers = [
        (float(x), float(y))
        for x, y in re.findall(r"(?<=[ML])(-?[\d.]+) (-?[\d.]+)", picture)
        + re.findall(r'cx="(-?[\d.]+)" cy="(-?[\d.]+)"', picture)
    ]

    assert re.fullmatch(
        r'<svg class="chart" viewBox="0 0 440 274" role="img" aria-labelledby="\w-t" '
        r'aria-describedby="\w-d"><title id="\w-t">[^<]+</title><desc id="\w-d">[^<]+</desc>'
        r".*</svg>",
        picture,
    )
    assert [(x, y) for x, y in numbers if not (44 <= x <= 420 and 20 <= y <= 236)] == []
    assert "style=" not in picture
