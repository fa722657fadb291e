"""Configured inboxes: sealed secrets, one address each, and hooks of what is switched on."""

from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from app.core import key_file
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.core.secrets import Keys
from app.core.settings import Settings
from app.domain.words import Role
from app.services import access, inboxes
from app.services.access import Actor
from app.services.inboxes import NewInbox
from app.store.tables import Change, Inbox
from tests.factories import make_agent
from tests.fakes import FakeConfig
from tests.inquiries import Desk


@pytest.fixture
def admin(desk: Desk) -> Actor:
    with desk.db.transaction() as session:
        return make_agent(session, "Ada", Role.ADMIN)


def new(**given: Any) -> NewInbox:
    fields: dict[str, Any] = {
        "kind": "fake",
        "name": " Shop ",
        "config": FakeConfig(secret=SecretStr("s3cret"), import_days=0),
        "address": " Hello@Shop.test ",
        "writes_to": "email",
    } | given
    return NewInbox(**fields)


def create(desk: Desk, admin: Actor, **given: Any) -> Inbox:
    made: Inbox = desk.do(inboxes.create, admin, desk.keys, new(**given))
    return made


def test_create_seals_the_configuration(desk: Desk, admin: Actor) -> None:
    made = create(desk, admin)

    inbox = desk.one(Inbox, made.id)
    assert (inbox.kind, inbox.name, inbox.address, inbox.writes_to) == (
        "fake",
        "Shop",
        "hello@shop.test",
        "email",
    )
    assert b"s3cret" not in inbox.sealed_config
    config = inboxes.config_of(inbox, desk.keys, FakeConfig)
    assert (config.secret.get_secret_value(), config.import_days) == ("s3cret", 0)
    assert [c.what for c in desk.all(Change)] == ["inbox_added"]


def test_every_configuration_is_sealed_with_the_newest_key(
    desk: Desk, admin: Actor, settings: Settings
) -> None:
    numbers = [create(desk, admin).id, create(desk, admin, address="two@shop.test").id]
    with desk.db.transaction() as session:  # the desk's own has none that opens
        inboxes.reseal(session.get_one(Inbox, desk.inbox.id), desk.keys, FakeConfig())
    both = key_file.with_new_key(key_file.read_key(settings.key_file), date(2026, 11, 22))

    assert desk.do(inboxes.seal_anew, Keys(both)) == 3

    for number in numbers:
        inbox = desk.one(Inbox, number)
        config = inboxes.config_of(inbox, Keys(key_file.without_key(both, 1)), FakeConfig)
        assert config.secret.get_secret_value() == "s3cret"
        with pytest.raises(Invalid):
            inboxes.config_of(inbox, desk.keys, FakeConfig)


def test_a_sealed_configuration_opens_in_its_own_row_with_its_own_key(
    desk: Desk, admin: Actor
) -> None:
    one, two = create(desk, admin), create(desk, admin, address="two@shop.test")

    with pytest.raises(Invalid, match=r"secret\.key"):
        inboxes.config_of(one, Keys(b"x" * 32), FakeConfig)
    two.sealed_config = one.sealed_config
    with pytest.raises(Invalid):
        inboxes.config_of(two, desk.keys, FakeConfig)


def test_an_address_has_one_inbox(desk: Desk, admin: Actor) -> None:
    create(desk, admin)

    with pytest.raises(Conflict):
        create(desk, admin, address="hello@shop.test")

    assert len(desk.all(Inbox, kind="fake")) == 1


def test_change_keeps_the_channel_and_the_token(desk: Desk, admin: Actor) -> None:
    made = create(desk, admin)

    desk.do(inboxes.change, admin, desk.keys, made.id, new(name="Store", config=FakeConfig()))
    with pytest.raises(Invalid):
        desk.do(inboxes.change, admin, desk.keys, made.id, new(kind="other"))

    inbox = desk.one(Inbox, made.id)
    assert (inbox.name, inbox.token) == ("Store", made.token)
    assert inboxes.config_of(inbox, desk.keys, FakeConfig) == FakeConfig()


def test_what_is_switched_off_does_not_exist_for_callers(desk: Desk, admin: Actor) -> None:
    made = create(desk, admin)
    assert desk.do(inboxes.by_token, "fake", made.token).id == made.id
    with pytest.raises(NotFound):
        desk.do(inboxes.by_token, "other", made.token)

    desk.do(inboxes.set_enabled, admin, made.id, enabled=False)

    with pytest.raises(NotFound):
        desk.do(inboxes.by_token, "fake", made.token)
    assert desk.do(inboxes.by_address, "hello@shop.test") is None
    assert [inbox.id for inbox in desk.do(inboxes.enabled)] == [desk.inbox.id]


@pytest.mark.parametrize("address", ["hello@shop.test", "HELLO+x1@Shop.test "])
def test_mail_finds_its_inbox_with_and_without_a_plus(
    desk: Desk, admin: Actor, address: str
) -> None:
    made = create(desk, admin)

    found = desk.do(inboxes.by_address, address)

    assert found is not None
    assert found.id == made.id


def test_a_real_inbox_goes_before_the_built_in_one(desk: Desk, admin: Actor) -> None:
    create(desk, admin, built_in=True)
    real = create(desk, admin)

    assert desk.do(inboxes.by_address, "hello@shop.test").id == real.id


def test_trouble_is_noted(desk: Desk) -> None:
    desk.do(inboxes.note_trouble, desk.inbox.id, "The password is wrong.")

    assert desk.one(Inbox, desk.inbox.id).last_in_error == "The password is wrong."


def test_only_administrators_touch_inboxes(desk: Desk) -> None:
    for verb, args in (
        (inboxes.create, (desk.keys, new())),
        (inboxes.change, (desk.keys, desk.inbox.id, new())),
        (access.inbox, (desk.inbox.id,)),
    ):
        with pytest.raises(NotAllowed):
            desk.do(verb, desk.lead, *args)
    with pytest.raises(NotAllowed):
        desk.do(inboxes.set_enabled, desk.lead, desk.inbox.id, enabled=False)

    assert [inbox.enabled for inbox in desk.all(Inbox)] == [True]
