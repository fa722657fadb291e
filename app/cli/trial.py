"""`try`: sample inquiries in three languages, by the ways real ones take."""

import argparse
import http.client
import json
import secrets
import smtplib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.cli import console, starters
from app.cli.console import Installation, complain, say
from app.core import clock
from app.core.errors import Invalid
from app.core.settings import Settings
from app.domain.words import ArrivalState
from app.services import inboxes, intake
from app.services.intake import Stored
from app.store.tables import Arrival, Inbox, Message, Ticket
from channels.contract import Accepts, TakesEntries
from channels.registry import all_channels
from channels.signature import SharedSecret, sign

PATIENCE = 60.0  # seconds: for every answer, and until everything should be filed
_MAIL_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class _Mail:
    sender: str
    charset: str
    subject: str
    text: str


_MAILS = (
    _Mail(
        "森 由紀 <yuki.mori@example.jp>",
        "iso-2022-jp",
        "返品について教えてください",
        "お世話になっております。森と申します。\n先週購入したデスクライトの色が写真と違うため、"
        "返品を希望しております。\n手続きと送料について教えていただけますでしょうか。\n",
    ),
    _Mail(
        "Karl Lindner <karl.lindner@example.de>",
        "utf-8",
        "Rechnungsadresse ändern",
        "Guten Tag,\n\nauf meiner letzten Rechnung steht noch die alte Rechnungsadresse. Können "
        "Sie mir bitte eine berichtigte Rechnung schicken?\n\nFreundliche Grüße\nKarl Lindner\n",
    ),
    _Mail(
        "Ada Bright <ada.bright@example.com>",
        "utf-8",
        "Where is my order K-30127?",
        "Hello,\n\nI ordered a desk ten days ago (K-30127) and have not heard anything since. "
        "When will it be delivered?\n\nThanks\nAda\n",
    ),
)
_CHAT = ("visitor-7c1d", "Noah", "Hi! Do you have the oak desk in a smaller size, and a price?")
_CALL = ("+49 30 901820", "Frau Krüger", "Schublade klemmt seit der Lieferung, bittet um Rückruf.")


def run(_asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house:
        _check_it_runs(settings)
        with house.database.reading() as session:
            before = session.exec(select(func.max(Arrival.id))).one() or 0
        sent = _send_mails(house) + _send_hooks(house) + _write_entries(house)
        if not sent:
            raise Invalid("There is no built-in inbox left to try: write to your own ones instead.")
        filed = _watch(house, before, sent)
    say()
    say(f"Look at them in {settings.link_base}/inbox")
    return 0 if filed == sent else 1


def _check_it_runs(settings: Settings) -> None:
    if status_of(settings, Call("GET", "/healthz")) != 200:
        raise _silent(settings)


def _silent(settings: Settings) -> Invalid:
    return Invalid(
        f"Setten does not answer on {_host(settings)}:{settings.port}. Start “setten serve” "
        "first, in another terminal."
    )


def _host(settings: Settings) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def status_of(settings: Settings, call: Call, patience: float = PATIENCE) -> int:
    """What the running Setten answers. Raises `Invalid`, in a sentence, when it does not."""
    connection = http.client.HTTPConnection(_host(settings), settings.port, timeout=patience)
    try:
        connection.request(call.method, call.path, call.body, dict(call.headers))
        answer = connection.getresponse()
        answer.read()
    except TimeoutError:
        raise Invalid(
            f"Setten on {_host(settings)}:{settings.port} took longer than {patience:.0f} seconds "
            "to answer. Its log may say why; try again when it is less busy."
        ) from None
    except (OSError, http.client.HTTPException):
        raise _silent(settings) from None
    finally:
        connection.close()
    return answer.status


def _send_mails(house: Installation) -> int:
    port = house.settings.mail_port
    addresses = starters.taking_test_mail(house) if port else ()
    if not addresses:
        say("No test mail: a real mail inbox is connected, or SETTEN_MAIL_PORT is 0.")
        return 0
    try:
        with smtplib.SMTP(_MAIL_HOST, port, timeout=PATIENCE) as server:
            for mail in _MAILS:
                server.send_message(_written(mail, addresses[0]), to_addrs=[addresses[0]])
    except (OSError, smtplib.SMTPException) as problem:
        complain(f"Test mail was not taken at {_MAIL_HOST}:{port}: {problem}")
        return 0
    say(f"{len(_MAILS)} mails sent to {addresses[0]} at {_MAIL_HOST}:{port}.")
    return len(_MAILS)


def _written(mail: _Mail, to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.sender, to, mail.subject
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain="try")
    message.set_content(mail.text, charset=mail.charset)
    return message


def _built_in(session: Session) -> list[Inbox]:
    return [one for one in inboxes.enabled(session) if one.built_in]


def _send_hooks(house: Installation) -> int:
    """To channels that are only reached by their hook, signed as a chat program would."""
    sent = 0
    with house.database.reading() as session:
        found = _built_in(session)
    for inbox in found:
        channel = all_channels().get(inbox.kind)
        if not isinstance(channel, Accepts) or isinstance(channel, TakesEntries):
            continue
        config = inboxes.config_of(inbox, house.keys, channel.config)
        if isinstance(config, SharedSecret):
            sent += _send_event(house.settings, inbox, config)
    return sent


def _send_event(settings: Settings, inbox: Inbox, config: SharedSecret) -> int:
    visitor, name, text = _CHAT
    number = secrets.token_hex(8)
    event = {
        "type": "message.created",
        "timestamp": clock.now().isoformat(),
        "data": {
            "message_id": f"m-{number}",
            "conversation_id": f"c-{number}",
            "sender": {"id": visitor, "name": name, "language": "en"},
            "text": text,
        },
    }
    body = json.dumps(event, ensure_ascii=False).encode()
    headers = sign(config.keys(), f"msg_{number}", int(clock.now().timestamp()), body)
    path = f"/hooks/{inbox.kind}/{inbox.token}"
    headers = {"content-type": "application/json", **headers}
    status = status_of(settings, Call("POST", path, body, headers))
    if status != 202:
        complain(f"The hook of {inbox.name} answered {status}.")
        return 0
    say(f"A signed message posted to the hook of {inbox.name}.")
    return 1


def _write_entries(house: Installation) -> int:
    """What a person would type in, for instance after a call."""
    sent = 0
    number, name, notes = _CALL
    with house.database.reading() as session:
        found = _built_in(session)
    for inbox in found:
        channel = all_channels().get(inbox.kind)
        if not isinstance(channel, TakesEntries):
            continue
        entry = channel.entry.model_validate({"number": number, "name": name, "notes": notes})
        raw = channel.write_down(entry, clock.now(), "")
        stored = Stored(house.blobs.put(raw.body), len(raw.body))
        with house.database.transaction() as session:
            sent += intake.keep(session, inbox.id, raw, stored) is not None
        say(f"An entry written into {inbox.name}.")
    return sent


def _watch(house: Installation, before: int, sent: int) -> int:
    """Wait until a worker has filed them, and name their tickets; how many were filed."""
    wanted = (
        select(Ticket.ref, Ticket.subject, Arrival.reason)
        .select_from(Arrival)
        .join(Message, col(Message.arrival_id) == col(Arrival.id))
        .join(Ticket, col(Ticket.id) == col(Message.ticket_id))
        .where(Arrival.id > before, Arrival.state == ArrivalState.FILED)
        .order_by(col(Arrival.id))
    )
    until = time.monotonic() + PATIENCE
    while True:
        with house.database.reading() as session:
            found = session.exec(wanted).all()
        if len(found) >= sent or time.monotonic() > until:
            break
        time.sleep(0.2)
    if found:
        say()
        console.table(("TICKET", "SUBJECT"), [(ref, subject) for ref, subject, _ in found])
    if len(found) < sent:
        complain(f"{sent - len(found)} are not filed yet: is a worker running? See setten doctor.")
    return min(len(found), sent)
