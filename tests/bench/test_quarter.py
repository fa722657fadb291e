"""The simulated quarter counts what it should; how good triage is, it does not assert."""

import random
from xml.etree import ElementTree

from bench.quarter import plot
from bench.quarter.__main__ import table
from bench.quarter.curves import MEASURES, Point, curve
from bench.quarter.firms import Firm, named
from bench.quarter.simulate import Plan, Week, judged, quarter
from classifier.encoders import Nothing
from classifier.tables import OUT_OF_SCOPE, Example


def shop() -> Firm:
    texts = {
        "delivery": "when does parcel {} arrive",
        "price_list": "what does chair {} cost",
        OUT_OF_SCOPE: "we apply for job {} with you",
    }
    rows = [
        Example(text.format("abcdefgh"[n]), label, "en")
        for label, text in texts.items()
        for n in range(8)
    ]
    return named("A shop", [*rows, Example("once only", "odd", "en")], "en")


def test_each_inquiry_is_asked_once_and_learned_for_the_next_week() -> None:
    firm = shop()

    weeks = list(quarter(firm, 1, Nothing(), Plan(weeks=2, most=20)))

    assert dict(firm.topics) == {"delivery": {"en": "delivery"}, "price_list": {"en": "price list"}}
    assert [week.asked + week.strange for week in weeks] == [10, 10]
    assert weeks[0].labelled == 0  # of names alone it knows not how far to trust itself
    assert weeks[1].right == weeks[1].asked


def test_a_person_is_wrong_now_and_then() -> None:
    firm, chance = shop(), random.Random(0)

    said = [judged(firm, firm.inquiries[0], chance, 0.5) for _ in range(100)]
    strange = judged(firm, firm.inquiries[-1], chance, 0.0)

    assert set(said) == {"delivery", "price_list", ""}
    assert 30 < said.count("delivery") < 70
    assert strange == ""


def test_curves_are_means_with_the_lowest_and_the_highest() -> None:
    orders = [[Week(4, 1, 0, 0, 0, 0, 0)], [Week(4, 3, 2, 1, 0, 0, 0)]]

    found = [curve(orders, measure) for measure in MEASURES]

    assert found == [
        [Point(0.5, 0.25, 0.75)],
        [Point(0.25, 0.0, 0.5)],
        [Point(0.5, 0.5, 0.5)],
        [None],
    ]
    assert list(table("A shop", orders))[-1] == (
        "| 1 | 0 | 50 (25 to 75) | 25 (0 to 50) | 50 (50 to 50) |  | 0 (0 to 0) |"
    )


def test_drawing_has_a_panel_for_each_and_a_band_for_each_line() -> None:
    weeks = [Week(4, 1, 2, 1, 0, 2, 1), Week(4, 3, 2, 1, 0, 2, 1)]

    said = plot.drawn({"A & B": [weeks, weeks], "C": [weeks]})

    drawing = ElementTree.fromstring(said)  # noqa: S314 - our own
    svg = "{http://www.w3.org/2000/svg}"
    panels = drawing.findall(f"{svg}g")
    assert [len(panel.findall(f"{svg}polygon")) for panel in panels] == [4, 4]
    assert [panel.findtext(f"{svg}text") for panel in panels] == ["A & B", "C"]
