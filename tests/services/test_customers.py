"""One customer for every way they write to us."""

import pytest
from sqlmodel import select

from app.core.errors import Conflict, Invalid, NotFound
from app.services import customers
from app.store.tables import Address, Change, Customer
from channels.contract import Party
from tests.inquiries import NOON, Desk


def resolve(desk: Desk, *parties: Party) -> int:
    customer, _ = desk.do(customers.resolve, desk.inbox.id, parties[0], parties[1:])
    return int(customer.id)


def test_the_same_address_is_the_same_customer(desk: Desk) -> None:
    first = resolve(desk, Party("email", "Yumi@Shop.test"))

    assert resolve(desk, Party("email", "yumi@shop.test", "Yumi")) == first

    assert [(c.name, c.created_at) for c in desk.all(Customer)] == [("Yumi", NOON)]
    assert [(a.kind, a.value) for a in desk.all(Address)] == [("email", "Yumi@Shop.test")]


def test_a_name_once_known_stays(desk: Desk) -> None:
    resolve(desk, Party("email", "yumi@shop.test", "Yumi"))

    resolve(desk, Party("email", "yumi@shop.test", "Somebody Else"))

    assert [c.name for c in desk.all(Customer)] == ["Yumi"]


def test_what_the_channel_vouches_for_joins_and_takes_nothing_away(desk: Desk) -> None:
    yumi = resolve(desk, Party("email", "yumi@shop.test"))
    ken = resolve(desk, Party("phone", "+81312345678"))

    chat = Party("chat", "7")
    joined = resolve(desk, chat, Party("email", "yumi@shop.test"), Party("phone", "+81312345678"))

    assert joined == yumi
    assert [(a.kind, a.customer_id) for a in desk.all(Address)] == [
        ("email", yumi),
        ("phone", ken),
        ("chat", yumi),
    ]


def test_a_number_of_a_place_with_one_zone_tells_it_and_a_person_knows_better(
    desk: Desk,
) -> None:
    resolve(desk, Party("email", "yumi@shop.test"))
    assert [c.time_zone for c in desk.all(Customer)] == [""]
    resolve(desk, Party("email", "yumi@shop.test"), Party("phone", "+81312345678"))
    [customer] = desk.all(Customer)
    assert customer.time_zone == "Asia/Tokyo"

    desk.do(customers.set_time_zone, desk.ann, customer.ref, "Europe/Berlin")
    resolve(desk, Party("phone", "+81312345678"))
    with pytest.raises(Invalid):
        desk.do(customers.set_time_zone, desk.ann, customer.ref, "Mars/Base")

    assert [c.time_zone for c in desk.all(Customer)] == ["Europe/Berlin"]


def test_a_person_says_that_mail_arrives_again(desk: Desk) -> None:
    ticket = desk.ticket()
    [customer] = desk.all(Customer)
    with desk.db.transaction() as session:
        for address in session.exec(select(Address)):
            address.undeliverable_at = NOON
            session.add(address)
    [address] = desk.all(Address)

    with pytest.raises(NotFound):
        desk.do(customers.reach_again, desk.ann, customer.ref, "else@example.com")
    desk.do(customers.reach_again, desk.ann, customer.ref, address.value)

    assert [one.undeliverable_at for one in desk.all(Address)] == [None]
    assert [c.ticket_id for c in desk.all(Change) if c.what == "reachable_again"] == [ticket.id]
    with pytest.raises(NotFound):
        desk.do(customers.reach_again, desk.ann, customer.ref, address.value)


def test_rename_and_consent_are_written_down(desk: Desk) -> None:
    ticket = desk.ticket()
    [customer] = desk.all(Customer)

    desk.do(customers.rename, desk.ann, customer.ref, " Yumi Takahashi ")
    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=True)
    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=False)

    [after] = desk.all(Customer)
    assert (after.name, after.may_ask, after.no_feedback_at) == ("Yumi Takahashi", False, NOON)
    assert [(c.what, c.ticket_id) for c in desk.all(Change)][1:] == [
        ("customer_renamed", ticket.id),
        ("feedback_allowed", ticket.id),
        ("feedback_refused", ticket.id),
    ]


def test_an_objection_is_taken_back_by_nobody_here(desk: Desk) -> None:
    desk.ticket()
    [customer] = desk.all(Customer)
    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=False)

    with pytest.raises(Conflict):
        desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=True)

    [after] = desk.all(Customer)
    assert (after.may_ask, after.no_feedback_at) == (False, NOON)


def test_a_customer_who_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.do(customers.rename, desk.ann, "nobody", "X")
