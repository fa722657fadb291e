"""A mail that was sent for somebody else: by one of us who passes it on, or by a form of ours."""

from dataclasses import dataclass, replace

from sqlmodel import Session, select

from app.domain.address import EMAIL, is_email
from app.services import inboxes
from app.store.tables import Agent
from channels.contract import PASS, InboundMessage, RefKind, of_another

FROM_US = "It says that it is from an address of ours, and names nobody else to answer."


@dataclass(frozen=True, slots=True)
class Origin:
    """Who wrote a mail, whoever sent it."""

    message: InboundMessage  # as they wrote it
    agent: Agent | None = None  # who passed it on; that is certain
    by_us: bool = False  # nobody else is named: a loop, a copy, or a colleague
    colleague: bool = False  # one of us sent it, and that is certain


def origin_of(session: Session, message: InboundMessage) -> Origin:
    if message.machine == "ourselves":
        # Another house with Setten at the same provider: it looks alike, and is somebody's word.
        kind = message.otherwise
        message = replace(message, machine=kind, automatic=bool(kind))
    if agent := _forwarder(session, message):
        return Origin(as_written(message), agent)
    own = message.sender.kind == EMAIL and inboxes.in_use(session, message.sender.value)
    sure = _is_certain(message) and (own or _is_an_agent(session, message.sender.value))
    if not own:
        return Origin(message, colleague=sure)
    visitor = message.reply_to
    if visitor is None or visitor.kind != EMAIL or not is_email(visitor.value):
        return Origin(message, by_us=True, colleague=sure)
    if inboxes.ours(session, visitor.value):
        return Origin(message, by_us=True, colleague=sure)
    # A form on a website that sends from our address: anybody types any address into it.
    checked = of_another(message.verdicts)
    form = replace(message, sender=visitor, reply_to=None, unproved=True, verdicts=checked)
    return Origin(form)


def _is_certain(message: InboundMessage) -> bool:
    """Whether a server vouches for it that the sender's domain sent it, and it answers anything."""
    sender, checked = message.sender, message.verdicts
    if sender.kind != EMAIL or message.unproved or message.forward is not None or not message.refs:
        return False
    return checked is not None and checked.prove(sender.value)


def _is_an_agent(session: Session, address: str) -> bool:
    agent = agent_at(session, address)
    return agent is not None and agent.active


def agent_at(session: Session, address: str) -> Agent | None:
    """Who signs in with it, or did."""
    return session.exec(select(Agent).where(Agent.email == address.lower())).one_or_none()


def claim(session: Session, message: InboundMessage) -> dict[str, str] | None:
    """Who wrote first what it passes on, where its sender may be one of us: a person decides."""
    first = message.forward
    if first is None or first.sender is None or not _passes_on(session, message):
        return None
    agent = agent_at(session, message.sender.value)
    if not (agent and agent.active) and not inboxes.ours(session, message.sender.value):
        return None
    return {
        "name": first.sender.name,
        "address": first.sender.value,
        "sent_at": first.sent_at.isoformat() if first.sent_at else "",
        "subject": first.subject,
        "text": first.text,
    }


def _forwarder(session: Session, message: InboundMessage) -> Agent | None:
    """The agent who passes it on. Anybody can write their address: a server has to vouch for it."""
    if message.verdicts is None or message.verdicts.dmarc != PASS:
        return None
    agent = agent_at(session, message.sender.value) if _passes_on(session, message) else None
    return agent if agent and agent.active else None


def _passes_on(session: Session, message: InboundMessage) -> bool:
    """Whether it says who wrote first what it passes on, and they are none of us."""
    if message.forward is None or message.forward.sender is None or message.unproved:
        return False
    return message.sender.kind == EMAIL and not inboxes.ours(session, message.forward.sender.value)


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
        quoted_text=beside(message.text, first.text),
        signature="",
        reply_to=None,
        refs=tuple(ref for ref in message.refs if ref.kind is not RefKind.ADDRESS_TOKEN),
        verdicts=None,
    )


def beside(text: str, first: str) -> str:
    """What the agent and their program wrote about it."""
    return text.removesuffix(first).strip() if first and text.endswith(first) else text
