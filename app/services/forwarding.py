"""A mail of a customer that one of us passes on: it is the customer's inquiry."""

from dataclasses import replace

from sqlmodel import Session, col, select

from app.domain.address import EMAIL
from app.services import inboxes
from app.store.tables import Agent
from channels.contract import PASS, InboundMessage, RefKind


def forwarder(session: Session, message: InboundMessage) -> Agent | None:
    """The agent who passes it on, if it is certain enough that it is they."""
    if message.forward is None or message.forward.sender is None or message.unproved:
        return None
    if message.verdicts is not None and message.verdicts.dmarc != PASS:
        return None
    if message.sender.kind != EMAIL or inboxes.ours(session, message.forward.sender.value):
        return None
    return session.exec(
        select(Agent).where(
            Agent.email == message.sender.value.lower(), col(Agent.active).is_(True)
        )
    ).one_or_none()


def as_written(message: InboundMessage) -> InboundMessage:
    """As the customer wrote it. All of the agent's mail stays in the text."""
    first = message.forward
    if first is None or first.sender is None:
        return message
    return replace(
        message,
        sender=first.sender,
        sent_at=first.sent_at or message.sent_at,
        subject=first.subject or message.subject,
        reply_text=first.text,
        quoted_text=_beside(message.text, first.text),
        signature="",
        reply_to=None,
        refs=tuple(ref for ref in message.refs if ref.kind is not RefKind.ADDRESS_TOKEN),
        verdicts=None,
    )


def _beside(text: str, first: str) -> str:
    """What the agent and their program wrote about it."""
    return text.removesuffix(first).strip() if first and text.endswith(first) else text
