"""The touchpoint map: what was counted, laid out as stages by segments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain import score

OUT_OF_SIGHT = frozenset({"A", "B"})
"""Anchors that inquiries hardly show: a customer who only hears of us does not write."""

_STEPS = (65.0, 75.0, 80.0, 85.0)  # where one colour of the map ends and the next begins


@dataclass(frozen=True, slots=True)
class Tally:
    """What one anchor and segment came to."""

    anchor: str
    segment_id: int
    contacts: int
    customers: int
    answers: int
    satisfied: int


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    anchors: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    key: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    column: Column
    line: Line
    contacts: int
    share: score.Share | None

    @property
    def blind(self) -> bool:
        """Nothing was seen where inquiries cannot see: that is not the same as zero."""
        return self.contacts == 0 and OUT_OF_SIGHT.issuperset(self.column.anchors)

    @property
    def level(self) -> int:
        """One of five colours, 3 where there is no rate to show."""
        if self.share is None or self.share.few:
            return 3
        return 1 + sum(self.share.percent >= step for step in _STEPS)


@dataclass(frozen=True, slots=True)
class Map:
    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, tuple[Cell, ...]], ...]
    unplaced: int  # contacts whose stage nobody knows yet
    inquiries: int = 0  # that have a stage
    suggested: int = 0  # of those, the ones whose stage the model suggests and nobody confirmed

    @property
    def contacts(self) -> int:
        return self.unplaced + sum(cell.contacts for _, cells in self.rows for cell in cells)

    @property
    def answers(self) -> int:
        return sum(cell.share.n for _, cells in self.rows for cell in cells if cell.share)


def lay_out(tallies: Iterable[Tally], columns: Sequence[Column], lines: Sequence[Line]) -> Map:
    """Every column is a stage of the vocabulary in force; anchors it merges are added up."""
    found = {(tally.anchor, tally.segment_id): tally for tally in tallies}
    rows = tuple((line, tuple(_cell(found, column, line) for column in columns)) for line in lines)
    placed = {anchor for column in columns for anchor in column.anchors}
    unplaced = sum(t.contacts for (anchor, _), t in found.items() if anchor not in placed)
    return Map(tuple(columns), rows, unplaced)


def _cell(found: Mapping[tuple[str, int], Tally], column: Column, line: Line) -> Cell:
    parts = [found[key] for anchor in column.anchors if (key := (anchor, line.id)) in found]
    answers = sum(part.answers for part in parts)
    satisfied = sum(part.satisfied for part in parts)
    return Cell(
        column=column,
        line=line,
        contacts=sum(part.contacts for part in parts),
        share=score.share(satisfied, answers) if answers else None,
    )
