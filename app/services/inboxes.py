"""The configured addresses, numbers and hooks customers reach us by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, SecretStr
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid, NotFound
from app.core.secrets import Keys
from app.domain.address import EMAIL, is_email, normal, without_plus
from app.domain.lifecycle import LONGEST_REOPENING, LONGEST_UNDO
from app.domain.words import SelfTest
from app.services import access, changes, pauses
from app.services.access import Actor, Permission, require
from app.store.tables import Inbox
from channels.contract import InboundMessage, SelfTests, Signs

Config = TypeVar("Config", bound=BaseModel)

# Asked for every mail: made once, because making them costs more than running them.
_ADDRESSES = select(Inbox.address).where(col(Inbox.address).contains("@"))
_IN_USE = _ADDRESSES.where(col(Inbox.enabled).is_(True))


@dataclass(frozen=True, slots=True)
class NewInbox:
    """`writes_to` is the kind of address the channel writes to; the edge knows that."""

    kind: str
    name: str
    config: BaseModel
    address: str = ""
    language: str = ""
    writes_to: str = ""
    built_in: bool = False
    tester: SelfTests | None = None  # its channel, where that can test itself
    seen_test: str | None = None  # `test_stamp` as it was on the form; None for no form


def _seal(keys: Keys, token: str, config: BaseModel) -> bytes:
    # pydantic hides secrets whenever a model is written out; here they are meant to be written.
    revealed = {
        name: value.get_secret_value() for name, value in config if isinstance(value, SecretStr)
    }
    plain = json.dumps(config.model_dump(mode="json") | revealed)
    return keys.seal(plain, label=f"inbox {token}")


def config_of(inbox: Inbox, keys: Keys, config: type[Config]) -> Config:
    """The inbox's configuration, opened and checked."""
    plain = keys.unseal(inbox.sealed_config, label=f"inbox {inbox.token}")
    return config.model_validate_json(plain)


def reseal(inbox: Inbox, keys: Keys, config: BaseModel) -> None:
    inbox.sealed_config = _seal(keys, inbox.token, config)


def seal_anew(session: Session, keys: Keys) -> int:
    """Seal every configuration with the newest key; how many there are."""
    rows = session.exec(select(Inbox).with_for_update(key_share=True)).all()
    for inbox in rows:
        label = f"inbox {inbox.token}"
        inbox.sealed_config = keys.seal(keys.unseal(inbox.sealed_config, label=label), label=label)
        session.add(inbox)
    return len(rows)


def make_key(
    session: Session, actor: Actor, keys: Keys, inbox_id: int, channel: Signs, kind: str
) -> Inbox:
    """A new key to sign with. It is used once somebody says that its record is published."""
    if kind not in channel.signing_keys:
        raise NotFound("This inbox cannot sign with such a key.")
    inbox = access.inbox(session, actor, inbox_id, locked=True)
    config = config_of(inbox, keys, channel.config)
    reseal(inbox, keys, channel.with_new_key(config, kind))
    session.add(inbox)
    changes.record(session, actor, None, "signing_key_made", inbox=inbox.id, kind=kind)
    return inbox


def renew(session: Session, keys: Keys, inbox_id: int, was: bytes, config: BaseModel) -> None:
    """Store a configuration whose secret the provider replaced, unless a person was faster."""
    inbox = session.get_one(Inbox, inbox_id, with_for_update={"key_share": True})
    if inbox.sealed_config == was:
        reseal(inbox, keys, config)
        session.add(inbox)


def create(session: Session, actor: Actor, keys: Keys, new: NewInbox) -> Inbox:
    """Add an inbox. Raises `Conflict` when another one has its address."""
    require(actor, Permission.ADMIN)
    _address_is_free(session, new, but=None)
    token = secrets.new_token()
    config = new.tester.unproved(new.config, None) if new.tester else new.config
    inbox = Inbox(
        kind=new.kind,
        name=new.name.strip() or new.address or new.kind,
        address=new.address.strip().lower(),
        token=token,
        sealed_config=_seal(keys, token, config),
        language=new.language,
        writes_to=new.writes_to,
        built_in=new.built_in,
        created_at=clock.now(),
    )
    session.add(inbox)
    session.flush()
    changes.record(session, actor, None, "inbox_added", inbox=inbox.id, kind=new.kind)
    return inbox


def _address_is_free(session: Session, new: NewInbox, *, but: int | None) -> None:
    if not new.address:
        return
    taken = session.exec(
        select(Inbox).where(Inbox.address == new.address.strip().lower(), Inbox.kind == new.kind)
    ).all()
    if any(inbox.id != but and not inbox.built_in for inbox in taken):
        raise Conflict(f"Another inbox already has the address {new.address}.", field="address")


def change(session: Session, actor: Actor, keys: Keys, inbox_id: int, new: NewInbox) -> Inbox:
    inbox = access.inbox(session, actor, inbox_id)
    if inbox.kind != new.kind:
        raise Invalid("The channel of an inbox cannot change; add another inbox.")
    _address_is_free(session, new, but=inbox_id)
    session.refresh(inbox, with_for_update={"key_share": True})  # a self-test may be passing now
    address, wanted = new.address.strip().lower(), _up_to_date(inbox, new)
    config = wanted
    if new.tester:
        config = new.tester.unproved(wanted, config_of(inbox, keys, new.tester.config))
    if inbox.address != address or config != wanted:  # what was tried is no more
        inbox.self_test, inbox.self_test_error = SelfTest.NEVER, ""
        inbox.self_test_at = inbox.self_test_sent_at = None
    inbox.name, inbox.language = new.name.strip() or inbox.name, new.language
    inbox.address = address
    reseal(inbox, keys, config)
    inbox.last_in_error = inbox.last_in_warning = ""
    inbox.last_out_error = inbox.sent_error = ""
    inbox.looked_at = None  # that was with other settings, and these may fetch nothing
    pauses.corrected(session, inbox)
    session.add(inbox)
    changes.record(session, actor, None, "inbox_changed", inbox=inbox.id)
    return inbox


def test_stamp(inbox: Inbox) -> str:
    """Which outcome of its self-test somebody has on the screen."""
    return f"{inbox.self_test} {inbox.self_test_at.isoformat() if inbox.self_test_at else ''}"


def _up_to_date(inbox: Inbox, new: NewInbox) -> BaseModel:
    """`new.config`, with what a self-test has proved since its form was drawn."""
    stale = new.seen_test is not None and new.seen_test != test_stamp(inbox)
    if new.tester and stale and inbox.self_test is SelfTest.PASSED:
        return new.tester.confirmed(new.config)
    return new.config


def set_enabled(session: Session, actor: Actor, inbox_id: int, *, enabled: bool) -> Inbox:
    inbox = access.inbox(session, actor, inbox_id)
    inbox.enabled = enabled
    session.add(inbox)
    changes.record(session, actor, None, "inbox_switched", inbox=inbox.id, on=enabled)
    return inbox


def set_undo(session: Session, actor: Actor, inbox_id: int, seconds: int) -> None:
    """For how long an answer can be taken back. Noted with whatever else is set there."""
    inbox = access.inbox(session, actor, inbox_id)
    if not 0 <= seconds <= LONGEST_UNDO:
        raise Invalid(f"This must be between 0 and {LONGEST_UNDO}.", field="undo_seconds")
    inbox.undo_seconds = seconds
    session.add(inbox)


def set_reopening(session: Session, actor: Actor, inbox_id: int, days: int | None) -> None:
    """For how long an answer reopens a resolved ticket; None for ever.

    Noted with whatever else is set there.
    """
    inbox = access.inbox(session, actor, inbox_id)
    if days is not None and not 0 <= days <= LONGEST_REOPENING:
        raise Invalid(f"This must be between 0 and {LONGEST_REOPENING}.", field="reopen_days")
    inbox.reopen_days = days
    session.add(inbox)


def enabled(session: Session) -> list[Inbox]:
    return list(
        session.exec(select(Inbox).where(col(Inbox.enabled).is_(True)).order_by(col(Inbox.id)))
    )


def by_token(session: Session, kind: str, token: str) -> Inbox:
    """The inbox whose hook was called. What is switched off does not exist for callers."""
    inbox = session.exec(
        select(Inbox).where(Inbox.token == token, Inbox.kind == kind, col(Inbox.enabled).is_(True))
    ).one_or_none()
    if inbox is None:
        raise NotFound("There is no such hook.")
    return inbox


def by_address(session: Session, address: str) -> Inbox | None:
    """The inbox that takes mail for `address`, with or without what follows a plus."""
    local, _, domain = address.strip().lower().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return session.exec(
        select(Inbox)
        .where(col(Inbox.address).in_([f"{local}@{domain}", plain]), col(Inbox.enabled).is_(True))
        .order_by(col(Inbox.built_in), col(Inbox.id))
        .limit(1)
    ).one_or_none()


def ours(session: Session, address: str) -> bool:
    """Whether mail to `address` comes to an inbox, be it switched off."""
    return _is_among(address, session.exec(_ADDRESSES).all())


def in_use(session: Session, address: str) -> bool:
    """The same, and the inbox is switched on."""
    return _is_among(address, session.exec(_IN_USE).all())


def _is_among(address: str, known: Sequence[str]) -> bool:
    names = without_plus(address)
    return any(normal(EMAIL, one, 0) in names for one in known)


def reply_to(session: Session, inbox: Inbox, message: InboundMessage) -> str:
    """Where the answer is wanted, if that is an address we can write to and not one of ours.

    Naming it gives it no part in the ticket; it gets one when an agent writes there.
    """
    party = message.reply_to
    if party is None or message.automatic or party.kind != inbox.writes_to:
        return ""
    if party.kind != EMAIL or not is_email(party.value) or ours(session, party.value):
        return ""
    return party.value


def note_trouble(session: Session, inbox_id: int, words: str) -> None:
    """Why nothing comes in at the moment, for the administrators."""
    inbox = session.get_one(Inbox, inbox_id)
    if inbox.last_in_error != words:
        inbox.last_in_error = words
        session.add(inbox)


def note_connected(session: Session, inbox_id: int) -> None:
    """Its server lets us in: whatever was wrong is not. How often that had to be is counted."""
    inbox = session.get_one(Inbox, inbox_id)
    if inbox.connected_at is not None:
        inbox.reconnects += 1
    inbox.connected_at, inbox.last_in_error = clock.now(), ""
    session.add(inbox)


def note_warning(session: Session, inbox_id: int, words: str) -> None:
    """What is not as it should be though mail comes in."""
    inbox = session.get_one(Inbox, inbox_id)
    if inbox.last_in_warning != words:
        inbox.last_in_warning = words
        session.add(inbox)
