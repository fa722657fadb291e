"""Tickets: lists, one of them, and what an agent does with it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.domain.words import Head, MessageKind, Status
from app.services import merging, originals, recipients, resting, third_parties, tickets, verdicts
from app.services.queries import inbox, neighbours, ticket, vocabulary
from app.services.queries.inbox import Selection, Sort, View
from app.services.queries.neighbours import Beside
from app.services.queries.ticket import Conversation
from app.services.resting import When
from app.store import search
from app.web import routes
from app.web.api.fields import Input, Limit, Line, Moment, Number, Ref, Text, as_json
from app.web.deps import CurrentActor, Db, Id

router = routes.api("tickets", "/tickets")

FOUND_UP_TO = 200

_ROWS = TypeAdapter(inbox.Rows)
_CONVERSATION = TypeAdapter(Conversation)
_BESIDE = TypeAdapter(Beside)


class TicketState(BaseModel):
    """Where a ticket stands after what was just done with it."""

    model_config = ConfigDict(from_attributes=True)

    ref: str
    status: Status
    assignee_id: int | None
    team_id: int | None
    stage: str
    stage_by: str
    topic_by: str
    urgent: bool
    urgent_by: str
    complaint: bool
    complaint_by: str
    language: str
    snoozed_until: datetime | None
    resolved_at: datetime | None
    version: int


class Written(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: MessageKind
    to: list[str]
    cc: list[str]
    created_at: datetime


class Answered(Written):
    """Look at `newcomers` where you gave no `to`: it may be where the customer's Reply-To points.

    What rests can still be taken back.
    """

    newcomers: list[str]  # of its recipients; they may write on the ticket from now on


Act = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=100,
        description="Your own name for this act. Whoever gets no answer sends the same again, "
        "with the same key, and it is done once.",
    ),
]


class Reply(Input):
    """No `to` means the customer. With `last_seen`, anything newer refuses the reply.

    It leaves at once, after `undo_seconds`, or at `send_at`; until then it can be taken back.
    """

    text: Text
    to: tuple[Line, ...] = Field((), max_length=50)
    cc: tuple[Line, ...] = Field((), max_length=50)
    last_seen: Number | None = None
    undo_seconds: int = Field(0, ge=0, le=30)
    send_at: Moment | None = None


class Note(Input):
    text: Text


class Snooze(Input):
    until: Moment


class Assignee(Input):
    agent: Number | None


class TeamOf(Input):
    team: Number | None


class Other(Input):
    """The reference of another ticket of the same customer."""

    ref: Line


class Choice(Input):
    label: Line


@dataclass
class Only:
    """Part of a view."""

    flag: Annotated[Literal["urgent", "complaint"] | None, Query()] = None
    language: Annotated[str, Query(pattern="^([a-z]{2})?$")] = ""
    after: Annotated[str, Query(max_length=60)] = ""
    limit: Limit = 50


@router.get("", response_model=inbox.Rows)
def listed(
    actor: CurrentActor,
    db: Db,
    only: Annotated[Only, Depends()],
    view: View = View.OPEN,
    sort: Sort | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The rows of a view, or with `q` whatever is found. Continue with `after` = `next`.

    With `flag` only what is urgent, or a complaint; with `language` only what is written in it.
    """
    with db.reading() as session:
        found = tuple(search.find(session, q, FOUND_UP_TO)) if q.strip() else None
        chosen = Selection(
            view=view,
            sort=sort,
            after=only.after,
            found=found,
            size=only.limit,
            flag=Head(only.flag) if only.flag else None,
            language=only.language,
        )
        rows = inbox.rows(session, actor, chosen)
    return as_json(_ROWS, rows)


@router.get("/{ref}", response_model=Conversation)
def one(ref: Ref, actor: CurrentActor, db: Db) -> Response:
    """The whole conversation with its state, its customer and what the model says."""
    with db.reading() as session:
        found = ticket.view(session, actor, ref, vocabulary.current(session))
    return as_json(_CONVERSATION, found)


@router.get("/{ref}/similar", response_model=Beside)
def similar(ref: Ref, actor: CurrentActor, db: Db) -> Response:
    """What meant nearly the same and how it was answered, and what is nearly the same text.

    An `answer` comes without its greeting, the names of whom it was written to and long numbers;
    a person still has to read it before it goes to somebody else.
    """
    with db.reading() as session:
        found = neighbours.view(session, actor, ref)
    return as_json(_BESIDE, found)


@router.post("/{ref}/replies", status_code=201)
def reply(ref: Ref, body: Reply, actor: CurrentActor, db: Db, act: Act = "") -> Answered:
    """Answer the customer on the channel they wrote on.

    Without `to` it goes where their last mail wants the answer; beforehand `to` of the ticket says
    where that is, and `wrote_from`, unless it is empty, that they wrote from somewhere else.
    """
    when = When(body.undo_seconds, body.send_at)
    draft = tickets.Draft(body.text, body.to, body.cc, (), body.last_seen, act, when)
    with db.transaction() as session:
        message = tickets.reply(session, actor, ref, draft)
        new = recipients.newcomers(session, message)
    return Answered(**Written.model_validate(message).model_dump(), newcomers=new)


@router.post("/{ref}/replies/{message}/take-back")
def take_back(ref: Ref, message: Id, actor: CurrentActor, db: Db) -> TicketState:
    """What has not left yet is a draft of who wrote it again."""
    with db.transaction() as session:
        found = resting.take_back(session, actor, ref, message)
    return TicketState.model_validate(found)


@router.post("/{ref}/notes", status_code=201)
def note(ref: Ref, body: Note, actor: CurrentActor, db: Db, act: Act = "") -> Written:
    """Write something only the team sees."""
    with db.transaction() as session:
        message = tickets.note(session, actor, ref, body.text, act)
    return Written.model_validate(message)


@router.post("/{ref}/resolve")
def resolve(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    with db.transaction() as session:
        found = tickets.resolve(session, actor, ref)
    return TicketState.model_validate(found)


@router.post("/{ref}/reopen")
def reopen(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    with db.transaction() as session:
        found = tickets.reopen(session, actor, ref)
    return TicketState.model_validate(found)


@router.post("/{ref}/spam")
def mark_spam(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    with db.transaction() as session:
        found = tickets.mark_spam(session, actor, ref)
    return TicketState.model_validate(found)


@router.post("/{ref}/snooze")
def snooze(ref: Ref, body: Snooze, actor: CurrentActor, db: Db) -> TicketState:
    """Out of sight until then, or until the customer writes."""
    with db.transaction() as session:
        found = tickets.snooze(session, actor, ref, body.until)
    return TicketState.model_validate(found)


@router.put("/{ref}/assignee")
def assign(ref: Ref, body: Assignee, actor: CurrentActor, db: Db) -> TicketState:
    with db.transaction() as session:
        found = tickets.assign(session, actor, ref, body.agent)
    return TicketState.model_validate(found)


@router.put("/{ref}/team")
def hand_to_team(ref: Ref, body: TeamOf, actor: CurrentActor, db: Db) -> TicketState:
    with db.transaction() as session:
        found = tickets.hand_to_team(session, actor, ref, body.team)
    return TicketState.model_validate(found)


@router.post("/{ref}/join")
def join(ref: Ref, body: Other, actor: CurrentActor, db: Db) -> TicketState:
    """Make one ticket of two; the older one stays, and both references mean it."""
    with db.transaction() as session:
        found = merging.merge(session, actor, ref, body.ref)
    return TicketState.model_validate(found)


@router.put("/{ref}/apart-from/{other}")
def keep_apart(ref: Ref, other: Ref, actor: CurrentActor, db: Db) -> TicketState:
    """The other one is about something else: it is not in `may_belong_to` any more."""
    with db.transaction() as session:
        found = merging.keep_apart(session, actor, ref, other)
    return TicketState.model_validate(found)


@router.delete("/{ref}/apart-from/{other}")
def suggest_again(ref: Ref, other: Ref, actor: CurrentActor, db: Db) -> TicketState:
    """They may belong together after all."""
    with db.transaction() as session:
        found = merging.suggest_again(session, actor, ref, other)
    return TicketState.model_validate(found)


@router.post("/{ref}/messages/{message}/accept")
def accept_message(ref: Ref, message: Id, actor: CurrentActor, db: Db) -> TicketState:
    """Who wrote this without taking part belongs to the ticket."""
    with db.transaction() as session:
        found = third_parties.accept(session, actor, ref, message)
    return TicketState.model_validate(found)


@router.post("/{ref}/messages/{message}/part")
def part_message(ref: Ref, message: Id, actor: CurrentActor, db: Db) -> TicketState:
    """Who wrote this does not belong to the ticket; the message gets one of its own."""
    with db.transaction() as session:
        found = third_parties.part(session, actor, ref, message)
    return TicketState.model_validate(found)


@router.post("/{ref}/messages/{message}/take-sender")
def take_sender(ref: Ref, message: Id, actor: CurrentActor, db: Db) -> TicketState:
    """Who wrote first what this mail passes on is the customer."""
    with db.transaction() as session:
        found = originals.take(session, actor, ref, message)
    return TicketState.model_validate(found)


@router.put("/{ref}/{head}")
def tag(ref: Ref, head: Head, body: Choice, actor: CurrentActor, db: Db) -> TicketState:
    """Say what it is: `stage` takes a canonical letter, `topic` a topic's key, `urgent` and
    `complaint` take `yes` or `no`, `language` takes `ja`, `de` or `en`."""
    with db.transaction() as session:
        found = verdicts.choose(session, actor, ref, head, body.label)
    return TicketState.model_validate(found)


@router.post("/{ref}/accept")
def accept(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    """Agree with the model on stage and topic, where no person has said one yet."""
    with db.transaction() as session:
        found = verdicts.accept(session, actor, ref)
    return TicketState.model_validate(found)


@router.post("/{ref}/dismiss")
def dismiss(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    """It is no inquiry, and no spam either; reopening or taking it back makes it one again."""
    with db.transaction() as session:
        found = verdicts.dismiss(session, actor, ref)
    return TicketState.model_validate(found)


@router.post("/{ref}/take-back-verdict")
def take_back_verdict(ref: Ref, actor: CurrentActor, db: Db) -> TicketState:
    """Undo your last word on what it is, if nobody else said something since."""
    with db.transaction() as session:
        found = verdicts.take_back(session, actor, ref)
    return TicketState.model_validate(found)
