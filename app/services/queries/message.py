"""What is behind a message on the screen: its files and its HTML."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.core.errors import NotFound
from app.services.access import Actor, Permission, require
from app.store.tables import Attachment, Message


@dataclass(frozen=True, slots=True)
class Stored:
    name: str
    content_type: str
    size: int
    sha256: str
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    html: str
    pictures: tuple[Stored, ...]


def _stored(row: Attachment) -> Stored:
    return Stored(row.name, row.content_type, row.size, row.sha256, row.content_id)


def whole_text(session: Session, actor: Actor, message_id: int) -> str:
    """As it was written, with everything it quotes."""
    require(actor, Permission.READ)
    text = session.exec(select(Message.text).where(Message.id == message_id)).one_or_none()
    if text is None:
        raise NotFound("There is no such message.")
    return text


def attachment(session: Session, actor: Actor, ref: str) -> Stored:
    require(actor, Permission.READ)
    row = session.exec(select(Attachment).where(Attachment.ref == ref)).one_or_none()
    if row is None:
        raise NotFound("There is no such attachment.")
    return _stored(row)


def laid_out(session: Session, actor: Actor, message_id: int) -> Layout:
    require(actor, Permission.READ)
    html = session.exec(select(Message.html).where(Message.id == message_id)).one_or_none()
    if not html:
        raise NotFound("This message has no layout of its own.")
    pictures = session.exec(
        select(Attachment)
        .where(Attachment.message_id == message_id, col(Attachment.content_id) != "")
        .order_by(col(Attachment.id))
    )
    return Layout(html, tuple(_stored(row) for row in pictures))
