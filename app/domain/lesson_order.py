"""In which order people are asked about inquiries, so that a model learns most from few answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

from app.domain.drawing import drawn


class Because(StrEnum):
    """Why a person is asked about this one."""

    UNCERTAIN = "uncertain"  # its two best guesses are nearly as likely
    UNFAMILIAR = "unfamiliar"  # it is less like what was learned than the rest
    DRAWN = "drawn"  # at random, so that the measure of the model is a fair one
    UNSEEN = "unseen"  # no model has looked at it


@dataclass(frozen=True, slots=True)
class Candidate:
    ref: str
    group: int  # the same of those that are nearly the same
    margin: float | None = None  # between the two best guesses; None when there are none
    novelty: float | None = None


_U, _F, _D = Because.UNCERTAIN, Because.UNFAMILIAR, Because.DRAWN
# Seven, two and one of ten, spread out.
_TURNS = (_U, _U, _F, _U, _U, _D, _U, _U, _F, _U)


def order(candidates: Sequence[Candidate], size: int) -> list[tuple[Candidate, Because]]:
    """At most `size`, one of each group. Where a turn finds nobody, it is the least certain's."""
    known = [one for one in candidates if one.margin is not None]
    unseen = [one for one in candidates if one.margin is None]
    waiting = {
        _U: iter([*sorted(known, key=lambda one: one.margin or 0.0), *unseen]),
        _F: iter(
            sorted(
                (one for one in candidates if one.novelty is not None),
                key=lambda one: one.novelty or 0.0,
            )
        ),
        _D: iter([one for one in candidates if drawn(one.ref)]),
    }
    taken: set[int] = set()
    found: list[tuple[Candidate, Because]] = []
    for turn in cycle(_TURNS):
        if len(found) == size:
            break
        for why in dict.fromkeys((turn, _U)):
            one = next((one for one in waiting[why] if one.group not in taken), None)
            if one is not None:
                taken.add(one.group)
                unsaid = why is _U and one.margin is None
                found.append((one, Because.UNSEEN if unsaid else why))
                break
        else:
            break
    return found
