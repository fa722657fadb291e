"""Killed while the other side is busy with it: a mail server that reads, a hook that waits."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes

import httpx2 as httpx
import pytest

from tests.faults.chats import chat_message, signed
from tests.faults.house import Prepared, Surroundings, assert_in_order, books
from tests.faults.rounds import Round, Size
from tests.servers.setten import Setten

pytestmark = [pytest.mark.dovecot, pytest.mark.parametrize("kind", ["sqlite"])]


def test_a_mail_the_server_is_just_taking_is_in_doubt_and_never_sent_again(
    setten: Setten, around: Surroundings
) -> None:
    journey = Round(setten, around, Size(new=1, follow=0, replies=1, resolved=0, ratings=0))
    journey.write(range(1))
    journey.start()
    journey.find_tickets()
    around.sink.hold = asyncio.Event()  # the server has all of it, and does not say so
    try:
        journey.answer(0)
        journey.wait(around.to_customers, "mail in the server's hands")
        assert journey.serving is not None
        journey.serving.kill()
        journey.serving.wait()
    finally:
        around.sink.let_go()
    journey.wait(journey.nothing_under_way, "word on the delivery")
    with books(setten) as rows:
        assert rows("SELECT state, phase FROM delivery") == [("in_doubt", "ambiguous")]
    ids = [message_from_bytes(one.body)["Message-ID"] for one in around.to_customers()]
    assert len(ids) == 1
    assert_in_order(setten)


def test_a_hook_is_answered_only_when_it_is_durable(
    setten: Setten, kind: str, prepared: Callable[[str], Prepared]
) -> None:
    hook, body = prepared(kind).chat_hook, chat_message(1)
    serving = setten.serve({"SETTEN_CRASH_AT": "intake.keep_open"})

    with pytest.raises(httpx.TransportError):
        setten.client.post(hook, content=body, headers=signed("hook-1", body))
    assert serving.wait(10) == -9
    setten.serve()
    with books(setten) as rows:
        assert rows("SELECT count(*) FROM arrival") == [(0,)]

    answers = [
        setten.client.post(hook, content=body, headers=signed("hook-1", body)) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    with books(setten) as rows:
        assert rows("SELECT count(*) FROM arrival") == [(1,)]
