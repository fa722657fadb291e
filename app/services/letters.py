"""A message of ours as its channel gets it: with its thread, its sender and its links."""

from sqlmodel import Session, col, select

from app.core.secrets import Keys, digest
from app.domain.words import MessageKind
from app.services import letterheads, requests
from app.store.tables import Agent, Inbox, Message, Organisation, Survey, Ticket
from channels.contract import OutboundMessage, Party


def draft(session: Session, keys: Keys, message: Message, link_base: str) -> OutboundMessage:
    ticket = session.get_one(Ticket, message.ticket_id)
    earlier = session.exec(
        select(Message)
        .where(
            Message.ticket_id == ticket.id,
            Message.id < message.id,
            Message.inbox_id == message.inbox_id,
            col(Message.kind).in_([MessageKind.INBOUND, MessageKind.OUTBOUND]),
            Message.external_id != "",
            col(Message.unverified).is_(False),  # what a stranger wrote is nothing we answer to
        )
        .order_by(col(Message.id))
    ).all()
    written = [one for one in earlier if one.kind is MessageKind.INBOUND and not one.automatic]
    answers = written[-1] if written else None
    kind = session.get_one(Inbox, message.inbox_id).writes_to
    survey = session.exec(select(Survey).where(Survey.message_id == message.id)).one_or_none()
    text, stop = message.text, ""
    if survey:
        token = keys.survey_token(survey.nonce)
        if not message.rendered_sha256:  # the key may have changed since it was written
            survey.digest = digest(token)
            session.add(survey)
        link = f"{link_base}/f/{token}"
        text, stop = text.replace(requests.LINK, link), f"{link}/stop"
        text = text.replace(requests.STOP_LINK, stop)
    if message.agent_id is not None and not message.automatic:
        text = _signed(session, message, text)
    return OutboundMessage(
        token=keys.id_token(ticket.ref),
        reply_token=keys.reply_token(ticket.ref),
        tag_token=keys.tag_token(ticket.ref),
        number=message.id,
        sent_at=message.created_at,
        sender_name=_sender_name(session, message),
        to=tuple(Party(kind, value) for value in message.to),
        cc=tuple(Party(kind, value) for value in message.cc),
        text=text,
        subject=_subject(message, answers),
        language=message.language,
        in_reply_to=answers.external_id if answers else "",
        references=_thread(list(earlier)),
        conversation=answers.conversation if answers else "",
        automatic=message.automatic,
        receipt=message.automatic and not message.request,
        unsubscribe_url=stop,
    )


def _signed(session: Session, message: Message, text: str) -> str:
    """With the inbox's signature, behind the line by which mail programs know one."""
    agent = session.get(Agent, message.agent_id)
    inbox = session.get_one(Inbox, message.inbox_id)
    name = agent.name if agent else message.author
    signature = letterheads.signature_for(session, inbox, message.language, name)
    return f"{text.rstrip()}\n\n-- \n{signature}" if signature else text


def _thread(earlier: list[Message]) -> tuple[str, ...]:
    """Ids of what came before, oldest first, each once."""
    ids = [ref for one in earlier[:1] for ref in reversed(one.references)]
    return tuple(dict.fromkeys([*ids, *(one.external_id for one in earlier)]))


def _subject(message: Message, answers: Message | None) -> str:
    if message.automatic and not message.request:
        return message.subject  # nobody has us carry their words to whom they name
    subject = (answers.subject if answers and not message.request else "") or message.subject
    return subject if message.request or subject[:3].lower() == "re:" else f"Re: {subject}"


def _sender_name(session: Session, message: Message) -> str:
    organisation = session.exec(select(Organisation.name)).first() or ""
    agent = session.get(Agent, message.agent_id) if message.agent_id else None
    return " · ".join(part for part in (agent.name if agent else "", organisation) if part)
