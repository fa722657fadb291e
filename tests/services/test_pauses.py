"""An inbox that cannot send: one try at a time, nothing lost, and everybody sees why."""

from datetime import timedelta

import pytest

from app.core.errors import Conflict, NotAllowed, NotFound
from app.domain.words import DeliveryState, Role
from app.services import outbox, pauses, resuming, tickets, upkeep
from app.services.access import Actor
from app.services.pauses import FIRST, LATER, Pause
from app.services.tickets import Draft
from app.store.tables import Inbox, Message
from channels.contract import Later, Outcome, Paused, Refused, Sent
from tests.inquiries import LINKS, NOON, Desk
from tests.services.conftest import Forward

WORDS = "mail.test refused the password."
ADMIN = Actor("Ada", Role.ADMIN)


@pytest.fixture
def three(desk: Desk) -> list[Message]:
    """Three replies; the first one has just met a server that refuses the password."""
    ticket = desk.ticket()
    found = [
        desk.do(tickets.reply, desk.ann, ticket.ref, Draft(f"Reply {number}.")) for number in "123"
    ]
    desk.send(found[0].id, Paused(WORDS))
    return found


def states(desk: Desk, messages: list[Message]) -> list[tuple[str, int, str]]:
    rows = [desk.deliveries(message.id)[0] for message in messages]
    return [(row.state, row.attempts, row.words) for row in rows]


def pack(desk: Desk, message: Message) -> bool:
    return desk.do(outbox.pack, desk.keys, "w1", message.id, LINKS) is not None


def paused_until(desk: Desk) -> object:
    return desk.one(Inbox, desk.inbox.id).out_paused_until


def test_a_wrong_setting_is_no_fault_of_the_message(desk: Desk, three: list[Message]) -> None:
    assert states(desk, three) == [("retry", 0, WORDS), ("queued", 0, ""), ("queued", 0, "")]
    assert paused_until(desk) == NOON + FIRST
    assert desk.one(Inbox, desk.inbox.id).last_out_error == WORDS


def test_one_try_for_two_recipients_is_one_pause(desk: Desk) -> None:
    ticket = desk.ticket()
    message = desk.do(
        tickets.reply, desk.ann, ticket.ref, Draft("To both.", cc=("kai@customers.test",))
    )

    desk.send(message.id, Paused(WORDS), Paused(WORDS))

    assert paused_until(desk) == NOON + FIRST
    assert [row.next_at for row in desk.deliveries(message.id)] == [NOON + FIRST] * 2


def test_nobody_knocks_while_it_is_paused(desk: Desk, three: list[Message]) -> None:
    assert [pack(desk, message) for message in three] == [False, False, False]

    rows = [desk.deliveries(message.id)[0] for message in three]
    assert [(row.attempts, row.next_at) for row in rows] == [(0, NOON + FIRST)] * 3
    assert desk.do(pauses.listed, desk.ann) == (
        Pause(desk.inbox.id, "Support", NOON + FIRST, WORDS, 3),
    )


def test_after_the_pause_one_tries_and_the_others_go_on_waiting(
    desk: Desk, three: list[Message], forward: Forward
) -> None:
    for message in three:
        pack(desk, message)
    forward(FIRST)
    before = desk.jobs()

    desk.do(upkeep.tick)

    assert desk.jobs() == before + 1
    assert [pack(desk, message) for message in three] == [True, False, False]


def test_each_further_pause_is_longer_and_nothing_is_given_up(
    desk: Desk, three: list[Message], forward: Forward
) -> None:
    forward(timedelta(days=6))

    desk.send(three[0].id, Paused(WORDS))

    assert paused_until(desk) == NOON + timedelta(days=6) + LATER
    assert states(desk, three)[0] == ("retry", 0, WORDS)


@pytest.mark.parametrize(
    ("outcome", "jobs"), [(Sent(), 2), (Refused("550 unknown"), 2), (Later("greylisted"), 3)]
)
def test_when_the_server_speaks_with_us_again_everything_leaves(
    desk: Desk, three: list[Message], forward: Forward, outcome: Outcome, jobs: int
) -> None:
    for message in three:
        pack(desk, message)
    forward(FIRST)
    before = desk.jobs()

    desk.send(three[0].id, outcome)

    assert (paused_until(desk), desk.jobs()) == (None, before + jobs)
    assert desk.do(pauses.listed, desk.ann) == ()
    assert [pack(desk, message) for message in three[1:]] == [True, True]


def test_trouble_of_another_kind_ends_no_pause(
    desk: Desk, three: list[Message], forward: Forward
) -> None:
    forward(FIRST)

    desk.send(three[0].id, Later("cannot be reached", away=True))

    assert paused_until(desk) is not None
    assert not pack(desk, three[1])


def test_an_administrator_tries_at_once(desk: Desk, three: list[Message]) -> None:
    for message in three:
        pack(desk, message)

    with pytest.raises(NotAllowed):
        desk.do(resuming.try_again, desk.ann, desk.inbox.id)
    with pytest.raises(NotFound):
        desk.do(resuming.try_again, ADMIN, 999)
    desk.do(resuming.try_again, ADMIN, desk.inbox.id)

    assert [pack(desk, message) for message in three] == [True, False, False]
    assert desk.deliveries(three[0].id)[0].state is DeliveryState.SENDING


def test_where_nothing_waits_the_next_message_tries(
    desk: Desk, three: list[Message], forward: Forward
) -> None:
    for message in three:
        for delivery in desk.deliveries(message.id):
            desk.do(outbox.cancel, desk.ann, delivery.id)
    forward(FIRST)

    desk.do(upkeep.tick)

    assert paused_until(desk) is None
    with pytest.raises(Conflict):
        desk.do(resuming.try_again, ADMIN, desk.inbox.id)


def test_changed_settings_are_tried_at_once(desk: Desk, three: list[Message]) -> None:
    for message in three:
        pack(desk, message)
    with desk.db.transaction() as session:
        pauses.corrected(session, session.get_one(Inbox, desk.inbox.id))

    assert [pack(desk, message) for message in three] == [True, False, False]
