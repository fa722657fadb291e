"""Inboxes: what is connected. Secrets go in and never come out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field, ValidationError

from app.core.errors import Conflict, Invalid, NotFound
from app.domain.lifecycle import LONGEST_REOPENING
from app.domain.words import SelfTest
from app.services import access, inboxes, self_tests
from app.services.access import Actor, Permission, may, require
from app.services.inboxes import NewInbox
from app.services.queries import inboxes as connected
from app.services.queries.inboxes import Row
from app.store.tables import Inbox
from app.web import routes
from app.web.api.fields import Input, Line
from app.web.deps import CurrentActor, Db, House, Id, TheHouse
from channels.contract import Accepts, Channel, SelfTests, Sends, Signs
from channels.registry import all_channels

router = routes.api("inboxes", "/inboxes")


class InboxOut(BaseModel):
    id: int
    kind: str
    name: str
    address: str
    enabled: bool
    built_in: bool
    hook: str  # where its webhook is; "" when it has none, and for who is no administrator
    trouble: str  # why nothing comes in or goes out at the moment
    self_test: SelfTest
    self_test_at: datetime | None  # since when it is so
    self_test_error: str  # why it failed
    reopen_days: int | None  # an answer reopens a resolved ticket so long; null: ever, 0: never

    @classmethod
    def of(cls, inbox: Inbox | Row, actor: Actor) -> Self:
        hooked = isinstance(all_channels().get(inbox.kind), Accepts) and may(
            actor, Permission.ADMIN
        )
        return cls(
            id=inbox.id,
            kind=inbox.kind,
            name=inbox.name,
            address=inbox.address,
            enabled=inbox.enabled,
            built_in=inbox.built_in,
            hook=f"/hooks/{inbox.kind}/{inbox.token}" if hooked else "",
            trouble=connected.trouble(inbox),
            self_test=inbox.self_test,
            self_test_at=inbox.self_test_at,
            self_test_error=inbox.self_test_error,
            reopen_days=inbox.reopen_days,
        )


class InboxIn(Input):
    """`config` is what the channel must be told. On a change, what is left out stays.

    An answer reopens a resolved ticket for `reopen_days`; null for ever. Later, and with 0 at
    once, it opens a new one that follows it.
    """

    kind: Line
    name: Line = ""
    address: Line = ""
    language: Line = ""
    config: dict[Line, Any] = Field(default_factory=dict, max_length=100)
    reopen_days: int | None = Field(None, ge=0, le=LONGEST_REOPENING)


class RecordOut(BaseModel):
    """A TXT record of DNS."""

    name: str
    value: str


class Switch(Input):
    enabled: bool


def _new(channel: Channel, body: InboxIn, known: Mapping[str, Any]) -> NewInbox:
    try:
        config = channel.config.model_validate({**known, **body.config})
    except ValidationError as error:
        mistakes = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid(
            "The channel needs to be told something else.",
            fields=[
                {
                    "field": ".".join(["config", *(str(part)[:80] for part in one["loc"])]),
                    "message": one["msg"].removeprefix("Value error, "),
                }
                for one in mistakes[:20]
            ],
        ) from None
    return NewInbox(
        kind=body.kind,
        name=body.name,
        config=config,
        address=body.address,
        language=body.language,
        writes_to=channel.writes_to if isinstance(channel, Sends) else "",
        tester=channel if isinstance(channel, SelfTests) else None,
    )


def _channel(kind: str) -> Channel:
    channel = all_channels().get(kind)
    if channel is None:
        raise Invalid("There is no such channel.", field="kind", known=list(all_channels()))
    return channel


@router.get("")
def listed(actor: CurrentActor, db: Db) -> list[InboxOut]:
    with db.reading() as session:
        return [InboxOut.of(row, actor) for row in connected.listed(session, actor)]


@router.post("", status_code=201)
def create(body: InboxIn, actor: CurrentActor, db: Db, house: TheHouse) -> InboxOut:
    require(actor, Permission.ADMIN)
    new = _new(_channel(body.kind), body, {})
    with db.transaction() as session:
        made = inboxes.create(session, actor, house.keys, new)
        inboxes.set_reopening(session, actor, made.id, body.reopen_days)
        return InboxOut.of(made, actor)


@router.put("/{inbox}")
def change(inbox: Id, body: InboxIn, actor: CurrentActor, db: Db, house: TheHouse) -> InboxOut:
    channel = _channel(body.kind)
    with db.transaction() as session:
        row = access.inbox(session, actor, inbox)
        if row.kind != body.kind:
            raise Invalid("The channel of an inbox cannot change; add another inbox.")
        known = inboxes.config_of(row, house.keys, channel.config).model_dump()
        new = _new(channel, body, known)
        changed = inboxes.change(session, actor, house.keys, inbox, new)
        if "reopen_days" in body.model_fields_set:
            inboxes.set_reopening(session, actor, inbox, body.reopen_days)
        return InboxOut.of(changed, actor)


@router.put("/{inbox}/enabled")
def set_enabled(inbox: Id, body: Switch, actor: CurrentActor, db: Db) -> InboxOut:
    with db.transaction() as session:
        switched = inboxes.set_enabled(session, actor, inbox, enabled=body.enabled)
        return InboxOut.of(switched, actor)


@router.get("/{inbox}/signing-key")
def signing_key(
    inbox: Id, actor: CurrentActor, db: Db, house: TheHouse, kind: str = "rsa"
) -> RecordOut:
    """The TXT record to publish for a key that mail is signed with (DKIM): rsa or ed25519."""
    with db.reading() as session:
        row = access.inbox(session, actor, inbox)
        return _record(house, row, kind)


@router.post("/{inbox}/signing-key", status_code=201)
def make_signing_key(
    inbox: Id, actor: CurrentActor, db: Db, house: TheHouse, kind: str = "rsa"
) -> RecordOut:
    """Make a key. Nothing is signed with it before `dkim_sign` is switched on.

    The second one is of the kind ed25519, and `dkim_second_sign` is for it.
    """
    with db.transaction() as session:
        row = access.inbox(session, actor, inbox)
        channel = _channel(row.kind)
        if not isinstance(channel, Signs):
            raise Conflict("This channel signs nothing.")
        made = inboxes.make_key(session, actor, house.keys, inbox, channel, kind)
        return _record(house, made, kind)


def _record(house: House, row: Inbox, kind: str) -> RecordOut:
    channel = _channel(row.kind)
    found = None
    if isinstance(channel, Signs):
        found = channel.published(inboxes.config_of(row, house.keys, channel.config)).get(kind)
    if found is None:
        raise NotFound("This inbox has no key to sign with.")
    return RecordOut(name=found.name, value=found.value)


@router.post("/{inbox}/self-test", status_code=202)
def test_itself(inbox: Id, actor: CurrentActor, db: Db) -> InboxOut:
    """The inbox writes to itself at a personal address; when that arrives, answers carry one."""
    with db.transaction() as session:
        row = access.inbox(session, actor, inbox)
        if not isinstance(all_channels().get(row.kind), SelfTests):
            raise Conflict("This channel cannot test itself.")
        return InboxOut.of(self_tests.start(session, actor, inbox), actor)
