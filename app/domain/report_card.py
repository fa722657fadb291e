"""How good triage is at one of its questions, worked out from what people said afterwards."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.domain import drift, reliability, score
from app.domain.drift import Shift
from app.domain.reliability import Bin, Step
from app.domain.score import Share

PERIOD = timedelta(weeks=4)  # whose inquiries are compared …
REFERENCE = timedelta(weeks=12)  # … with those of that long before
WEEKS = 12  # of which it is shown how often people changed what was said
ENOUGH = 50  # judged inquiries before probabilities are held against them
THRESHOLDS = (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.0)
_SHARE_MOVED = 0.02  # of the index: about six points more or less of a fifth


@dataclass(frozen=True, slots=True)
class Guessed:
    """What was said of one inquiry, and what a person said of it afterwards."""

    at: datetime
    language: str
    drawn: bool  # by chance, and not because it was looked at
    guess: str  # the likeliest answer, whether it was given or not
    probability: float
    given: bool  # sure enough to be given
    novelty: float
    model: str
    truth: str | None = None  # "" that it is no inquiry; None while nobody spoke
    judged_at: datetime | None = None

    @property
    def right(self) -> bool:
        return self.guess == self.truth


@dataclass(frozen=True, slots=True)
class LabelLine:
    """One answer: `examples` are all that people ever gave, `n` those that can be judged here."""

    label: str
    examples: int
    n: int
    precision: Share | None  # of those it was given to
    recall: Share | None  # of those it belongs to


@dataclass(frozen=True, slots=True)
class GroupLine:
    """Some of the inquiries: those in one language, or those one version answered."""

    key: str
    n: int
    right: Share | None
    given: Share | None
    right_given: Share | None


@dataclass(frozen=True, slots=True)
class Week:
    begins: date  # a Monday
    changed: Share | None  # of what was given and a person spoke about


@dataclass(frozen=True, slots=True)
class Drift:
    """The last weeks against those before. Novelty: of one version only, others measure anew."""

    unsure_before: Share | None
    unsure_now: Share | None
    unsure: Shift
    labels: Shift
    languages: Shift
    novelty: Shift
    changed_before: Share | None  # by people, of what was given and they spoke about
    changed_now: Share | None
    changed: Shift
    shares: tuple[tuple[str, int, int], ...]  # label, how often before, how often now


@dataclass(frozen=True, slots=True)
class Card:
    seen: int
    judged: int  # also those that are no inquiry
    drawn: int
    drawn_judged: int
    right: Share | None  # this and the next two: of those drawn
    given: Share | None
    right_given: Share | None
    silent: Share | None  # of what is no inquiry: nothing was said
    of_drawn: bool  # what follows is of those drawn; else of all, for they are too few
    said: float | None  # its probability, on average
    error: float | None
    bins: tuple[Bin, ...]
    steps: tuple[Step, ...]
    as_it_is: tuple[Share, Share] | None  # given and right, as thresholds are now
    labels: tuple[LabelLine, ...]  # this and the rest: of all that was judged
    languages: tuple[GroupLine, ...]
    versions: tuple[GroupLine, ...]
    weeks: tuple[Week, ...]
    drift: Drift


def of_head(
    guessed: Sequence[Guessed], examples: Mapping[str, int], now: datetime, since: datetime
) -> Card:
    """From all that was `guessed`, newest first. Figures are of what came since `since`; drift
    and weeks have their own times."""
    recent = [one for one in guessed if one.at >= since]
    judged = [one for one in recent if one.truth]
    drawn = [one for one in judged if one.drawn]
    strangers = [one for one in recent if one.truth == ""]
    enough = len(drawn) >= ENOUGH
    shown = drawn if enough else judged
    told = [(one.probability, one.right) for one in shown] if len(shown) >= ENOUGH else []
    covered, exact = _share(shown, _given), _share(filter(_given, shown), _right)
    return Card(
        seen=len(recent),
        judged=len(judged) + len(strangers),
        drawn=sum(one.drawn for one in recent),
        drawn_judged=sum(one.drawn and one.truth is not None for one in recent),
        right=_share(drawn, _right),
        given=_share(drawn, _given),
        right_given=_share(filter(_given, drawn), _right),
        silent=_share(strangers, _unsure),
        of_drawn=enough,
        said=sum(p for p, _ in told) / len(told) if told else None,
        error=reliability.calibration_error(told) if told else None,
        bins=reliability.bins(told),
        steps=reliability.steps(told, THRESHOLDS),
        as_it_is=(covered, exact) if told and covered and exact else None,
        labels=_labels(judged, examples),
        languages=_groups(judged, lambda one: one.language),
        versions=_groups(judged, lambda one: one.model),
        weeks=_weeks(guessed, now),
        drift=_drift(guessed, now),
    )


def _right(one: Guessed) -> bool:
    return one.right


def _wrong(one: Guessed) -> bool:
    return not one.right


def _given(one: Guessed) -> bool:
    return one.given


def _unsure(one: Guessed) -> bool:
    return not one.given


def _share(some: Iterable[Guessed], which: Callable[[Guessed], bool]) -> Share | None:
    """None of none: there is no share of nothing."""
    found = [which(one) for one in some]
    return score.share(sum(found), len(found)) if found else None


def _labels(judged: Sequence[Guessed], examples: Mapping[str, int]) -> tuple[LabelLine, ...]:
    """The commonest first."""
    said, belongs = defaultdict(list), defaultdict(list)
    for one in judged:
        belongs[one.truth or ""].append(one)
        if one.given:
            said[one.guess].append(one)
    lines = [
        LabelLine(
            label=label,
            examples=examples.get(label, 0),
            n=len(belongs[label]),
            precision=_share(said[label], _right),
            recall=_share(belongs[label], lambda one: one.given and one.right),
        )
        for label in {*examples, *said, *belongs} - {""}
    ]
    return tuple(sorted(lines, key=lambda line: (-line.examples, -line.n, line.label)))


def _groups(judged: Sequence[Guessed], key: Callable[[Guessed], str]) -> tuple[GroupLine, ...]:
    """The largest first."""
    groups: dict[str, list[Guessed]] = defaultdict(list)
    for one in judged:
        groups[key(one)].append(one)
    lines = [
        GroupLine(
            key=name,
            n=len(some),
            right=_share(some, _right),
            given=_share(some, _given),
            right_given=_share(filter(_given, some), _right),
        )
        for name, some in groups.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.n, line.key)))


def _overridden(guessed: Iterable[Guessed]) -> list[Guessed]:
    """What was given, and confirmed or changed by a person."""
    return [one for one in guessed if one.given and one.truth is not None and one.judged_at]


def _weeks(guessed: Sequence[Guessed], now: datetime) -> tuple[Week, ...]:
    """The newest last; weeks without a word of anybody as well."""
    this = now.date() - timedelta(days=now.weekday())
    spoken: dict[date, list[Guessed]] = defaultdict(list)
    for one in _overridden(guessed):
        if one.judged_at:
            day = one.judged_at.date()
            spoken[day - timedelta(days=day.weekday())].append(one)
    mondays = [this - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    return tuple(Week(monday, _share(spoken[monday], _wrong)) for monday in mondays)


def _drift(guessed: Sequence[Guessed], now: datetime) -> Drift:
    border, start = now - PERIOD, now - PERIOD - REFERENCE
    later = [one for one in guessed if one.at >= border]
    before = [one for one in guessed if start <= one.at < border]
    version = guessed[0].model if guessed else ""
    spoken = [(one.judged_at, one) for one in _overridden(guessed) if one.judged_at]
    kept, keeps = (
        [one for at, one in spoken if start <= at < border],
        [one for at, one in spoken if at >= border],
    )
    had, has = (Counter(one.guess for one in side) for side in (before, later))
    return Drift(
        unsure_before=_share(before, _unsure),
        unsure_now=_share(later, _unsure),
        unsure=_kinds(before, later, lambda one: str(one.given), _SHARE_MOVED),
        labels=drift.of_kinds(had, has),
        languages=_kinds(before, later, lambda one: one.language),
        novelty=drift.of_values(
            [one.novelty for one in before if one.model == version],
            [one.novelty for one in later if one.model == version],
        ),
        changed_before=_share(kept, _wrong),
        changed_now=_share(keeps, _wrong),
        changed=_kinds(kept, keeps, lambda one: str(one.right), _SHARE_MOVED),
        shares=tuple(
            (label, had[label], has[label])
            for label in sorted({*had, *has}, key=lambda one: (-had[one] - has[one], one))
        ),
    )


def _kinds(
    before: Iterable[Guessed],
    later: Iterable[Guessed],
    kind: Callable[[Guessed], str],
    least: float = drift.MUCH,
) -> Shift:
    return drift.of_kinds(Counter(map(kind, before)), Counter(map(kind, later)), least)
