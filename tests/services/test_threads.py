"""Mail comes in any order and from anybody: it ends on the right ticket, or changes nothing."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import key_file
from app.core.errors import Conflict, NotFound
from app.core.secrets import Keys
from app.core.settings import Settings
from app.domain.words import MessageKind, Status, SurveyState
from app.services import (
    dispatched,
    intake,
    integrity_rules,
    merging,
    outbox,
    third_parties,
    tickets,
)
from app.services.filing import Understood
from app.store import search
from app.store.tables import (
    Address,
    Arrival,
    Awaited,
    Change,
    FormerRef,
    Inbox,
    Message,
    OtherId,
    Participant,
    Survey,
    Ticket,
    Touchpoint,
)
from channels.contract import InboundMessage, Ref, RefKind, Rendered, Sent
from tests.factories import make_inbox
from tests.inquiries import LINKS, NOON, Desk, guess, inquiry

Forward = Callable[[timedelta], None]

EVE = "eve@elsewhere.test"


def by_ids(*external_ids: str) -> tuple[Ref, ...]:
    return tuple(Ref(RefKind.MESSAGE_ID, one) for one in external_ids)


def to_our_address(desk: Desk, ticket: Ticket) -> tuple[Ref, ...]:
    return (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)


def assert_in_order(desk: Desk) -> None:
    with desk.db.reading() as session:
        wrong = {what: session.scalars(rows).all() for _, what, rows in integrity_rules.every()}
    # The desk keeps no bytes of what it sends.
    wrong.pop("was sent and what was sent is not kept")
    assert [what for what, rows in wrong.items() if rows] == []


def conversation(link: Callable[[list[InboundMessage]], tuple[Ref, ...]]) -> list[InboundMessage]:
    """Four mails of one customer, each in answer to the one before."""
    said: list[InboundMessage] = []
    for number in range(4):
        refs = link(said) if said else ()
        said.append(inquiry(text=f"Mail {number}", external_id=f"c{number}@x.test", refs=refs))
    return said


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_of_delivery_ends_the_same(desk: Desk, order: tuple[int, ...]) -> None:
    said = conversation(lambda before: by_ids(before[-1].external_id))

    for number in order:
        desk.arrive(said[number])

    [ticket] = desk.all(Ticket)
    assert (ticket.message_count, ticket.status) == (4, Status.OPEN)
    assert {message.text for message in desk.all(Message)} == {f"Mail {n}" for n in range(4)}
    assert desk.all(Awaited) == []
    with desk.db.reading() as session:
        assert search.find(session, "mail 3") == [ticket.id]
    assert_in_order(desk)


def test_mails_that_name_all_before_them_need_no_joining(desk: Desk) -> None:
    said = conversation(lambda before: by_ids(*(one.external_id for one in reversed(before))))

    for number in (3, 0, 2, 1):
        desk.arrive(said[number])

    [ticket] = desk.all(Ticket)
    assert ticket.message_count == 4
    assert [change.what for change in desk.all(Change)].count("joined") == 0


def test_what_waited_is_of_one_customer_or_stays_apart(desk: Desk) -> None:
    said = conversation(lambda before: by_ids(before[-1].external_id))
    theirs = desk.ticket(inquiry(EVE, refs=by_ids(said[0].external_id)))

    ticket = desk.ticket(said[0])

    assert ticket.id != theirs.id
    assert desk.again(theirs).message_count == 1


def test_two_that_answer_each_other_and_are_filed_at_once_are_one(desk: Desk) -> None:
    first, second = conversation(lambda before: by_ids(before[-1].external_id))[:2]
    kept = [(desk.kept(), message) for message in (second, first)]
    together = threading.Barrier(2)

    def file(arrival: Arrival, message: InboundMessage) -> None:
        together.wait(10)
        desk.do(intake.file, desk.keys, arrival.id, [Understood(message)])

    threads = [threading.Thread(target=file, args=one) for one in kept]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [ticket.message_count for ticket in desk.all(Ticket)] == [2]


def test_a_machine_waits_for_nothing(desk: Desk) -> None:
    desk.arrive(inquiry(refs=by_ids("gone@x.test"), automatic=True))
    desk.arrive(inquiry(refs=by_ids(*(f"gone{n}@x.test" for n in range(50)))))

    assert len(desk.all(Awaited)) == 20


def test_both_names_of_joined_tickets_mean_the_one_that_stays(desk: Desk, forward: Forward) -> None:
    older = desk.ticket(prediction=guess("C", "delivery"))
    forward(timedelta(minutes=10))
    newer = desk.ticket(inquiry(text="And the handle is loose."), prediction=guess("G", "repair"))
    desk.answered(newer, "We send a new one.")
    desk.do(tickets.resolve, desk.ann, newer.ref)

    stays = desk.do(merging.merge, desk.ann, older.ref, newer.ref)

    [ticket] = desk.all(Ticket)
    assert (stays.id, ticket.ref, ticket.message_count) == (older.id, older.ref, 3)
    assert (ticket.status, ticket.waiting_since, ticket.stage) == (Status.OPEN, NOON, "C")
    assert ticket.resolutions == 1
    assert [(row.ticket_id, row.resolution, row.state) for row in desk.all(Survey)] == [
        (older.id, 1, SurveyState.REVOKED)
    ]
    assert {row.stage for row in desk.all(Touchpoint)} == {"C"}
    [joined] = desk.all(Change, what="joined")
    assert (joined.agent_id, joined.data["ref"]) == (desk.ann.agent_id, newer.ref)

    noted = desk.do(tickets.note, desk.ann, newer.ref, "Both are one.")
    assert noted.ticket_id == older.id
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(newer.ref)),)
    desk.arrive(inquiry(refs=token))
    assert desk.again(older).message_count == 5
    with desk.db.reading() as session:
        assert search.find(session, "handle") == [older.id]
    assert_in_order(desk)


def test_names_are_followed_through_every_joining(desk: Desk) -> None:
    first, second, third = desk.ticket(), desk.ticket(), desk.ticket()

    desk.do(merging.merge, desk.ann, third.ref, second.ref)
    desk.do(merging.merge, desk.ann, second.ref, first.ref)

    assert [(row.ref, row.ticket_id) for row in desk.all(FormerRef)] == [
        (third.ref, first.id),
        (second.ref, first.id),
    ]
    assert desk.do(tickets.note, desk.ann, third.ref, "Here?").ticket_id == first.id


def test_what_cannot_be_joined_says_why(desk: Desk) -> None:
    ticket, other = desk.ticket(), desk.ticket(inquiry(EVE))
    spam = desk.ticket()
    desk.do(tickets.mark_spam, desk.ann, spam.ref)

    for ref in (ticket.ref, other.ref, spam.ref):
        with pytest.raises(Conflict):
            desk.do(merging.merge, desk.ann, ticket.ref, ref)
    with pytest.raises(NotFound):
        desk.do(merging.merge, desk.ann, ticket.ref, "000000000")


def test_who_holds_our_address_and_takes_no_part_changes_nothing(
    desk: Desk, forward: Forward
) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    before = desk.again(ticket)
    forward(timedelta(minutes=5))

    desk.arrive(inquiry(EVE, "I am her colleague.", refs=to_our_address(desk, ticket)))

    after = desk.again(ticket)
    same = (
        "status", "preview", "waiting_since", "last_inbound_at", "last_activity_at", "resolved_at",
        "resolutions", "stage",
    )  # fmt: skip
    assert {name: getattr(after, name) for name in same} == {
        name: getattr(before, name) for name in same
    }
    assert (after.message_count, after.unverified) == (3, 1)
    assert [survey.state for survey in desk.surveys()] == [SurveyState.SCHEDULED]
    [address] = desk.all(Address, value=EVE)
    assert [row for row in desk.all(Participant) if row.address_id == address.id] == []
    assert len(desk.all(Touchpoint)) == 2
    reply = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Anything else?"))
    assert reply.to == ["yumi@customers.test"]
    assert_in_order(desk)


def test_nobody_answers_to_what_a_third_party_wrote(desk: Desk) -> None:
    ticket = desk.ticket()
    planted = inquiry(EVE, refs=to_our_address(desk, ticket))
    desk.arrive(planted)

    other = desk.ticket(inquiry(EVE, refs=by_ids(planted.external_id)))

    assert other.id != ticket.id


def test_a_third_party_once_accepted_takes_part(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    desk.arrive(inquiry(EVE, "I am her colleague.", refs=to_our_address(desk, ticket)))
    [message] = desk.all(Message, unverified=True)

    desk.do(third_parties.accept, desk.ann, ticket.ref, message.id)

    after = desk.again(ticket)
    assert (after.status, after.preview, after.unverified) == (
        Status.OPEN,
        "I am her colleague.",
        0,
    )
    assert [survey.state for survey in desk.surveys()] == [SurveyState.REVOKED]
    desk.arrive(inquiry(EVE, refs=by_ids(message.external_id)))
    assert desk.again(ticket).message_count == 4
    with pytest.raises(Conflict):
        desk.do(third_parties.accept, desk.ann, ticket.ref, message.id)
    assert_in_order(desk)


def test_a_third_party_sent_away_gets_a_ticket_of_its_own(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.arrive(inquiry(EVE, "Buy our glasses!", refs=to_our_address(desk, ticket)))
    [message] = desk.all(Message, unverified=True)

    own = desk.do(third_parties.part, desk.ann, ticket.ref, message.id)

    assert (own.claims_ref, own.preview, own.status, own.message_count) == (
        ticket.ref,
        "Buy our glasses!",
        Status.OPEN,
        1,
    )
    assert (desk.again(ticket).message_count, desk.again(ticket).unverified) == (1, 0)
    with desk.db.reading() as session:
        assert search.find(session, "glasses") == [own.id]
    with pytest.raises(NotFound):
        desk.do(third_parties.part, desk.ann, ticket.ref, message.id)
    assert_in_order(desk)


def test_a_spammer_who_holds_our_address_is_spam(desk: Desk) -> None:
    spam = desk.ticket(inquiry(EVE))
    desk.do(tickets.mark_spam, desk.ann, spam.ref)
    ticket = desk.ticket()

    other = desk.ticket(inquiry(EVE, refs=to_our_address(desk, ticket)))

    assert (other.id != ticket.id, other.status) == (True, Status.SPAM)
    assert desk.again(ticket).unverified == 0


def test_what_is_joined_keeps_undecided_third_parties(desk: Desk) -> None:
    older, newer = desk.ticket(), desk.ticket()
    desk.arrive(inquiry(EVE, refs=to_our_address(desk, newer)))

    desk.do(merging.merge, desk.ann, newer.ref, older.ref)

    assert (desk.again(older).unverified, desk.again(older).message_count) == (1, 3)
    kinds = {message.kind for message in desk.all(Message)}
    assert kinds == {MessageKind.INBOUND}
    assert_in_order(desk)


@pytest.mark.parametrize("purpose", ["reply", "id", "tag"])
def test_what_an_older_key_signed_names_its_ticket_until_it_is_withdrawn(
    desk: Desk, settings: Settings, purpose: str
) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    made = {"reply": desk.keys.reply_token, "id": desk.keys.id_token, "tag": desk.keys.tag_token}
    kind = {"reply": RefKind.ADDRESS_TOKEN, "id": RefKind.ID_TOKEN, "tag": RefKind.TAG_TOKEN}
    token = Ref(kind[purpose], made[purpose](ticket.ref))
    both = key_file.with_new_key(key_file.read_key(settings.key_file), NOON.date())
    newer, alone = Keys(both), Keys(key_file.without_key(both, 1))

    def comes(keys: Keys, *refs: Ref) -> tuple[bool, str]:
        filed = replace(desk, keys=keys).ticket(inquiry(refs=refs))
        return filed.id == ticket.id, filed.claims_ref

    assert comes(newer, token) == (True, "")
    # It is no token any more, and the mail goes by what else it says.
    assert comes(alone, token) == (False, "")
    assert comes(alone, token, *by_ids(first.external_id)) == (True, "")


def test_who_quotes_what_they_read_gets_on_the_ticket_only_if_they_take_part(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    tag = (Ref(RefKind.TAG_TOKEN, desk.keys.tag_token(ticket.ref)),)
    before = desk.again(ticket)

    stranger = desk.ticket(inquiry(EVE, refs=tag))

    assert (stranger.id != ticket.id, stranger.claims_ref) == (True, ticket.ref)
    assert desk.again(ticket) == before
    assert desk.ticket(inquiry(refs=tag)).id == ticket.id
    assert desk.again(ticket).status is Status.OPEN
    # A machine that quotes it is no bounce of ours by that.
    machine = desk.ticket(inquiry(EVE, refs=tag, automatic=True))
    assert (machine.id != ticket.id, machine.claims_ref) == (True, ticket.ref)


def test_many_tickets_of_a_stranger_hide_none_of_those_that_are_meant(desk: Desk) -> None:
    first = inquiry(external_id="first@x.test")
    ticket = desk.ticket(first)
    for number in range(7):  # they have seen the id, and use it for their own, and answer to it
        desk.ticket(inquiry(EVE, text=f"Mine {number}", external_id="first@x.test"))
        desk.ticket(inquiry(EVE, text=f"As well {number}", refs=by_ids("late@x.test")))
    early = desk.ticket(inquiry(text="An answer to what is late.", refs=by_ids("late@x.test")))

    assert desk.ticket(inquiry(refs=by_ids("first@x.test"))).id == ticket.id
    assert desk.ticket(inquiry(text="Late.", external_id="late@x.test")).id == early.id
    assert len(desk.all(Ticket)) == 16


def test_an_answer_may_name_our_mail_as_its_relay_does(desk: Desk) -> None:
    ticket, own = desk.ticket(), "t.token.2.dede0129@shop.test"
    message = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Turn it."))
    parcel = desk.do(outbox.pack, desk.keys, "worker", message.id, LINKS)
    desk.do(outbox.keep_rendered, message.id, Rendered(own, b"x"), "f" * 64)
    told = ("1@relay.test", "1@relay.test", own, "YUMI@customers.test", f"{'x' * 250}@relay.test")
    desk.do(outbox.settle, message.id, parcel.holder, {"yumi@customers.test": Sent("1", told)})
    desk.do(dispatched.called_by_provider, own, "2@provider.test")
    desk.do(dispatched.called_by_provider, "another@shop.test", "3@provider.test")
    other: Inbox = desk.do(make_inbox)

    assert [(row.inbox_id, row.external_id) for row in desk.all(OtherId)] == [
        (desk.inbox.id, "1@relay.test"),
        (desk.inbox.id, "2@provider.test"),
    ]
    for number, name in enumerate(("1@relay.test", "2@provider.test"), 3):
        desk.arrive(inquiry(refs=by_ids(name)))
        assert desk.again(ticket).message_count == number
        stranger = desk.ticket(inquiry(EVE, refs=by_ids(name)))
        assert (stranger.id != ticket.id, stranger.claims_ref) == (True, ticket.ref)
    desk.arrive(inquiry(refs=by_ids("1@relay.test")), other)
    assert desk.again(ticket).message_count == 4
    assert {row.inbox_id for row in desk.all(Awaited)} == {other.id}
    for number in range(20):
        desk.do(dispatched.called_by_provider, own, f"more{number}@provider.test")
    assert len(desk.all(OtherId)) == dispatched.MOST_IDS
