"""What a report card comes to, as the few points a person needs to know."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.domain import score
from app.domain.drift import Moved
from app.domain.report_card import Card, GroupLine, LabelLine
from app.domain.score import FEWEST, Share

EXAMPLES = 30  # of a label, before one may think of leaving it alone
WANTED = 90.0  # per cent right, at the least, of what nobody looks at
_NAMED = 2  # labels; whoever wants them all looks at the table
_UNLABELLED = 5  # drawn inquiries that may lack a word of people before it is asked for


class Point(StrEnum):
    NOBODY_SPOKE = "nobody_spoke"
    FEW_DRAWN = "few_drawn"
    RIGHT = "right"
    GIVEN = "given"
    NEVER_GIVEN = "never_given"
    MISSING = "missing"  # drawn, and nobody said what they are
    OVERSURE = "oversure"
    UNDERSURE = "undersure"
    TRUSTED = "trusted"
    UNTRIED = "untried"  # too few to hold probabilities against
    READY = "ready"
    FEW_EXAMPLES = "few_examples"
    TOO_OFTEN_WRONG = "too_often_wrong"
    NOT_CERTAIN = "not_certain"  # right often enough, but of too few
    OTHERS_FEW = "others_few"
    WEAK_LANGUAGE = "weak_language"
    LETS_THROUGH = "lets_through"  # gives labels to what is no inquiry
    CHANGED_MORE = "changed_more"
    CHANGED_LESS = "changed_less"
    UNSURE_MOVED = "unsure_moved"
    LABELS_MOVED = "labels_moved"
    LANGUAGES_MOVED = "languages_moved"
    NOVELTY_MOVED = "novelty_moved"
    CALM = "calm"
    NEW = "new"  # too little of it to tell whether anything moved


WARNS = frozenset(
    {
        Point.OVERSURE, Point.FEW_EXAMPLES, Point.TOO_OFTEN_WRONG, Point.WEAK_LANGUAGE,
        Point.LETS_THROUGH, Point.CHANGED_MORE, Point.UNSURE_MOVED, Point.LABELS_MOVED,
        Point.LANGUAGES_MOVED, Point.NOVELTY_MOVED,
    }
)  # fmt: skip
PRAISES = frozenset({Point.READY, Point.TRUSTED, Point.CALM, Point.CHANGED_LESS})


@dataclass(frozen=True, slots=True)
class Finding:
    point: Point
    label: str = ""  # or the language it is about
    n: int = 0
    share: Share | None = None
    beside: Share | None = None
    said: float = 0.0

    @property
    def tone(self) -> str:
        return "warns" if self.point in WARNS else "praises" if self.point in PRAISES else "tells"


def of_card(card: Card) -> tuple[Finding, ...]:
    """The most important first. Whatever cannot be told yet is said to be so."""
    if not card.judged:
        return (Finding(Point.NOBODY_SPOKE, n=card.seen), *_of_drift(card))
    return (
        *_of_drawn(card),
        *_of_labels(card.labels),
        *_of_languages(card),
        *_of_probabilities(card),
        *_of_strangers(card),
        *_of_drift(card),
    )


def _of_drawn(card: Card) -> Iterator[Finding]:
    missing = card.drawn - card.drawn_judged
    if card.right is None or card.right.few:
        yield Finding(Point.FEW_DRAWN, n=missing, share=card.right)
        return
    yield Finding(Point.RIGHT, share=card.right)
    if card.given and card.right_given:
        yield Finding(Point.GIVEN, share=card.given, beside=card.right_given)
    else:
        yield Finding(Point.NEVER_GIVEN)
    if missing >= _UNLABELLED and missing * 10 > card.drawn:
        yield Finding(Point.MISSING, n=missing)


def _of_labels(lines: Sequence[LabelLine]) -> Iterator[Finding]:
    """Which may be left to the model, and which may not and why."""
    known = [line for line in lines if line.examples >= EXAMPLES]
    judged = [(line, line.precision) for line in known if line.precision is not None]
    for line, share in judged:
        if share.low >= WANTED:
            yield Finding(Point.READY, line.label, line.examples, share)
    wrong = sorted(
        ((line, share) for line, share in judged if share.low < WANTED and not share.few),
        key=lambda one: one[1].percent,
    )
    for line, share in wrong[:_NAMED]:
        point = Point.TOO_OFTEN_WRONG if share.percent < WANTED else Point.NOT_CERTAIN
        yield Finding(point, line.label, line.examples, share)
    few = [line for line in lines if line.examples < EXAMPLES]
    # Whatever has come up is of more interest than what never did.
    named = [line for line in few if line.examples][:_NAMED] or few[:1]
    for line in named:
        yield Finding(Point.FEW_EXAMPLES, line.label, line.examples)
    if len(few) > len(named):
        yield Finding(Point.OTHERS_FEW, n=len(few) - len(named))


def _of_languages(card: Card) -> Iterator[Finding]:
    for line in card.languages:
        rest = _others(card.languages, line)
        if line.right and rest and not line.right.few and line.right.high < rest.low:
            yield Finding(Point.WEAK_LANGUAGE, line.key, line.n, line.right, rest)


def _others(lines: Sequence[GroupLine], but: GroupLine) -> Share | None:
    shares = [line.right for line in lines if line is not but and line.right]
    n = sum(one.n for one in shares)
    return score.share(sum(one.hits for one in shares), n) if n >= FEWEST else None


def _of_probabilities(card: Card) -> Iterator[Finding]:
    if card.said is None:
        yield Finding(Point.UNTRIED)
        return
    right = score.share(
        sum(one.right.hits for one in card.bins), sum(one.right.n for one in card.bins)
    )
    said = 100 * card.said
    point = Point.TRUSTED
    if said > right.high:
        point = Point.OVERSURE
    elif said < right.low:
        point = Point.UNDERSURE
    yield Finding(point, share=right, said=card.said)


def _of_strangers(card: Card) -> Iterator[Finding]:
    if card.silent and not card.silent.few and card.silent.percent < 50:
        yield Finding(Point.LETS_THROUGH, share=card.silent)


def _of_drift(card: Card) -> Iterator[Finding]:
    moved = card.drift
    found = [
        Finding(point, share=now, beside=before)
        for point, shift, before, now in (
            (Point.UNSURE_MOVED, moved.unsure, moved.unsure_before, moved.unsure_now),
            (Point.LABELS_MOVED, moved.labels, None, None),
            (Point.LANGUAGES_MOVED, moved.languages, None, None),
            (Point.NOVELTY_MOVED, moved.novelty, None, None),
        )
        if shift.state is Moved.MOVED
    ]
    yield from found
    if moved.changed.state is Moved.MOVED and moved.changed_before and moved.changed_now:
        before, now = moved.changed_before, moved.changed_now
        point = Point.CHANGED_MORE if now.percent > before.percent else Point.CHANGED_LESS
        yield Finding(point, share=now, beside=before)
        found.append(Finding(point))
    if moved.labels.state is Moved.UNKNOWN:
        yield Finding(Point.NEW)
    elif not found:
        yield Finding(Point.CALM)
