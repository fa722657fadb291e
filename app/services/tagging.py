"""Stage and topic of a ticket as the model proposes them; nothing it says overrules a person.

What it is not sure enough of, or not let do, is kept as a suggestion: it counts on the map, and
moves no customer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlmodel import Session, col, select

from app.core import clock
from app.domain.words import ANCHORS, NO_INQUIRY, TAGS, YES, Decision, Head, Status
from app.services import changes, touchpoints
from app.services.access import SYSTEM
from app.services.queries import vocabulary
from app.store import inserting
from app.store.tables import (
    Customer,
    Meaning,
    Message,
    Organisation,
    PredictionRow,
    Ticket,
    Topic,
    Touchpoint,
)
from classifier.contract import FlagPrediction, HeadPrediction, Prediction, Reason

LOOKS_BACK = timedelta(days=3)
AT_ONCE = 50
SUGGESTION = "suggestion"  # who says so, beside "person" and "model"
_WEAK = 0.3  # of the strongest word
_LOOKED_AT = [one for one in Status if one not in NO_INQUIRY]


def topic_of(session: Session, key: str) -> Topic | None:
    """The topic in use that `key` names, or named before topics were merged."""
    found = topic_meant(session, key)
    return found if found is not None and found.active else None


def topic_meant(session: Session, key: str) -> Topic | None:
    """The same, in use or not."""
    found = session.exec(select(Topic).where(Topic.key == key)).one_or_none()
    if found is not None and found.merged_into is not None:
        found = session.get_one(Topic, found.merged_into)
    return found


def apply(
    session: Session,
    ticket: Ticket,
    message_id: int,
    prediction: Prediction,
    beside: Prediction | None = None,
) -> None:
    """Put the model's view on the ticket. What a person said is never overruled.

    What a version says `beside` it that is tried out is kept, and nothing else comes of it.
    """
    if not prediction.model:
        return
    _write(session, ticket, message_id, prediction)
    _keep_meaning(session, ticket, message_id, prediction)
    if beside is not None and beside.model:
        _write(session, ticket, message_id, beside, shadow=True)
    if ticket.stage_by != "person":
        _set_stage(session, ticket, prediction.stage)
    if ticket.topic_by != "person":
        _set_topic(session, ticket, prediction.topic)
    for flag in prediction.flags:
        _set_flag(ticket, flag)
    remember_stage(session, ticket)


def _write(
    session: Session,
    ticket: Ticket,
    message_id: int,
    prediction: Prediction,
    *,
    shadow: bool = False,
) -> None:
    about = {
        "ticket_id": ticket.id,
        "message_id": message_id,
        "model": prediction.model,
        "at": clock.now(),
        "shadow": shadow,
    }
    rows: list[dict[str, object]] = [
        {
            "head": head,
            "label": found.label or "",
            "probability": found.probability,
            "decision": Decision(found.decision),
            "basis": found.basis,
            "top": [[guess.label, guess.probability] for guess in found.top],
            "reasons": [reason.text for reason in found.reasons],
            "against": _worth_saying(found, found.against),
            "beaten_by": _worth_saying(found, _beaten_by(found)),
            "nearest": [[near.ref, near.label, near.similarity] for near in found.nearest],
            "novelty": found.novelty,
            "why": found.why or "",
        }
        for head, found in ((Head.STAGE, prediction.stage), (Head.TOPIC, prediction.topic))
    ]
    rows += [_raised(flag) for flag in prediction.flags if flag.raised]
    session.execute(insert(PredictionRow), [about | row for row in rows])


def _raised(flag: FlagPrediction) -> dict[str, object]:
    """Of flags only those that are raised are kept: nearly every inquiry has none."""
    return {
        "head": Head(flag.name),
        "label": YES,
        "probability": flag.probability,
        "decision": Decision.SUGGEST,
        "basis": flag.basis,
        "top": [[YES, flag.probability]],
        "reasons": [flag.said] if flag.said else [reason.text for reason in flag.reasons],
        "against": [],
        "beaten_by": [],
        "nearest": [],
        "novelty": 0.0,
        "why": "",
    }


def _worth_saying(found: HeadPrediction, reasons: Sequence[Reason]) -> list[str]:
    """Beside a strong word for the guess, a weak one that is also shown only confuses."""
    strongest = max((reason.weight for reason in found.reasons), default=0.0)
    return [one.text for one in reasons if abs(one.weight) >= _WEAK * strongest]


def _beaten_by(found: HeadPrediction) -> tuple[Reason, ...]:
    return found.runner_up.beaten_by if found.runner_up else ()


def _keep_meaning(
    session: Session, ticket: Ticket, message_id: int, prediction: Prediction
) -> None:
    if not prediction.vector:
        return
    row = {"ticket_id": ticket.id, "message_id": message_id}
    inserting.once(
        session, Meaning, {**row, "space": prediction.space, "vector": prediction.vector}
    )


def _by(session: Session, found: HeadPrediction) -> str:
    """Whose word it is: the model acts by itself only where it is sure enough, and let."""
    if Decision(found.decision) is not Decision.AUTO:
        return SUGGESTION
    let = session.exec(select(Organisation.model_acts)).first()
    return "model" if let else SUGGESTION


def _set_stage(session: Session, ticket: Ticket, found: HeadPrediction) -> None:
    if found.label in ANCHORS:
        ticket.stage, ticket.stage_by = found.label, _by(session, found)
        ticket.stage_basis = found.basis
        guesses = {guess.label: guess.probability for guess in found.top}
        ticket.stage_probability = stage_share(session, found.label, guesses) or found.probability


def stage_share(session: Session, anchor: str, guesses: Mapping[str, float]) -> float:
    """How likely the stage of `anchor` is in the vocabulary in force: what it merges adds up."""
    stage = vocabulary.stage_of(session, anchor)
    return sum(guesses.get(merged, 0.0) for merged in (stage.anchors if stage else [anchor]))


def _set_topic(session: Session, ticket: Ticket, found: HeadPrediction) -> None:
    topic = topic_of(session, found.label) if found.label else None
    if topic:
        ticket.topic_id, ticket.topic_by = topic.id, _by(session, found)
        ticket.topic_basis = found.basis
        ticket.topic_probability = found.probability


def _set_flag(ticket: Ticket, found: FlagPrediction) -> None:
    head = Head(found.name)
    if found.raised and getattr(ticket, f"{head}_by") != "person":
        setattr(ticket, head, True)
        setattr(ticket, f"{head}_by", "rule" if found.said else "model")


def remember_stage(session: Session, ticket: Ticket) -> None:
    """Where on the path the customer is. A suggestion moves nobody."""
    customer = session.get_one(Customer, ticket.customer_id)
    off = ticket.stage in {"", "L"}  # feedback is no place on the path
    if not off and ticket.stage_by != SUGGESTION:
        customer.stage, customer.stage_at = ticket.stage, clock.now()
        session.add(customer)


def newest(session: Session, ticket_id: int, head: Head) -> PredictionRow | None:
    return session.exec(
        select(PredictionRow)
        .where(
            PredictionRow.ticket_id == ticket_id,
            PredictionRow.head == head,
            col(PredictionRow.shadow).is_(False),
        )
        .order_by(col(PredictionRow.id).desc())
        .limit(1)
    ).one_or_none()


def first_words(session: Session, ticket_id: int) -> Message | None:
    """The first message by the customer in person; a call that we made is none."""
    return session.exec(
        select(Message)
        .join(Touchpoint, col(Touchpoint.message_id) == col(Message.id))
        .where(Touchpoint.ticket_id == ticket_id, Touchpoint.direction == "in")
        .order_by(col(Message.id))
        .limit(1)
    ).one_or_none()


def untagged(session: Session, ticket_id: int) -> Message | None:
    """The first customer message of a ticket the model has not seen yet."""
    if newest(session, ticket_id, Head.STAGE) is not None:
        return None
    return first_words(session, ticket_id)


def lost(session: Session, before: datetime) -> Sequence[int]:
    """Some tickets of the last days that a customer wrote on and no model has looked at."""
    seen = select(PredictionRow.id).where(PredictionRow.ticket_id == Ticket.id)
    said = select(Touchpoint.id).where(
        Touchpoint.ticket_id == Ticket.id,
        Touchpoint.direction == "in",
        col(Touchpoint.message_id).is_not(None),
    )
    return session.exec(
        select(Ticket.id)
        .where(
            col(Ticket.status).in_(_LOOKED_AT),
            Ticket.last_activity_at > clock.now() - LOOKS_BACK,
            col(Ticket.last_inbound_at) < before,
            col(Ticket.sample).is_(False),
            said.exists(),
            ~seen.exists(),
        )
        .order_by(col(Ticket.id))
        .limit(AT_ONCE)
    ).all()


def give_up(session: Session, ticket_id: int, message_id: int) -> None:
    """No model could be had: the ticket is shown as unsure, and nobody waits for it any more."""
    ticket = session.get(Ticket, ticket_id, with_for_update={"key_share": True})
    if ticket is None or newest(session, ticket_id, Head.STAGE) is not None:
        return
    for head in TAGS:
        session.add(
            PredictionRow(
                ticket_id=ticket_id,
                message_id=message_id,
                head=head,
                probability=0.0,
                decision=Decision.ABSTAIN,
                top=[],
                model="none",
                basis="",
                at=clock.now(),
            )
        )


def tag_later(
    session: Session,
    ticket_id: int,
    message_id: int,
    prediction: Prediction,
    beside: Prediction | None = None,
) -> None:
    """What the model said after the ticket was filed without it."""
    # Locked: a person may be deciding at this moment, and is never overruled.
    ticket = session.get(Ticket, ticket_id, with_for_update={"key_share": True})
    if ticket is None or newest(session, ticket_id, Head.STAGE) is not None:
        return
    apply(session, ticket, message_id, prediction, beside)
    touchpoints.restage(session, ticket)
    changes.record(session, SYSTEM, ticket, "suggested", model=prediction.model)
