"""When a new version of the model is trained."""

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import Promotion
from app.services import lessons, models, organisation
from app.store.tables import Correction, Lease, ModelVersion

ENOUGH = 25  # new verdicts
_PART = 20  # or this part of all that was learned from
_WAITS = timedelta(days=1)  # the longest any verdict waits
_QUIET = timedelta(minutes=2)  # somebody who is at it goes on


def due(session: Session) -> bool:
    """Whether there is enough new to train on, or somebody asked for it."""
    busy = select(Lease.id).where(Lease.name == models.LEASE, col(Lease.until) > clock.now())
    house = organisation.current(session)
    if house is None or session.exec(busy).first() is not None:
        return False
    last = models.newest(session)
    if house.training_asked_at and (last is None or house.training_asked_at > last.trained_at):
        return True
    if lessons.fingerprint(session) != (last.topics if last else lessons.untouched()):
        return True
    if house.promotion is Promotion.AFTER_A_DAY and models.on_trial(session):
        return False  # its successor would be tried out for a day from anew, and so for ever
    through, learned = (last.through, sum(last.learned.values())) if last else (0, 0)
    number, first, latest = session.exec(
        select(func.count(), func.min(Correction.at), func.max(Correction.at)).where(
            Correction.id > through,
            lessons.teaches(),
        )
    ).one()
    if number and latest > clock.now() - _QUIET:
        return False
    since = [first] if number else []
    if last and (gone := taken_back(session, last)):
        since.append(last.trained_at)  # at the earliest
        number += gone
    many = number >= ENOUGH or (learned > 0 and number * _PART >= learned)
    return bool(since) and (many or min(since) < clock.now() - _WAITS)


def taken_back(session: Session, version: ModelVersion) -> int:
    """Verdicts that were there when it was trained, and are no more.

    Or the other way round: one had its number already, and was written only afterwards.
    """
    return abs(version.verdicts - lessons.verdicts(session, version.through))
