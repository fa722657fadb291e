"""What goes out: claimed once, marked before it goes further, settled for every outcome."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core import key_file
from app.core.errors import Conflict, NotAllowed, NotFound
from app.core.secrets import Keys, digest
from app.core.settings import Settings
from app.domain.words import DeliveryState, FollowUpState, SurveyState
from app.services import customers, outbox, surveys, tickets
from app.services.outbox import Parcel
from app.services.tickets import Draft
from app.services.withdrawals import OBJECTED
from app.store.tables import Change, Customer, Delivery, FollowUp, Inbox, Message, Ticket
from channels.contract import (
    Held,
    InDoubt,
    Later,
    Outcome,
    Party,
    Phase,
    Ref,
    RefKind,
    Refused,
    Rendered,
    Sent,
)
from tests.inquiries import LINKS, NOON, Desk, inquiry

Forward = Callable[[timedelta], None]


def replied(desk: Desk, *cc: str) -> Message:
    message: Message = desk.do(tickets.reply, desk.ann, desk.ticket().ref, Draft("Turn it.", cc=cc))
    return message


def packed(desk: Desk, message: Message, worker: str = "w1") -> Parcel:
    parcel: Parcel | None = desk.do(outbox.pack, desk.keys, worker, message.id, LINKS)
    assert parcel is not None
    return parcel


def states(desk: Desk, message: Message) -> list[tuple[str, str]]:
    return [(d.state, d.words) for d in desk.deliveries(message.id)]


def test_pack_reads_everything_a_worker_needs(desk: Desk) -> None:
    first = inquiry(subject="The lid", refs=(Ref(RefKind.MESSAGE_ID, "m0@customers.test"),))
    ticket = desk.ticket(first)
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("Turn it.", cc=("b@x.test",)))

    parcel = packed(desk, message)

    assert parcel.recipients == ("yumi@customers.test", "b@x.test")
    draft = parcel.draft
    assert (draft.to, draft.cc) == (
        (Party("email", "yumi@customers.test"),),
        (Party("email", "b@x.test"),),
    )
    assert (draft.token, draft.reply_token, draft.number, draft.sent_at) == (
        desk.keys.id_token(ticket.ref),
        desk.keys.reply_token(ticket.ref),
        message.id,
        NOON,
    )
    assert (draft.subject, draft.sender_name) == ("Re: The lid", "Ann Bell · 金田うつわ店")
    assert (draft.in_reply_to, draft.references) == (
        first.external_id,
        ("m0@customers.test", first.external_id),
    )
    assert [(d.state, d.attempts, d.next_at) for d in desk.deliveries(message.id)] == [
        (DeliveryState.SENDING, 1, None)
    ] * 2


def test_of_two_workers_one_gets_it(desk: Desk) -> None:
    message = replied(desk, "b@x.test", "c@x.test")
    together = threading.Barrier(2)
    got: list[Parcel | None] = []

    def take(worker: str) -> None:
        together.wait(10)
        got.append(desk.do(outbox.pack, desk.keys, worker, message.id, LINKS))

    threads = [threading.Thread(target=take, args=(name,)) for name in ("w1", "w2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    claimed = sorted(address for parcel in got if parcel for address in parcel.recipients)
    assert claimed == ["b@x.test", "c@x.test", "yumi@customers.test"]


def test_nothing_is_packed_before_its_time(desk: Desk, forward: Forward) -> None:
    message = replied(desk)
    desk.send(message.id, Later("away", 600))
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None

    forward(timedelta(seconds=600))

    assert packed(desk, message).recipients == ("yumi@customers.test",)


def test_every_attempt_sends_the_bytes_of_the_first(desk: Desk) -> None:
    message = replied(desk)
    packed(desk, message)

    desk.do(outbox.keep_rendered, message.id, Rendered("ours@x", b"bytes"), "f" * 64)
    desk.do(outbox.recover, "w1")

    parcel = packed(desk, message)
    assert (parcel.rendered_sha256, parcel.external_id) == ("f" * 64, "ours@x")


def test_mark_phase_is_written_down(desk: Desk) -> None:
    message = replied(desk)
    parcel = packed(desk, message)

    desk.do(outbox.mark_phase, message.id, parcel.holder, Phase.AMBIGUOUS)

    assert [d.phase for d in desk.deliveries(message.id)] == [Phase.AMBIGUOUS]


def test_a_worker_taken_for_dead_cannot_go_on(desk: Desk) -> None:
    """It slept, another one sends its mail now: going on would send it twice."""
    message = replied(desk)
    sleeper = packed(desk, message, "w1")
    desk.do(outbox.recover, "w1")
    packed(desk, message, "w2")

    with pytest.raises(Conflict):
        desk.do(outbox.mark_phase, message.id, sleeper.holder, Phase.AMBIGUOUS)

    assert [d.phase for d in desk.deliveries(message.id)] == [""]


def test_the_same_worker_has_a_new_name_for_each_attempt(desk: Desk) -> None:
    message = replied(desk)
    sleeper = packed(desk, message, "w1")
    desk.do(outbox.recover, "w1")
    packed(desk, message, "w1")

    with pytest.raises(Conflict):
        desk.do(outbox.mark_phase, message.id, sleeper.holder, Phase.AMBIGUOUS)
    desk.do(outbox.settle, message.id, sleeper.holder, {"yumi@customers.test": Sent()})

    assert states(desk, message) == [("sending", "")]


@pytest.mark.parametrize(
    ("outcome", "state", "words"),
    [
        (Sent("p1"), DeliveryState.SENT, ""),
        (Refused("no such\x00 user"), DeliveryState.FAILED, "no such user"),
        (InDoubt("cut off"), DeliveryState.IN_DOUBT, "cut off"),
        (Held("no way out yet"), DeliveryState.HELD, "no way out yet"),
        (Later("busy", away=True), DeliveryState.RETRY, "busy"),
        (Later("greylisted"), DeliveryState.RETRY, "greylisted"),
    ],
)
def test_settle_notes_each_outcome(
    desk: Desk, outcome: Outcome, state: DeliveryState, words: str
) -> None:
    message = replied(desk)

    desk.send(message.id, outcome)

    [delivery] = desk.deliveries(message.id)
    assert (delivery.state, delivery.words) == (state, words)
    assert delivery.provider_id == ("p1" if isinstance(outcome, Sent) else "")
    retried = NOON + timedelta(minutes=1) if isinstance(outcome, Later) else None
    assert delivery.next_at == retried
    inbox = desk.one(Inbox, desk.inbox.id)
    assert inbox.last_out_at == (NOON if isinstance(outcome, Sent) else None)
    assert inbox.last_out_error == ("busy" if words == "busy" else "")


def test_one_that_is_asked_to_wait_shows_that_the_server_is_there(
    desk: Desk, forward: Forward
) -> None:
    message = replied(desk)
    desk.send(message.id, Later("cannot be reached", away=True))
    before = desk.one(Inbox, desk.inbox.id).last_out_error
    forward(timedelta(minutes=1))

    desk.send(message.id, Later("greylisted"))

    after = desk.one(Inbox, desk.inbox.id).last_out_error
    assert (before, after) == ("cannot be reached", "")


def test_each_recipient_has_an_outcome_of_its_own(desk: Desk) -> None:
    message = replied(desk, "b@x.test", "c@x.test")
    parcel = packed(desk, message)

    said = {"yumi@customers.test": Sent(), "b@x.test": Refused("unknown")}
    desk.do(outbox.settle, message.id, parcel.holder, said)

    assert states(desk, message) == [
        ("sent", ""),
        ("failed", "unknown"),
        ("in_doubt", "The channel did not say what became of it."),
    ]


def test_only_those_still_due_are_sent_again(desk: Desk, forward: Forward) -> None:
    message = replied(desk, "b@x.test")
    desk.send(message.id, Sent(), Later("greylisted"))
    forward(timedelta(minutes=1))

    parcel = packed(desk, message)

    assert parcel.recipients == ("b@x.test",)


def test_the_waits_grow_and_end_after_five_days(desk: Desk, forward: Forward) -> None:
    message = replied(desk)
    waits: list[float] = []
    moment = NOON
    while True:
        desk.send(message.id, Later("away"))
        [delivery] = desk.deliveries(message.id)
        if delivery.next_at is None:
            break
        wait = delivery.next_at - moment
        waits.append(wait.total_seconds())
        jump = timedelta(hours=30) if len(waits) > 5 else wait
        forward(jump)
        moment += jump

    assert waits[:6] == [60, 300, 900, 3600, 3600, 3600]
    assert states(desk, message) == [("failed", "Given up after 5 days: away")]


def test_what_the_provider_asks_for_is_waited(desk: Desk) -> None:
    message = replied(desk)

    desk.send(message.id, Later("slow down", 7200))

    assert [d.next_at for d in desk.deliveries(message.id)] == [NOON + timedelta(hours=2)]


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (None, DeliveryState.RETRY),
        (Phase.TALKING, DeliveryState.RETRY),
        (Phase.AMBIGUOUS, DeliveryState.IN_DOUBT),
    ],
)
def test_recover_decides_by_how_far_it_got(
    desk: Desk, phase: Phase | None, state: DeliveryState
) -> None:
    message = replied(desk)
    parcel = packed(desk, message)
    if phase:
        desk.do(outbox.mark_phase, message.id, parcel.holder, phase)
    before = desk.jobs()

    assert desk.do(outbox.recover, "w1") == 1

    [delivery] = desk.deliveries(message.id)
    assert delivery.state is state
    assert delivery.next_at == (NOON if state is DeliveryState.RETRY else None)
    assert desk.jobs() == before + (1 if state is DeliveryState.RETRY else 0)


def test_recover_leaves_the_work_of_others_alone(desk: Desk, forward: Forward) -> None:
    message = replied(desk)
    packed(desk, message, "w10")

    assert desk.do(outbox.recover, "w1") == 0
    assert desk.do(outbox.recover, None, NOON) == 0
    forward(timedelta(hours=2))
    assert desk.do(outbox.recover, None, NOON + timedelta(hours=1)) == 1


def test_overdue_names_messages_whose_job_was_lost(desk: Desk, forward: Forward) -> None:
    message = replied(desk)
    other = replied(desk)
    desk.send(other.id)
    forward(timedelta(minutes=2))

    assert desk.do(outbox.overdue, NOON + timedelta(minutes=1)) == [message.id]


@pytest.mark.parametrize("outcome", [Refused("no"), InDoubt("cut off"), Held("no way")])
def test_send_again_is_a_persons_act(desk: Desk, outcome: Outcome) -> None:
    message = replied(desk)
    desk.send(message.id, outcome)
    before = desk.jobs()
    [delivery] = desk.deliveries(message.id)

    desk.do(outbox.send_again, desk.ann, delivery.id)

    assert states(desk, message) == [("queued", "")]
    assert desk.jobs() == before + 1
    assert [(c.what, c.agent_id) for c in desk.all(Change)][-1] == (
        "sent_again",
        desk.ann.agent_id,
    )


def test_what_is_under_way_or_done_is_neither_sent_again_nor_stopped(desk: Desk) -> None:
    message = replied(desk)
    packed(desk, message)
    [delivery] = desk.deliveries(message.id)

    for verb in (outbox.send_again, outbox.cancel):
        with pytest.raises(Conflict):
            desk.do(verb, desk.ann, delivery.id)
        with pytest.raises(NotFound):
            desk.do(verb, desk.ann, 999)

    assert states(desk, message) == [("sending", "")]


def test_cancel_stops_what_has_not_left(desk: Desk) -> None:
    message = replied(desk)
    [delivery] = desk.deliveries(message.id)

    desk.do(outbox.cancel, desk.ann, delivery.id)

    assert states(desk, message) == [("cancelled", "Stopped by a person.")]
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None


def test_nothing_leaves_for_a_sample_inquiry(desk: Desk) -> None:
    message = replied(desk)
    with desk.db.transaction() as session:
        session.get_one(Ticket, message.ticket_id).sample = True

    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None

    assert states(desk, message) == [("held", "This is a sample inquiry: nothing is sent.")]


# Feedback requests


def asked(desk: Desk, forward: Forward, *, reachable: bool = True) -> Message:
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    forward(timedelta(days=1))
    [survey] = desk.surveys()
    desk.do(surveys.ask, desk.keys, survey.id, reachable=reachable)
    [message] = desk.all(Message, request=True)
    return message  # type: ignore[no-any-return]


def test_a_request_written_before_the_keys_changed_has_a_link_that_works(
    desk: Desk, settings: Settings, forward: Forward
) -> None:
    message = asked(desk, forward)
    keys = Keys(key_file.with_new_key(key_file.read_key(settings.key_file), NOON.date()))

    packed(replace(desk, keys=keys), message)

    [survey] = desk.surveys()
    assert survey.digest == digest(keys.survey_token(survey.nonce))
    assert survey.digest != digest(desk.keys.survey_token(survey.nonce))


def test_a_requests_link_exists_only_in_the_parcel(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward)
    token = desk.keys.survey_token(desk.surveys()[0].nonce)

    parcel = packed(desk, message)

    assert f"{LINKS}/f/{token}\n" in parcel.draft.text
    assert parcel.draft.unsubscribe_url == f"{LINKS}/f/{token}/stop"
    for table in (Message, Delivery, Change, Customer):
        assert token not in repr(desk.all(table))
    assert token not in repr(desk.surveys())


def test_a_request_is_held_where_no_link_could_be_opened(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward)

    assert desk.do(outbox.pack, desk.keys, "w1", message.id, "") is None

    assert states(desk, message) == [("held", surveys.UNREACHABLE)]
    assert [(s.state, s.reason) for s in desk.surveys()] == [
        (SurveyState.HELD, surveys.UNREACHABLE)
    ]


def test_a_held_request_that_is_released_is_held_again_until_links_work(
    desk: Desk, forward: Forward
) -> None:
    message = asked(desk, forward, reachable=False)
    [delivery] = desk.deliveries(message.id)

    desk.do(outbox.send_again, desk.lead, delivery.id)
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, "") is None
    desk.do(outbox.send_again, desk.lead, delivery.id)
    desk.send(message.id)

    assert [s.state for s in desk.surveys()] == [SurveyState.SENT]


def test_an_objection_wins_until_the_request_is_handed_over(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward)
    [customer] = desk.all(Customer)
    desk.do(customers.allow_feedback, desk.ann, customer.ref, allowed=False)

    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None

    assert states(desk, message) == [("cancelled", OBJECTED)]
    assert [s.state for s in desk.surveys()] == [SurveyState.REVOKED]


def test_a_request_that_failed_is_over(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward)
    desk.send(message.id, Refused("unknown"))
    [delivery] = desk.deliveries(message.id)
    assert [(s.state, s.reason) for s in desk.surveys()] == [
        (SurveyState.SUPPRESSED, "It could not be delivered.")
    ]

    with pytest.raises(Conflict):
        desk.do(outbox.send_again, desk.lead, delivery.id)

    assert states(desk, message) == [("failed", "unknown")]


def test_who_is_asked_is_not_for_the_rated_agent_to_say(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward)
    [delivery] = desk.deliveries(message.id)

    with pytest.raises(NotAllowed):
        desk.do(outbox.cancel, desk.ann, delivery.id)
    assert states(desk, message) == [("queued", "")]
    desk.do(outbox.cancel, desk.lead, delivery.id)

    assert states(desk, message) == [("cancelled", "Stopped by a person.")]
    assert [(s.state, s.reason) for s in desk.surveys()] == [
        (SurveyState.REVOKED, "Stopped by a person.")
    ]


def test_a_request_is_let_go_by_a_lead_and_in_working_hours(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward, reachable=False)
    [delivery] = desk.deliveries(message.id)
    forward(timedelta(hours=8))  # eight in the evening

    with pytest.raises(NotAllowed):
        desk.do(outbox.send_again, desk.ann, delivery.id)
    desk.do(outbox.send_again, desk.lead, delivery.id)

    assert [d.next_at for d in desk.deliveries(message.id)] == [NOON + timedelta(days=1, hours=21)]
    assert desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is None
    forward(timedelta(hours=13))
    desk.send(message.id)
    assert [s.state for s in desk.surveys()] == [SurveyState.SENT]


def test_what_left_late_cools_down_and_lasts_from_then_on(desk: Desk, forward: Forward) -> None:
    message = asked(desk, forward, reachable=False)
    forward(timedelta(days=20))
    [delivery] = desk.deliveries(message.id)
    desk.do(outbox.send_again, desk.lead, delivery.id)

    desk.send(message.id)

    sent = NOON + timedelta(days=21)
    assert [(s.sent_at, s.expires_at) for s in desk.surveys()] == [(sent, sent + timedelta(14))]
    assert [c.asked_at for c in desk.all(Customer)] == [sent]


def test_a_copy_to_a_colleague_is_no_contact(desk: Desk, forward: Forward) -> None:
    asked_first = asked(desk, forward)
    desk.send(asked_first.id)
    token = desk.keys.survey_token(desk.surveys()[0].nonce)
    desk.do(surveys.answer, token, surveys.Rating(1))
    [ticket] = desk.all(Ticket)
    message = desk.do(tickets.reply, desk.ann, ticket.ref, Draft("We are sorry.", cc=("b@x.test",)))

    desk.send(message.id, Refused("mailbox full"), Sent())

    assert [f.state for f in desk.all(FollowUp)] == [FollowUpState.OPEN]


def test_who_sends_it_again_gives_it_five_days_anew(desk: Desk, forward: Forward) -> None:
    message = replied(desk)
    forward(timedelta(days=9))  # it waited for its server's settings, and was not tried
    for words in ("first", "second"):
        desk.send(message.id, Later(words))
        forward(timedelta(days=6))
        desk.send(message.id, Later(words))
        assert states(desk, message) == [("failed", f"Given up after 5 days: {words}")]
        [delivery] = desk.deliveries(message.id)
        desk.do(outbox.send_again, desk.ann, delivery.id)

    assert states(desk, message) == [("queued", "")]
