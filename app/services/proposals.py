"""Topics nobody has thought of yet: groups of inquiries without one, and what becomes of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, NotFound
from app.domain.text import judged
from app.domain.words import Head, MessageKind, ProposalState, Status
from app.services import changes, organisation, topics, verdicts
from app.services.access import Actor, Permission, require
from app.store import jobs
from app.store.tables import (
    Agent,
    Customer,
    Meaning,
    Message,
    Ticket,
    Topic,
    TopicProposal,
    TopicSearch,
)

LEASE = "topic search"
_EVERY = timedelta(days=1)
_READ = 1_000  # characters of a text, for words that may name the topic
_MOSTLY = 0.5  # of the inquiries of a group: then it is the same group
_MAY_HAVE_ONE = (Status.OPEN, Status.WAITING, Status.SNOOZED, Status.RESOLVED)


@dataclass(frozen=True, slots=True)
class Unsorted:
    """An inquiry the model gave no topic, and no person either."""

    ref: str
    text: str
    customer_id: int
    customer: str
    language: str
    vector: bytes


@dataclass(frozen=True, slots=True)
class Unsure:
    """All that is looked at, in one space, and the names of ours that no topic may bear."""

    inquiries: Sequence[Unsorted]
    space: str
    agents: Collection[str]
    house: str


@dataclass(frozen=True, slots=True)
class Group:
    refs: Sequence[str]  # the most typical first
    typical: Sequence[str]
    customers: int
    names: Mapping[str, str]


def search(session: Session) -> TopicSearch | None:
    return session.get(TopicSearch, 1)


def due(session: Session) -> bool:
    """Once a day where there is anything to look at, and whenever somebody asks."""
    last = search(session)
    if last and last.asked_at and (last.looked_at is None or last.asked_at > last.looked_at):
        return True
    if last and last.looked_at and last.looked_at > clock.now() - _EVERY:
        return False
    return session.exec(select(Meaning.id).limit(1)).first() is not None


def ask(session: Session, actor: Actor) -> None:
    """Have a worker look now."""
    require(actor, Permission.ADMIN)
    row = session.get(TopicSearch, 1, with_for_update=True) or TopicSearch(id=1)
    row.asked_at = clock.now()
    session.add(row)
    jobs.enqueue(session, "propose")


def unsure(session: Session, most: int) -> Unsure:
    """The newest inquiries without a topic whose vectors can be compared."""
    newest = (
        sql_select(
            *map(col, (Meaning.space, Ticket.ref, Message.kind, Message.subject)),
            func.substr(col(Message.reply_text), 1, _READ),
            func.substr(col(Message.text), 1, _READ),
            *map(col, (Ticket.customer_id, Customer.name, Message.language, Meaning.vector)),
        )
        .join(Meaning, col(Meaning.ticket_id) == col(Ticket.id))
        .join(Message, col(Message.id) == col(Meaning.message_id))
        .join(Customer, col(Customer.id) == col(Ticket.customer_id))
        .where(
            col(Ticket.topic_id).is_(None),
            col(Ticket.topic_by) != "person",
            col(Ticket.status).in_(_MAY_HAVE_ONE),
            col(Ticket.sample).is_(False),
            col(Ticket.automatic).is_(False),
        )
        .order_by(col(Ticket.id).desc())
        .limit(most)
    )
    found, spaces = [], []
    for space, ref, kind, subject, new, text, *rest in session.execute(newest):
        said = judged(subject, new, text, call=kind == MessageKind.CALL)
        found.append(Unsorted(ref, said, *rest))
        spaces.append(space)
    same = [one for one, space in zip(found, spaces, strict=True) if space == spaces[0]]
    house = organisation.current(session)
    agents = session.exec(select(Agent.name)).all()
    return Unsure(same, spaces[0] if spaces else "", agents, house.name if house else "")


def keep(session: Session, texts: int, largest: int, groups: Sequence[Group]) -> None:
    """What a look has found. What people have decided of mostly the same inquiries stays so."""
    row = session.get(TopicSearch, 1, with_for_update=True) or TopicSearch(id=1)
    row.looked_at, row.texts, row.largest = clock.now(), texts, largest
    session.add(row)
    known = session.exec(select(TopicProposal).order_by(col(TopicProposal.id))).all()
    left = {one.id: one for one in known if one.state is ProposalState.OPEN}
    for group in groups:
        same = [one for one in known if _is_same(group, one)]
        if any(one.state is not ProposalState.OPEN for one in same):
            continue
        there = next((one for one in same if one.id in left), None)
        made = left.pop(there.id) if there else TopicProposal(refs=[], typical=[], customers=0)
        made.found_at, made.names = clock.now(), dict(group.names)
        made.refs, made.typical = list(group.refs), list(group.typical)
        made.customers = group.customers
        session.add(made)
    for gone in left.values():
        session.delete(gone)


def _is_same(group: Group, known: TopicProposal) -> bool:
    return len(set(group.refs) & set(known.refs)) > _MOSTLY * len(group.refs)


def make(session: Session, actor: Actor, number: int, labels: Mapping[str, str]) -> Topic:
    """Make a topic of it. The inquiries stay as they are until somebody gives it to them."""
    found = _one(session, actor, number, ProposalState.OPEN)
    made = topics.add(session, actor, labels)
    _decide(session, actor, found, ProposalState.MADE)
    found.topic_id = made.id
    return made


def refuse(session: Session, actor: Actor, number: int) -> None:
    """It is none, and mostly the same inquiries are not proposed again."""
    found = _one(session, actor, number, ProposalState.OPEN)
    _decide(session, actor, found, ProposalState.REFUSED)
    changes.record(session, actor, None, "topic_refused", proposal=number)


def take_up(session: Session, actor: Actor, number: int) -> None:
    """It may be one after all."""
    found = _one(session, actor, number, ProposalState.REFUSED)
    found.state, found.decided_by, found.decided_at = ProposalState.OPEN, None, None
    session.add(found)
    changes.record(session, actor, None, "topic_taken_up", proposal=number)


def give(session: Session, actor: Actor, number: int) -> int:
    """Say of each inquiry that still has no topic that it is about this one; how many."""
    found = _one(session, actor, number, ProposalState.MADE)
    topic = session.get(Topic, found.topic_id)
    if topic is None or not topic.active:
        raise Conflict("This topic is not in use any more.")
    found.act = found.act or secrets.new_ref()
    session.add(found)
    without = session.exec(select(Ticket.ref).where(*without_topic(found)).order_by(Ticket.ref))
    refs = list(without)
    for ref in refs:
        verdicts.choose(session, actor, ref, Head.TOPIC, topic.key, found.act)
    return len(refs)


def take_back(session: Session, actor: Actor, number: int) -> int:
    """Undo `give`, where it was this person's and nobody has said anything since; how many."""
    found = _one(session, actor, number, ProposalState.MADE)
    return len(verdicts.take_back_act(session, actor, found.act))


def without_topic(proposal: TopicProposal) -> tuple[ColumnElement[bool], ...]:
    return (col(Ticket.ref).in_(proposal.refs), col(Ticket.topic_id).is_(None))


def _one(session: Session, actor: Actor, number: int, state: ProposalState) -> TopicProposal:
    require(actor, Permission.ADMIN)
    found = session.get(TopicProposal, number, with_for_update=True)
    if found is None:
        raise NotFound("There is no such proposal.")
    if found.state is not state:
        raise Conflict("Somebody has decided about this proposal already.")
    return found


def _decide(session: Session, actor: Actor, found: TopicProposal, state: ProposalState) -> None:
    found.state, found.decided_by, found.decided_at = state, actor.agent_id, clock.now()
    session.add(found)
