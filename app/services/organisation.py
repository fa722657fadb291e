"""The organisation that answers: its name, its hours, its rules for asking."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from app.core import clock
from app.core.errors import Conflict, Invalid
from app.domain.words import LANGUAGES as LANGUAGES
from app.services import changes
from app.services.access import Actor, Permission, require
from app.store.tables import Organisation

POLICIES = ("de-strict", "opt-out")
LONGEST = 3650  # days
_ALREADY = "The organisation is set up already; change it in the settings."


@dataclass(frozen=True, slots=True)
class NewOrganisation:
    name: str
    time_zone: str
    language: str
    feedback_notice: bool = False  # customers are told of requests where their address is taken


@dataclass(frozen=True, slots=True)
class Rules:
    """What the administrators decide about answering and asking."""

    ask_feedback: bool
    feedback_policy: str
    feedback_notice: bool
    feedback_delay_minutes: int
    feedback_cooling_days: int
    first_answer_minutes: int


def current(session: Session) -> Organisation | None:
    return session.exec(select(Organisation)).first()


def _checked(new: NewOrganisation) -> NewOrganisation:
    if not new.name.strip():
        raise Invalid("The organisation needs a name.", field="name")
    if new.language not in LANGUAGES:
        raise Invalid("Choose Japanese, German or English.", field="language")
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(f"“{new.time_zone}” is not a time zone.", field="time_zone") from None
    return new


def set_up(session: Session, actor: Actor, new: NewOrganisation) -> Organisation:
    """What the first page asks. Raises `Conflict` when it was answered before."""
    require(actor, Permission.ADMIN)
    new = _checked(new)
    if current(session):
        raise Conflict(_ALREADY)
    made = Organisation(
        id=1,  # so that of two first pages sent at once only one can win
        name=new.name.strip(),
        time_zone=new.time_zone,
        language=new.language,
        feedback_notice=new.feedback_notice,
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise Conflict(_ALREADY) from None
    changes.record(session, actor, None, "organisation_set_up")
    return made


def rename(session: Session, actor: Actor, new: NewOrganisation) -> Organisation:
    require(actor, Permission.ADMIN)
    new, found = _checked(new), _there(session)
    found.name, found.time_zone, found.language = new.name.strip(), new.time_zone, new.language
    session.add(found)
    changes.record(session, actor, None, "organisation_changed")
    return found


def _there(session: Session) -> Organisation:
    found = current(session)
    if found is None:
        raise Conflict("The organisation is not set up yet.")
    return found


def set_rules(session: Session, actor: Actor, rules: Rules) -> Organisation:
    require(actor, Permission.ADMIN)
    found = _there(session)
    if rules.feedback_policy not in POLICIES:
        raise Invalid("There is no such feedback policy.", field="feedback_policy")
    limits = (
        ("feedback_delay_minutes", rules.feedback_delay_minutes, 0, 60 * 24 * 30),
        ("feedback_cooling_days", rules.feedback_cooling_days, 1, 365),
        ("first_answer_minutes", rules.first_answer_minutes, 1, 60 * 24 * 30),
    )
    for field, value, low, high in limits:
        if not low <= value <= high:
            raise Invalid(f"This must be between {low} and {high}.", field=field)
    found.ask_feedback, found.feedback_policy = rules.ask_feedback, rules.feedback_policy
    found.feedback_notice = rules.feedback_notice
    found.feedback_delay_minutes = rules.feedback_delay_minutes
    found.feedback_cooling_days = rules.feedback_cooling_days
    found.first_answer_minutes = rules.first_answer_minutes
    session.add(found)
    changes.record(session, actor, None, "feedback_rules_changed")
    return found


def let_model_act(session: Session, actor: Actor, *, on: bool) -> Organisation:
    """Whether the model sets stage and topic by itself where it is sure enough."""
    require(actor, Permission.ADMIN)
    found = _there(session)
    found.model_acts = on
    session.add(found)
    changes.record(session, actor, None, "model_acting_changed", on=on)
    return found


def keep_raw(session: Session, actor: Actor, days: int | None) -> Organisation:
    """For how long after a ticket was closed its raw sources are kept; None for ever."""
    require(actor, Permission.ADMIN)
    found = _there(session)
    if days is not None and not 1 <= days <= LONGEST:
        raise Invalid(f"This must be between {1} and {LONGEST}.", field="keep_raw_days")
    was, found.keep_raw_days = found.keep_raw_days, days
    session.add(found)
    changes.record(session, actor, None, "raw_rule_changed", days=days, was=was)
    return found
