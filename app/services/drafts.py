"""Answers that are not sent: kept while they are written, and again when they are taken back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, delete, select

from app.core import clock
from app.domain.storable import storable
from app.services import access
from app.services.access import Actor, Permission
from app.store.tables import Attachment, Draft, DraftFile, Message, Ticket

TEXT_LIMIT = 200_000  # characters


@dataclass(frozen=True, slots=True)
class NewFile:
    """An attachment whose bytes the edge has already stored."""

    name: str
    content_type: str
    sha256: str
    size: int


def save(session: Session, actor: Actor, ref: str, text: str) -> None:
    """Keep an answer that is not sent yet; an empty one is forgotten, unless it has files."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    if actor.agent_id is None:
        return
    found = _of(session, ticket, actor.agent_id)
    if not text.strip() and not (found and _files_of(session, found)):
        forget(session, actor, ticket)
        return
    row = found or Draft(ticket_id=ticket.id, agent_id=actor.agent_id, changed_at=clock.now())
    row.text, row.changed_at = storable(text)[:TEXT_LIMIT], clock.now()
    session.add(row)


def files(session: Session, actor: Actor, ref: str, kept: Collection[int]) -> tuple[NewFile, ...]:
    """Those files of the actor's own draft that are to go out with it."""
    ticket = access.ticket(session, actor, ref, Permission.REPLY)
    found = _of(session, ticket, actor.agent_id)
    rows = _files_of(session, found) if found else ()
    return tuple(
        NewFile(row.name, row.content_type, row.sha256, row.size) for row in rows if row.id in kept
    )


def forget(session: Session, actor: Actor, ticket: Ticket) -> None:
    found = _of(session, ticket, actor.agent_id)
    if found is not None:
        session.exec(delete(DraftFile).where(col(DraftFile.draft_id) == found.id))
        session.delete(found)
        session.flush()  # its place may be taken again at once


def restore(session: Session, ticket: Ticket, message: Message) -> None:
    """What somebody had sent is their draft again. What they wrote since then stands below it."""
    if message.agent_id is None:
        return
    now = clock.now()
    row = _of(session, ticket, message.agent_id)
    row = row or Draft(ticket_id=ticket.id, agent_id=message.agent_id, changed_at=now)
    row.text = "\n\n".join(text for text in (message.text, row.text.strip()) if text)[:TEXT_LIMIT]
    row.to, row.cc, row.changed_at = list(message.to), list(message.cc), now
    session.add(row)
    session.flush()  # the files name it
    attached = select(Attachment).where(Attachment.message_id == message.id)
    for file in session.exec(attached.order_by(col(Attachment.id))):
        session.add(
            DraftFile(
                draft_id=row.id,
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
            )
        )


def _of(session: Session, ticket: Ticket, agent_id: int | None) -> Draft | None:
    return session.exec(
        select(Draft).where(Draft.ticket_id == ticket.id, Draft.agent_id == agent_id)
    ).one_or_none()


def _files_of(session: Session, draft: Draft) -> Sequence[DraftFile]:
    return session.exec(
        select(DraftFile).where(DraftFile.draft_id == draft.id).order_by(col(DraftFile.id))
    ).all()
