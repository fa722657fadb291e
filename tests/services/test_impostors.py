"""Mails that may be from somebody else than they say, and those that only pass on."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.words import Status
from app.services import access, merging, outbox, tickets
from app.services.queries import ticket as queries
from app.services.queries import vocabulary
from app.services.queries.likely import Likely
from app.store.tables import Address, Agent, Awaited, Change, Message, Participant, Ticket
from channels.contract import (
    Forward,
    InboundMessage,
    Party,
    Raw,
    Ref,
    RefKind,
    Rendered,
    Verdicts,
)
from channels.email import channel
from channels.email.config import EmailConfig
from channels.report import Failure, Report
from tests.factories import make_inbox
from tests.inquiries import LINKS, NOON, Desk, inquiry

Wait = Callable[[timedelta], None]

EVE = "eve@elsewhere.test"
GOOD, BAD, NOTHING = Verdicts(dmarc="pass"), Verdicts(spf="pass", dmarc="fail"), Verdicts()
JANE = Party("email", "jane@customers.test", "Jane Doe")
BEFORE = NOON - timedelta(days=3)


def refs_to(desk: Desk, ticket: Ticket, first: InboundMessage) -> dict[str, Ref]:
    return {
        "id": Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),
        "tag": Ref(RefKind.TAG_TOKEN, desk.keys.tag_token(ticket.ref)),
        "foreign id": Ref(RefKind.MESSAGE_ID, first.external_id),
    }


IMPOSTORS: dict[str, dict[str, Any]] = {"fails": {"verdicts": BAD}, "by a form": {"unproved": True}}


@pytest.mark.parametrize("given", IMPOSTORS.values(), ids=IMPOSTORS)
def test_who_may_be_an_impostor_joins_nothing_and_changes_nothing(
    desk: Desk, given: dict[str, Any]
) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    before = desk.again(ticket)

    for ref in refs_to(desk, ticket, first).values():
        other = desk.ticket(inquiry(refs=(ref,), **given))
        assert (other.id != ticket.id, other.claims_ref) == (True, ticket.ref)
    assert desk.again(ticket) == before
    assert desk.all(Awaited) == []


BOTH: dict[str, str] = {
    "a second address": "From: yumi@customers.test, eve@elsewhere.test",
    "a second field": "From: yumi@customers.test\nFrom: eve@elsewhere.test",
    "a name alone": "From: Eve\nSender: yumi@customers.test",
    "another than was checked": "From: yumi@customers.test",
}


@pytest.mark.parametrize("writers", BOTH.values(), ids=BOTH)
def test_who_passes_as_somebody_else_does_not_write_as_the_customer(
    desk: Desk, writers: str
) -> None:
    config = EmailConfig(address="support@shop.test", trusted_servers="mail.shop.test")
    first = inquiry()
    ticket = desk.ticket(first)
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    before = desk.again(ticket)
    mail = (
        "Authentication-Results: mail.shop.test; dmarc=pass header.from=elsewhere.test\n"
        f"{writers}\nSubject: Re: A question\nIn-Reply-To: <{first.external_id}>\n\nSend it to me."
    )
    (message,) = channel.parse(config, Raw("x", mail.encode()))
    assert isinstance(message, InboundMessage)

    other = desk.ticket(message)

    assert (other.id != ticket.id, other.claims_ref) == (True, ticket.ref)
    assert desk.again(ticket) == before
    with desk.db.reading() as session:
        seen = queries.view(session, desk.ann, other.ref, vocabulary.current(session))
    [warned] = [one.warnings for one in seen.said]
    assert warned


@pytest.mark.parametrize("better", [GOOD, NOTHING, None])
def test_a_mail_that_comes_straight_as_well_is_believed(
    desk: Desk, better: Verdicts | None
) -> None:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    answer = inquiry(
        text="Still open.", refs=(Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)
    )
    doubted = desk.ticket(replace(answer, verdicts=BAD))

    for verdicts in (BAD, better, better):
        assert desk.arrive(replace(answer, verdicts=verdicts)).state == "copy"

    assert doubted.id != ticket.id
    assert [row.id for row in desk.all(Ticket)] == [ticket.id]
    assert desk.again(ticket).status is Status.OPEN
    first, _, last = desk.all(Message)
    assert (last.text, last.ticket_id) == ("Still open.", first.ticket_id)
    assert (last.verdicts or {"dmarc": ""})["dmarc"] != "fail"


def test_a_copy_that_fails_takes_nothing_back(desk: Desk) -> None:
    ticket = desk.ticket()
    answer = inquiry(refs=(Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),), verdicts=GOOD)
    desk.arrive(answer)

    desk.arrive(replace(answer, verdicts=BAD))

    _, last = desk.all(Message)
    assert (last.ticket_id, last.verdicts["dmarc"]) == (ticket.id, "pass")


def test_with_our_signed_address_an_impostor_is_a_third_party(desk: Desk) -> None:
    ticket = desk.ticket()
    token = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)

    there = desk.ticket(inquiry(refs=token, verdicts=BAD))

    assert (there.id, there.unverified) == (ticket.id, 1)
    assert [message.unverified for message in desk.all(Message)] == [False, True]


@pytest.mark.parametrize(
    "verdicts", [None, GOOD, NOTHING, Verdicts("fail", "fail", compauth="fail")]
)
def test_only_a_failed_dmarc_makes_an_impostor(desk: Desk, verdicts: Verdicts | None) -> None:
    first = inquiry()
    ticket = desk.ticket(first)

    for ref in refs_to(desk, ticket, first).values():
        assert desk.ticket(inquiry(refs=(ref,), verdicts=verdicts)).id == ticket.id


@pytest.mark.parametrize("order", ["before", "after"])
def test_what_waits_for_a_mail_waits_for_no_impostor(desk: Desk, order: str) -> None:
    real = inquiry()
    false = inquiry(refs=(Ref(RefKind.MESSAGE_ID, real.external_id),), verdicts=BAD)

    for message in (false, real) if order == "before" else (real, false):
        desk.arrive(message)

    assert [ticket.message_count for ticket in desk.all(Ticket)] == [1, 1]


def test_an_impostor_makes_no_address_reachable_again(desk: Desk) -> None:
    ticket = desk.ticket()
    with desk.db.transaction() as session:
        session.get_one(Address, desk.all(Address)[0].id).undeliverable_at = NOON

    desk.arrive(inquiry(verdicts=BAD))
    still = desk.all(Address)[0].undeliverable_at
    desk.arrive(inquiry(verdicts=GOOD))

    assert (still, desk.all(Address)[0].undeliverable_at) == (NOON, None)
    assert desk.again(ticket).message_count == 1


def test_what_was_found_out_is_kept_with_the_message(desk: Desk) -> None:
    desk.arrive(inquiry(verdicts=BAD))
    ref = desk.ticket(inquiry(verdicts=None)).ref

    kept = [message.verdicts for message in desk.all(Message)]

    assert kept == [asdict(BAD), None]
    with desk.db.reading() as session:
        [ticket] = [one for one in desk.all(Ticket) if one.ref != ref]
        seen = queries.view(session, desk.ann, ticket.ref, vocabulary.current(session))
    assert [said.verdicts for said in seen.said] == [BAD]


def passed_on(desk: Desk, sender: str = "", **given: Any) -> InboundMessage:
    """By an agent, unless by somebody else."""
    text = "Ours?\n\nFrom: Jane Doe\n\nThe lid does not close."
    forward = Forward(JANE, BEFORE, "Lid", "The lid does not close.")
    message = inquiry(
        sender or desk.all(Agent, id=desk.ann.agent_id)[0].email,
        text=text,
        subject="Fwd: Lid",
        reply_to=Party("email", "ann.private@elsewhere.test"),
        forward=forward,
        verdicts=GOOD,
    )
    return replace(message, **given)


def test_what_an_agent_passes_on_is_the_customers_inquiry(desk: Desk) -> None:
    ticket = desk.ticket(passed_on(desk))

    [message] = desk.all(Message)
    [address] = desk.all(Address)
    assert (ticket.subject, ticket.preview) == ("Lid", "The lid does not close.")
    assert (address.value, message.author, message.sent_at) == (JANE.value, "Jane Doe", BEFORE)
    assert (message.reply_text, message.quoted_text, message.reply_to) == (
        "The lid does not close.",
        "Ours?\n\nFrom: Jane Doe",
        "",
    )
    assert [change.data["agent"] for change in desk.all(Change, what="forwarded")] == ["Ann Bell"]
    assert [row.address_id for row in desk.all(Participant)] == [address.id]
    # And when they answer, it is their ticket.
    token = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)
    assert desk.ticket(inquiry(JANE.value, refs=token)).id == ticket.id


OTHERS: dict[str, dict[str, Any]] = {
    "a stranger": {"sender": EVE},
    "an agent whose mail fails": {"verdicts": BAD},
    "an agent of whom nothing is known where it should be": {"verdicts": NOTHING},
    "an agent where no server is trusted": {"verdicts": None},
    "an agent by a form": {"unproved": True},
    "an agent who passes on our own mail": {
        "forward": Forward(Party("email", "support@shop.test"), None, "Lid", "Turn it.")
    },
    "an agent whose program says nothing": {"forward": Forward()},
}


@pytest.mark.parametrize("given", OTHERS.values(), ids=OTHERS)
def test_what_anybody_else_passes_on_is_their_own_inquiry(
    desk: Desk, given: dict[str, Any]
) -> None:
    with desk.db.transaction() as session:
        make_inbox(session, address="support@shop.test")
    message = passed_on(desk, **given)

    desk.ticket(message)

    assert [address.value for address in desk.all(Address)] == [message.sender.value]
    assert desk.all(Change, what="forwarded") == []


def test_an_agent_who_left_passes_nothing_on(desk: Desk) -> None:
    message = passed_on(desk)
    with desk.db.transaction() as session:
        session.get_one(Agent, desk.ann.agent_id).active = False

    desk.ticket(message)

    assert [address.value for address in desk.all(Address)] == [message.sender.value]


def test_what_is_passed_on_gets_a_ticket_that_names_the_other(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    refs = refs_to(desk, ticket, first)

    for ref in refs.values():
        other = desk.ticket(inquiry(refs=(ref,), forward=Forward()))
        assert (other.id != ticket.id, other.claims_ref) == (True, ticket.ref)
        by_agent = desk.ticket(passed_on(desk, refs=(ref,)))
        assert (by_agent.id != ticket.id, by_agent.claims_ref) == (True, ticket.ref)
    # To the ticket's own address it is said on the ticket.
    token = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)
    assert desk.ticket(inquiry(refs=token, forward=Forward())).id == ticket.id
    assert desk.again(ticket).message_count == 2


def likely(desk: Desk, ticket: Ticket, actor: access.Actor | None = None) -> list[str]:
    with desk.db.reading() as session:
        words = vocabulary.current(session)
        found = queries.view(session, actor or desk.ann, ticket.ref, words)
    assert all(one == Likely(one.ref, one.subject) for one in found.may_belong_to)
    return [one.ref for one in found.may_belong_to]


def test_the_same_subject_of_the_same_customer_is_a_suggestion_only(
    desk: Desk, forward: Wait
) -> None:
    old = desk.ticket(inquiry(subject="The lid"))
    forward(timedelta(days=15))
    first = desk.ticket(inquiry(subject="Re: The lid"))
    others = [
        desk.ticket(inquiry(subject="Another lid")),
        desk.ticket(inquiry(EVE, subject="The lid")),
        desk.ticket(inquiry(subject="", text="The lid")),
    ]
    forward(timedelta(days=13))

    second = desk.ticket(inquiry(subject="AW: The lid"))

    assert len({one.id for one in (old, first, second, *others)}) == 6
    assert likely(desk, second) == [others[2].ref, first.ref]  # one began with these words
    assert [likely(desk, one) for one in (old, first, *others)] == [[], [], [], [], []]


def test_what_names_another_ticket_of_the_same_customer_may_belong_to_it(desk: Desk) -> None:
    first = inquiry()
    ticket = desk.ticket(first)
    by_id = (Ref(RefKind.MESSAGE_ID, first.external_id),)

    mine = desk.ticket(inquiry(subject="Fwd: else", refs=by_id, forward=Forward()))
    theirs = desk.ticket(inquiry(EVE, subject="Else", refs=by_id))

    assert likely(desk, mine) == [ticket.ref]
    assert (likely(desk, theirs), theirs.claims_ref) == ([], ticket.ref)


def test_a_number_in_a_subject_is_a_suggestion_among_ones_own_tickets(desk: Desk) -> None:
    ticket = desk.ticket()

    mine = desk.ticket(inquiry(subject=f"About [#{ticket.ref.upper()}] again"))
    theirs = desk.ticket(inquiry(EVE, subject=f"[#{ticket.ref}]"))
    token = desk.ticket(inquiry(subject=f"[#{ticket.ref}-1-{'a' * 26}]"))

    assert len({ticket.id, mine.id, theirs.id, token.id}) == 4
    assert [likely(desk, one) for one in (mine, theirs, token)] == [[ticket.ref], [], []]
    assert (theirs.claims_ref, desk.again(ticket).message_count) == ("", 1)


def test_what_an_agent_keeps_apart_is_suggested_no_more(desk: Desk) -> None:
    first, second = desk.ticket(inquiry(subject="The lid")), desk.ticket(inquiry(subject="The lid"))
    third = desk.ticket(inquiry(subject="Re: The lid"))

    desk.do(merging.keep_apart, desk.ann, third.ref, first.ref)
    desk.do(merging.keep_apart, desk.ann, third.ref, first.ref)
    assert (likely(desk, third), likely(desk, second)) == ([second.ref], [first.ref])

    desk.do(merging.suggest_again, desk.ann, third.ref, first.ref)
    desk.do(merging.suggest_again, desk.ann, third.ref, first.ref)
    assert likely(desk, third) == [second.ref, first.ref]

    told = [(one.what, one.data["ref"]) for one in desk.all(Change) if "ref" in one.data]
    assert told == [("kept_apart", first.ref), ("suggested_again", first.ref)]


def test_nothing_is_suggested_for_or_from_spam(desk: Desk) -> None:
    first, second = desk.ticket(), desk.ticket()
    desk.do(tickets.mark_spam, desk.ann, first.ref)
    assert desk.again(first).status is Status.SPAM

    assert likely(desk, second) == []
    assert likely(desk, first) == []


def test_a_machine_that_quotes_our_id_speaks_for_nobody(desk: Desk) -> None:
    """A bounce comes from a stranger by nature; what else a machine says waits for an agent."""
    ticket = desk.ticket()
    draft = tickets.Draft("Turn it.", cc=("boss@customers.test",))
    message = desk.do(tickets.reply, desk.ann, ticket.ref, draft)
    desk.do(outbox.keep_rendered, message.id, Rendered("1@ours.test", b"x"), "f" * 64)
    desk.send(message.id)
    quoted = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    def say(to: str, original_id: str) -> None:
        report = Report((Failure(to, "failed", "5.1.1", hard=True),), original_id)
        desk.arrive(inquiry(EVE, refs=quoted, automatic=True, report=report))

    desk.arrive(inquiry(EVE, refs=quoted, automatic=True, machine="auto_reply"))
    say("yumi@customers.test", "1@ours.test")
    say("nobody@elsewhere.test", "1@ours.test")
    say("yumi@customers.test", "1@elsewhere.test")
    say("", "1@ours.test")  # it names nobody, as some servers do
    say("", "1@elsewhere.test")

    said = desk.all(Message, ticket_id=ticket.id)[2:]
    assert [message.unverified for message in said] == [True, False, True, True, False, True]


def test_a_machine_whose_mail_is_spam_is_not_shown_where_it_points(desk: Desk) -> None:
    ticket = desk.ticket()
    desk.do(tickets.mark_spam, desk.ann, desk.ticket(inquiry(EVE)).ref)
    quoted = (Ref(RefKind.ID_TOKEN, desk.keys.id_token(ticket.ref)),)

    desk.arrive(inquiry(EVE, refs=quoted, automatic=True, machine="bounce_hard"))

    assert desk.again(ticket).message_count == 1


def test_what_a_stranger_or_a_machine_wrote_is_not_what_we_answer(desk: Desk) -> None:
    first = inquiry(subject="The lid")
    ticket = desk.ticket(first)
    token = (Ref(RefKind.ADDRESS_TOKEN, desk.keys.reply_token(ticket.ref)),)
    desk.ticket(inquiry(EVE, "Pay here.", subject="Pay at once", refs=token))
    named = tuple(refs_to(desk, ticket, first).values())
    desk.ticket(inquiry(subject="Away", refs=named, automatic=True, machine="ooo"))
    message = desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Turn it."))

    draft = desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS).draft

    assert (draft.subject, draft.in_reply_to) == ("Re: The lid", first.external_id)
    assert all("elsewhere" not in ref for ref in draft.references)


def test_nobody_keeps_a_mail_out_by_saying_that_it_is_ours(desk: Desk) -> None:
    forged = desk.keys.id_token(desk.ticket().ref)[:-1] + "!"

    for token in ("", forged):
        claimed = inquiry(machine="ourselves", automatic=True, own_token=token, otherwise="ooo")
        assert desk.arrive(claimed).state == "filed"

    rows = desk.all(Message)[1:]
    assert [(row.automatic, row.machine) for row in rows] == [(True, "ooo"), (True, "ooo")]


def test_another_house_with_setten_is_not_taken_for_ours(desk: Desk) -> None:
    """Two shops with mailboxes at one provider: ids alike in shape, and signed by other keys."""
    ours = desk.keys.id_token(desk.ticket().ref)

    there = desk.arrive(inquiry(machine="ourselves", automatic=True, own_token="abc-1-xyz"))
    back = desk.arrive(inquiry(machine="ourselves", automatic=True, own_token=ours))

    assert (there.state, back.state) == ("filed", "ignored")
    assert [message.automatic for message in desk.all(Message)] == [False, False]
