"""Tickets that another one may belong to, a guess for the agent, who joins them or says no; and
those that are certain to go on from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import String, and_, bindparam, literal, or_, union
from sqlalchemy import select as sql_select
from sqlmodel import Session, col

from app.core.secrets import CROCKFORD
from app.domain.words import MessageKind, Status
from app.store.tables import FormerRef, Message, Ticket

WITHIN = timedelta(days=14)
AT_MOST = 3
MOST_FOLLOWERS = 10

_NAMED = re.compile(rf"#([{CROCKFORD}]{{9}})(?![\w-])")


@dataclass(frozen=True, slots=True)
class Likely:
    ref: str
    subject: str


_OLDER: Any = (
    sql_select(col(Ticket.ref), col(Ticket.subject))
    .where(
        col(Ticket.customer_id) == bindparam("customer"),
        col(Ticket.id) < bindparam("ticket"),
        col(Ticket.status) != Status.SPAM,
        col(Ticket.ref).not_in(bindparam("apart", expanding=True)),
        or_(
            col(Ticket.ref).in_(bindparam("named", expanding=True)),
            and_(
                col(Ticket.subject) == bindparam("subject"),
                col(Ticket.last_activity_at) >= bindparam("since"),
            ),
        ),
    )
    .order_by(col(Ticket.id).desc())
    .limit(AT_MOST)
)

_FOLLOWERS: Any = (
    sql_select(col(Ticket.ref), col(Ticket.subject))
    .where(
        col(Ticket.follows_ref) != literal("", literal_execute=True),  # so there is an index for it
        col(Ticket.follows_ref).in_(
            union(
                sql_select(bindparam("ref", type_=String)),
                sql_select(col(FormerRef.ref)).where(
                    col(FormerRef.ticket_id) == bindparam("ticket")
                ),
            )
        ),
        col(Ticket.status) != Status.SPAM,
    )
    .order_by(col(Ticket.id).desc())
    .limit(MOST_FOLLOWERS)
)


def followers(session: Session, ticket: Ticket) -> tuple[Likely, ...]:
    """The newest that answers to it have opened apart from it, or from one joined with it."""
    names = {"ref": ticket.ref, "ticket": ticket.id}
    return tuple(Likely(*row) for row in session.connection().execute(_FOLLOWERS, names))


def tickets(session: Session, ticket: Ticket, messages: Sequence[Message]) -> tuple[Likely, ...]:
    """Older ones of the same customer, with the same subject lately or named by this one."""
    if ticket.status in {Status.SPAM, Status.RESOLVED, Status.DISMISSED}:
        return ()
    first = next((one for one in messages if one.kind is MessageKind.INBOUND), None)
    by_subject = first is not None and bool(first.subject.strip())
    # Anybody can guess a number: among one customer's own tickets it is worth a look.
    told = filter(None, [ticket.follows_ref, ticket.claims_ref])
    named = [*told, *_NAMED.findall(ticket.subject.lower())[:AT_MOST]]
    if not by_subject and not named:
        return ()
    found = session.execute(
        _OLDER,
        {
            "customer": ticket.customer_id,
            "ticket": ticket.id,
            "apart": ticket.apart_from,
            "named": named,
            "subject": ticket.subject if by_subject else None,
            "since": ticket.created_at - WITHIN,
        },
    )
    return tuple(Likely(*row) for row in found)
