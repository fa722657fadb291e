"""An inbox writes to itself at a personal address, to see whether its provider delivers that."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.core import clock
from app.core.errors import Conflict
from app.core.secrets import Keys
from app.domain.storable import storable
from app.domain.text import preview
from app.domain.words import SelfTest
from app.services import access, changes, inboxes
from app.services.access import SYSTEM, Actor
from app.store import jobs
from app.store.tables import Inbox
from channels.contract import InboundMessage, RefKind, SelfTests

GIVE_UP = timedelta(hours=1)  # a job that is lost is woken; one that fails is not woken for ever

# No ticket's reference has this letter, so nothing that proves a probe ever proves a ticket.
_MARK = "u"


@dataclass(frozen=True, slots=True)
class Run:
    """One try: the mail of another one proves nothing for it."""

    inbox_id: int
    at: datetime
    token: str


def start(session: Session, actor: Actor, inbox_id: int) -> Inbox:
    """Begin anew, whatever became of the try before."""
    inbox = access.inbox(session, actor, inbox_id)
    if not inbox.enabled:
        raise Conflict("This inbox is switched off; switch it on to test it.")
    inbox.self_test, inbox.self_test_at = SelfTest.RUNNING, clock.now()
    inbox.self_test_sent_at, inbox.self_test_error = None, ""
    session.add(inbox)
    jobs.enqueue(session, "self_test", inbox_id=inbox.id)
    changes.record(session, actor, None, "self_test_started", inbox=inbox.id)
    return inbox


def due(session: Session, keys: Keys, inbox_id: int) -> Run | None:
    """The try whose mail has not been handed over yet."""
    inbox = session.get_one(Inbox, inbox_id)
    if inbox.self_test_sent_at is not None:
        return None
    return _run(keys, inbox)


def lost(session: Session, limit: datetime) -> Sequence[int]:
    """Inboxes whose try began before `limit`, and whose mail nobody handed over."""
    return session.exec(
        select(Inbox.id).where(
            Inbox.self_test == SelfTest.RUNNING,
            col(Inbox.self_test_sent_at).is_(None),
            col(Inbox.self_test_at) < limit,
            col(Inbox.self_test_at) > limit - GIVE_UP,
        )
    ).all()


def sent(session: Session, run: Run) -> None:
    inbox = _locked(session, run.inbox_id)
    if inbox.self_test_at == run.at:
        inbox.self_test_sent_at = clock.now()
        session.add(inbox)


def failed(session: Session, run: Run, words: str) -> None:
    """Its mail cannot arrive any more; `words` are for the administrators."""
    inbox = _locked(session, run.inbox_id)
    if inbox.self_test is SelfTest.RUNNING and inbox.self_test_at == run.at:
        inbox.self_test, inbox.self_test_at = SelfTest.FAILED, clock.now()
        inbox.self_test_error = storable(words)
        session.add(inbox)
        changes.record(session, SYSTEM, None, "self_test_failed", inbox=inbox.id)


def arrived(
    session: Session, keys: Keys, tester: SelfTests, inbox_id: int, message: InboundMessage
) -> bool:
    """Whether `message` is the mail of the present try; then what it proves is in force.

    Only the address it was sent to counts: whatever else it carries may come any other way.
    """
    tokens = [ref.value for ref in message.refs if ref.kind is RefKind.ADDRESS_TOKEN]
    if not tokens:
        return False
    inbox = _locked(session, inbox_id)
    run = _run(keys, inbox)
    if run is None or not any(_same(token, run.token) for token in tokens):
        return False
    config = inboxes.config_of(inbox, keys, tester.config)
    inboxes.reseal(inbox, keys, tester.confirmed(config))
    inbox.self_test, inbox.self_test_at = SelfTest.PASSED, clock.now()
    session.add(inbox)
    changes.record(session, SYSTEM, None, "self_test_passed", inbox=inbox.id)
    return True


def returned(session: Session, keys: Keys, inbox_id: int, message: InboundMessage) -> bool:
    """Whether a machine sends a probe of ours back; then the present try has failed."""
    tokens = [ref.value for ref in message.refs if ref.kind is RefKind.ID_TOKEN]
    probes = [token for token in tokens if _is_probe(keys, token)]
    if not probes:
        return False
    run = _run(keys, session.get_one(Inbox, inbox_id))
    if run is not None and any(_same(token, run.token) for token in probes):
        failed(session, run, f"The mail came back: {preview(message.text, 300)}")
    return True


def came_back(
    session: Session,
    keys: Keys,
    tester: SelfTests | None,
    inbox_id: int,
    message: InboundMessage,
) -> str:
    """Why a mail that we began ourselves is nobody's inquiry; "" for every other."""
    if message.machine == "ourselves":
        if tester and arrived(session, keys, tester, inbox_id, message):
            return "Self-test of the inbox arrived."
        token = message.own_token
        if keys.ticket_of_id(token) or _is_probe(keys, token):
            return "Our own mail came back to us."
        return ""
    if message.automatic and returned(session, keys, inbox_id, message):
        return "Self-test of the inbox came back."
    return ""


def _is_probe(keys: Keys, token: str) -> bool:
    """Whether it is of a try of any inbox here, at whatever time."""
    return (keys.ticket_of_reply(token) or "").startswith(_MARK)


def _locked(session: Session, inbox_id: int) -> Inbox:
    return session.get_one(
        Inbox, inbox_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _run(keys: Keys, inbox: Inbox) -> Run | None:
    """The present try, and a token exactly as long as a ticket's: providers limit addresses."""
    at = inbox.self_test_at
    if inbox.self_test is not SelfTest.RUNNING or at is None:
        return None
    digest = keys.form_token("self-test", f"{inbox.id} {at.isoformat()}")
    return Run(inbox.id, at, keys.reply_token(_MARK + digest[:8]))


def _same(token: str, good: str) -> bool:
    return hmac.compare_digest(token.lower().encode(), good.encode())
