"""What each message can be found by: when it is filed, and read back from what is stored."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.domain.words import MessageKind
from app.store import search
from app.store.search import Entry
from app.store.tables import Address, Attachment, Message, Ticket
from channels.contract import InboundMessage

_BATCH = 200


def reindex(session: Session, after: int) -> tuple[int, int]:
    """Index the next messages after the id `after`: how many, and the last one's id. Feedback
    requests are left out: the same words on every ticket find nothing."""
    rows = session.exec(
        select(Message, Ticket.ref)
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(Message.id > after, col(Message.request).is_(False))
        .order_by(col(Message.id))
        .limit(_BATCH)
    ).all()
    messages = [message for message, _ in rows]
    names = _file_names(session, [message.id for message in messages])
    addresses = _addresses(session, messages)
    search.reindex(
        session,
        [
            Entry(
                message.id,
                message.ticket_id,
                _parts(message, ref, addresses) + tuple(names.get(message.id, ())),
            )
            for message, ref in rows
        ],
    )
    return len(rows), messages[-1].id if messages else after


def arrived(
    session: Session, row: Message, ref: str, message: InboundMessage, files: Sequence[str]
) -> None:
    """What has just been filed, with the names of its files and what is to be found in them."""
    words = message.reply_text or message.text
    parts = (message.subject, words, message.signature, message.sender.name, message.sender.value)
    search.index(session, Entry(row.id, row.ticket_id, (*parts, ref, *files)))


def anew(session: Session, message: Message, ref: str) -> None:
    """Something that it is found by has changed."""
    names = _file_names(session, [message.id]).get(message.id, [])
    parts = _parts(message, ref, _addresses(session, [message]))
    search.index(session, Entry(message.id, message.ticket_id, (*parts, *names)))


def _parts(message: Message, ref: str, addresses: dict[int, str]) -> tuple[str, ...]:
    """The same as when it was filed or written."""
    if message.kind in {MessageKind.OUTBOUND, MessageKind.NOTE}:
        return (message.text,)
    address = addresses.get(message.address_id or 0, "")
    words = message.reply_text or message.text
    return (message.subject, words, message.signature, message.author, address, ref)


def _file_names(session: Session, messages: Sequence[int]) -> dict[int, list[str]]:
    names: dict[int, list[str]] = {}
    for message_id, name, words in session.exec(
        select(Attachment.message_id, Attachment.name, Attachment.words)
        .where(col(Attachment.message_id).in_(messages))
        .order_by(col(Attachment.id))
    ):
        names.setdefault(message_id, []).extend(filter(None, (name, words)))
    return names


def _addresses(session: Session, messages: Sequence[Message]) -> dict[int, str]:
    wanted = {message.address_id for message in messages if message.address_id}
    return dict(
        session.exec(select(Address.id, Address.value).where(col(Address.id).in_(wanted))).all()
    )
