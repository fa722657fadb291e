"""The figures of a report card, and what it comes to, worked out by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain import findings, report_card
from app.domain.drift import Moved
from app.domain.findings import Point
from app.domain.report_card import Card, GroupLine, Guessed, LabelLine
from app.domain.score import share

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
SINCE = NOW - timedelta(days=90)

ONE = Guessed(
    at=NOW - timedelta(days=3),
    language="en",
    drawn=True,
    guess="order",
    probability=0.8,
    given=True,
    novelty=1.0,
    model="m1",
    truth="order",
    judged_at=NOW - timedelta(days=2),
)
WRONG = replace(ONE, truth="fault")
UNSURE = replace(ONE, given=False, probability=0.3)
UNSEEN = replace(ONE, truth=None, judged_at=None)
STRANGE = replace(ONE, truth="")
CHOSEN = replace(ONE, drawn=False)


def card(*some: Guessed, examples: dict[str, int] | None = None) -> Card:
    return report_card.of_head(some, examples or {}, NOW, SINCE)


def points(found: Card) -> list[str]:
    return [one.point.value for one in findings.of_card(found)]


def test_only_what_was_drawn_measures_the_model() -> None:
    found = card(
        *[ONE] * 6, WRONG, UNSURE, UNSEEN, UNSEEN, STRANGE, replace(STRANGE, given=False),
        *[replace(WRONG, drawn=False)] * 5, replace(ONE, at=SINCE - timedelta(days=1)),
    )  # fmt: skip

    assert (found.seen, found.judged) == (17, 15)
    assert (found.drawn, found.drawn_judged) == (12, 10)
    assert found.right == share(7, 8)
    assert found.given == share(7, 8)
    assert found.right_given == share(6, 7)
    assert found.silent == share(1, 2)
    assert (found.bins, found.steps, found.error) == ((), (), None)


@pytest.mark.parametrize(("drawn", "of_drawn"), [(49, False), (50, True)])
def test_curves_are_of_all_while_too_few_are_drawn(drawn: int, of_drawn: bool) -> None:
    found = card(*[ONE] * drawn, *[replace(WRONG, drawn=False)] * 10)

    assert found.of_drawn is of_drawn
    assert found.bins[0].right == (share(50, 50) if of_drawn else share(49, 59))
    assert found.error == pytest.approx(0.2 if of_drawn else abs(0.8 - 49 / 59))
    assert found.as_it_is == (
        (share(50, 50), share(50, 50)) if of_drawn else (share(59, 59), share(49, 59))
    )


def test_every_answer_and_language_has_its_line() -> None:
    german = replace(ONE, language="de", model="m2")

    found = card(
        *[ONE] * 3, WRONG, replace(UNSURE, guess="fault", truth="fault"), german,
        examples={"order": 40, "fault": 2, "price": 0},
    )  # fmt: skip

    assert found.labels == (
        LabelLine("order", 40, 4, share(4, 5), share(4, 4)),
        LabelLine("fault", 2, 2, None, share(0, 2)),
        LabelLine("price", 0, 0, None, None),
    )
    assert found.languages == (
        GroupLine("en", 5, share(4, 5), share(4, 5), share(3, 4)),
        GroupLine("de", 1, share(1, 1), share(1, 1), share(1, 1)),
    )
    assert [(line.key, line.n) for line in found.versions] == [("m1", 5), ("m2", 1)]


def test_weeks_begin_on_mondays_and_count_what_was_given_and_judged() -> None:
    long_ago = replace(ONE, judged_at=NOW - timedelta(weeks=12))
    sunday = replace(WRONG, judged_at=datetime(2026, 11, 15, 23, 59, tzinfo=UTC))

    weeks = card(ONE, WRONG, UNSURE, UNSEEN, STRANGE, sunday, long_ago).weeks

    assert [week.begins for week in weeks[-2:]] == [date(2026, 11, 9), date(2026, 11, 16)]
    assert [week.changed for week in weeks] == [None] * 10 + [share(1, 1), share(2, 3)]


def test_drift_compares_four_weeks_with_the_twelve_before() -> None:
    before = replace(UNSEEN, at=NOW - timedelta(days=60))
    later = replace(UNSEEN, guess="fault", language="de", given=False, novelty=0.2)
    too_old = replace(UNSEEN, at=NOW - timedelta(days=113))

    drift = card(*[later] * 60, *[before] * 100, *[too_old] * 500).drift

    assert (drift.unsure_before, drift.unsure_now) == (share(0, 100), share(60, 60))
    assert drift.shares == (("order", 100, 0), ("fault", 0, 60))
    assert {one.state for one in (drift.unsure, drift.labels, drift.languages, drift.novelty)} == {
        Moved.MOVED
    }
    assert drift.changed.state is Moved.UNKNOWN


def test_novelty_is_compared_within_one_version_only() -> None:
    before = replace(UNSEEN, at=NOW - timedelta(days=60), novelty=5.0, model="m0")

    assert card(*[UNSEEN] * 60, *[before] * 100).drift.novelty.state is Moved.UNKNOWN


GERMAN = replace(WRONG, language="de")
OLD = replace(UNSEEN, at=NOW - timedelta(days=60))


@pytest.mark.parametrize(
    ("some", "examples", "expected"),
    [
        ([], {}, ["nobody_spoke", "new"]),
        ([UNSEEN] * 9, {}, ["nobody_spoke", "new"]),
        ([ONE] * 9, {}, ["few_drawn", "untried", "new"]),
        ([CHOSEN] * 60, {}, ["few_drawn", "undersure", "new"]),
        ([ONE] * 10, {"order": 29}, ["right", "given", "few_examples", "untried", "new"]),
        ([UNSURE] * 10, {}, ["right", "never_given", "untried", "new"]),
        ([ONE] * 10 + [UNSEEN] * 5, {}, ["right", "given", "missing", "untried", "new"]),
        ([ONE] * 48 + [WRONG] * 12, {}, ["right", "given", "trusted", "new"]),
        ([ONE] * 30 + [WRONG] * 30, {"order": 30, "fault": 30},
         ["right", "given", "too_often_wrong", "oversure", "new"]),
        ([ONE] * 20 + [UNSEEN] * 2, {"order": 30},
         ["right", "given", "not_certain", "untried", "new"]),
        ([ONE] * 60, {"order": 90}, ["right", "given", "ready", "undersure", "new"]),
        ([ONE] * 10, {"a": 3, "b": 2, "c": 1, "d": 0},
         ["right", "given", *["few_examples"] * 2, "others_few", "untried", "new"]),
        ([ONE] * 10, {"a": 0, "b": 0},
         ["right", "given", "few_examples", "others_few", "untried", "new"]),
        ([ONE] * 50 + [GERMAN] * 10, {}, ["right", "given", "weak_language", "trusted", "new"]),
        ([ONE] * 10 + [STRANGE] * 10, {}, ["right", "given", "untried", "lets_through", "new"]),
        ([UNSEEN] * 60 + [OLD] * 60, {}, ["nobody_spoke", "calm"]),
        ([replace(UNSEEN, given=False)] * 60 + [OLD] * 60, {}, ["nobody_spoke", "unsure_moved"]),
    ],
)  # fmt: skip
def test_it_comes_to_a_few_points(
    some: Sequence[Guessed], examples: dict[str, int], expected: list[str]
) -> None:
    found = points(card(*some, examples=examples))

    # Without a word on examples the case is not about them.
    assert [
        one for one in found if examples or one not in {"few_examples", "others_few"}
    ] == expected


def test_people_who_change_more_than_before_are_noticed() -> None:
    before = replace(ONE, judged_at=NOW - timedelta(days=60))

    found = findings.of_card(card(*[WRONG] * 30, *[ONE] * 30, *[before] * 60))

    assert [one for one in found if one.point is Point.CHANGED_MORE] == [
        findings.Finding(Point.CHANGED_MORE, share=share(30, 60), beside=share(0, 60))
    ]
