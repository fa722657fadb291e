"""Simulates the quarter: `python -m bench.quarter DATA`. Prints a table, writes the drawing."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.quarter import firms, plot
from bench.quarter.curves import ACTED, MEASURES, Point, curve
from bench.quarter.simulate import Week, quarter
from classifier.encoders import Remembering, of_profile

_ORDERS = 5
_SHOWN = (1, 2, 3, 4, 6, 8, 10, 13)  # weeks in the table
_DRAWING = Path(__file__).parents[2] / "docs" / "img" / "quarter.svg"


def table(name: str, orders: Sequence[Sequence[Week]]) -> Iterator[str]:
    measures = (*MEASURES, ACTED)
    yield f"\n{name}; {len(orders)} orders, mean (lowest to highest), per cent\n"
    yield f"| week | inquiries before | {' | '.join(measure.name for measure in measures)} |"
    yield "|---|---|" + "---|" * len(measures)
    curves = [curve(orders, measure) for measure in measures]
    came = [week.asked + week.strange for week in orders[0]]
    for week in _SHOWN:
        if week <= len(came):
            cells = [str(week), str(sum(came[: week - 1]))]
            yield f"| {' | '.join(cells + [_cell(points[week - 1]) for points in curves])} |"


def _cell(point: Point | None) -> str:
    if point is None:
        return ""
    return f"{100 * point.mean:.0f} ({100 * point.low:.0f} to {100 * point.high:.0f})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quarter", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the CSV files of public sets")
    parser.add_argument("--profile", choices=("encoder", "plain"), default="encoder")
    parser.add_argument("--orders", type=int, default=_ORDERS)
    parser.add_argument("--drawing", type=Path, default=_DRAWING, metavar="FILE.svg")
    asked = parser.parse_args()
    found: dict[str, list[list[Week]]] = {}
    for firm in firms.everybody(asked.data):
        encoder = Remembering(of_profile(asked.profile))
        orders = range(1, asked.orders + 1)
        found[firm.name] = [list(quarter(firm, order, encoder)) for order in orders]
        print("\n".join(table(firm.name, found[firm.name])), flush=True)
    asked.drawing.write_text(plot.drawn(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
