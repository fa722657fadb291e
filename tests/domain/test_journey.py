"""Laying out the touchpoint map."""

from app.domain.journey import Cell, Column, Line, Tally, lay_out
from app.domain.score import share

SEEN = Column("using", ("E", "F"), {"en": "Using"})
UNSEEN = Column("awareness", ("A",), {"en": "Awareness"})
LINE = Line(1, "returning", {"en": "Returning"})


def test_lay_out_adds_up_the_anchors_a_stage_merges() -> None:
    tallies = [Tally("E", 1, 4, 3, 2, 2), Tally("F", 1, 8, 5, 10, 7), Tally("", 1, 3, 2, 0, 0)]

    found = lay_out(tallies, [UNSEEN, SEEN], [LINE])

    assert found.rows == (
        (LINE, (Cell(UNSEEN, LINE, 0, None), Cell(SEEN, LINE, 12, share(9, 12)))),
    )
    assert (found.unplaced, found.contacts, found.answers) == (3, 15, 12)


def test_cell_nothing_can_be_seen_in_is_not_an_empty_one() -> None:
    assert Cell(UNSEEN, LINE, 0, None).blind
    assert not Cell(UNSEEN, LINE, 1, None).blind
    assert not Cell(SEEN, LINE, 0, None).blind


def test_cell_is_coloured_by_its_share_unless_answers_are_few() -> None:
    levels = [Cell(SEEN, LINE, 9, share(hits, 20)).level for hits in (5, 14, 15, 16, 19)]

    assert levels == [1, 2, 3, 4, 5]
    assert Cell(SEEN, LINE, 9, share(0, 9)).level == 3
