"""Answers to a chat: one signed call, what its answer means, and where it may never go."""

import asyncio
import base64
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from channels.chat import channel as found
from channels.chat.callback import MOST_ANSWER, Callback
from channels.chat.channel import ChatChannel
from channels.chat.config import ChatConfig
from channels.contract import (
    Held,
    InDoubt,
    Later,
    OutboundFile,
    OutboundMessage,
    Outcome,
    Party,
    Phase,
    Refused,
    Rendered,
    Sends,
    Sent,
)
from channels.signature import verify
from tests.channels.chat.receiver import Answer, Call, Receiver, answering, receiving, silent

SECRET = SecretStr("whsec_" + base64.b64encode(bytes(range(32))).decode())
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
MESSAGE = OutboundMessage(
    token="tk_9f",
    number=41,
    sent_at=NOW,
    sender_name="Ann",
    to=(Party("chat", "visitor-1", "Sato"),),
    text="**Done**, 佐藤さん.",
    conversation="conv-1",
    in_reply_to="m-1",
    language="ja",
    files=(OutboundFile("a.txt", "text/plain", b"hello"),),
)


@dataclass
class Progress:
    """Writes the phases into the same list as the receiver's events, so their order shows."""

    events: list[str] = field(default_factory=list)
    fails_at: Phase | None = None

    async def __call__(self, phase: Phase) -> None:
        if phase is self.fails_at:
            raise RuntimeError("the database is away")
        self.events.append(phase.value)


@dataclass
class Names:
    found: Sequence[str] = ("127.0.0.1",)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.found


def config(url: str, *, allow_loopback: bool = True) -> ChatConfig:
    return ChatConfig(secret=SECRET, callback_url=url, allow_loopback=allow_loopback)


def channel(names: Names | None = None, *, seconds: float = 10.0) -> ChatChannel:
    if names is None:
        return ChatChannel(Callback(clock=NOW.timestamp, seconds=seconds))
    return ChatChannel(Callback(resolve=names, clock=NOW.timestamp, seconds=seconds))


async def outcome_of(
    settings: ChatConfig, *, chat: ChatChannel | None = None, progress: Progress | None = None
) -> Outcome:
    chat = chat or channel()
    rendered = chat.render(settings, MESSAGE)
    outcomes = await chat.send(settings, rendered, ["visitor-1"], progress or Progress())
    assert list(outcomes) == ["visitor-1"]
    return outcomes["visitor-1"]


async def outcome_from(receiver: Receiver, **how: float) -> Outcome:
    return await outcome_of(config(receiver.url), chat=channel(seconds=how.get("seconds", 10.0)))


def test_chat_can_send() -> None:
    assert isinstance(ChatChannel(), Sends)


def test_rendering_twice_gives_the_same_bytes() -> None:
    chat = channel()

    rendered = chat.render(ChatConfig(), MESSAGE)

    assert rendered == chat.render(ChatConfig(), MESSAGE)
    assert MESSAGE.token.encode() not in rendered.body
    assert json.loads(rendered.body) == {
        "type": "message.sent",
        "timestamp": "2026-04-01T09:00:00+00:00",
        "data": {
            "message_id": rendered.external_id,
            "conversation_id": "conv-1",
            "in_reply_to": "m-1",
            "recipients": ["visitor-1"],
            "sender": {"name": "Ann"},
            "text": "**Done**, 佐藤さん.",
            "language": "ja",
            "automatic": False,
            "unsubscribe_url": "",
            "files": [
                {"name": "a.txt", "content_type": "text/plain", "content_base64": "aGVsbG8="}
            ],
        },
    }


async def test_without_a_callback_address_an_answer_is_held() -> None:
    progress = Progress()

    outcome = await outcome_of(ChatConfig(), progress=progress)

    assert outcome == Held("This chat inbox has no callback address yet, so nothing was sent.")
    assert progress.events == []


async def test_an_answer_arrives_signed_and_whole() -> None:
    async with receiving(answering("204 No Content")) as receiver:
        outcome = await outcome_from(receiver)

    rendered = channel().render(ChatConfig(), MESSAGE)
    [call] = receiver.calls
    assert outcome == Sent()
    assert (call.path, call.body) == ("/callback?inbox=1", rendered.body)
    assert verify(config("").keys(), call.headers, call.body, NOW) == rendered.external_id
    assert {name: call.headers[name] for name in ("host", "content-type", "user-agent")} == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "user-agent": "Setten",
    }


async def test_the_same_message_has_the_same_id_and_a_new_time_at_each_attempt() -> None:
    clock = iter([NOW.timestamp(), NOW.timestamp() + 60])
    chat = ChatChannel(Callback(clock=lambda: next(clock)))
    async with receiving(answering("503 Busy")) as receiver:
        settings = config(receiver.url)
        for _ in range(2):
            await outcome_of(settings, chat=chat)

    assert [call.headers["webhook-id"] for call in receiver.calls] == [
        chat.render(settings, MESSAGE).external_id
    ] * 2
    assert [int(call.headers["webhook-timestamp"]) for call in receiver.calls] == [
        int(NOW.timestamp()),
        int(NOW.timestamp()) + 60,
    ]


async def test_the_point_of_no_return_is_marked_before_the_body_leaves() -> None:
    async with receiving(answering("200 OK")) as receiver:
        await outcome_of(config(receiver.url), progress=Progress(receiver.events))

    assert [event for event in receiver.events if event != "head"] == [
        "talking",
        "ambiguous",
        "body",
    ]


async def test_nothing_leaves_when_the_mark_cannot_be_made() -> None:
    async with receiving(answering("200 OK")) as receiver:
        with pytest.raises(RuntimeError, match="database is away"):
            await outcome_of(config(receiver.url), progress=Progress(fails_at=Phase.AMBIGUOUS))

    assert receiver.calls == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answering("200 OK", b'{"ok":true}'), Sent()),
        (answering("202 Accepted"), Sent()),
        (
            answering("404 Not Found", b"no such\r\n  <b>conversation</b>\x00"),
            Refused("The callback answered 404: no such <b>conversation</b>"),
        ),
        (answering("410 Gone"), Refused("The callback answered 410.")),
        (answering("422 No", b"\xff\xfe"), Refused("The callback answered 422.")),
        (
            answering("302 Found", b"", "Location: http://169.254.169.254/"),
            Refused("The callback answered 302, and redirects are not followed."),
        ),
        (answering("408 Slow"), Later("The callback answered 408.", away=True)),
        (answering("425 Early"), Later("The callback answered 425.", away=True)),
        (
            answering("429 Many", b"", "Retry-After: 120"),
            Later("The callback answered 429.", 120, away=True),
        ),
        (
            answering("503 Busy", b"", "Retry-After: Wed, 01 Apr 2026 09:10:00 GMT"),
            Later("The callback answered 503.", 600, away=True),
        ),
        (
            answering("503 Busy", b"", "Retry-After: Wed, 01 Apr 2020 09:10:00 GMT"),
            Later("The callback answered 503.", 0, away=True),
        ),
        (
            answering("500 Oh", b"", "Retry-After: soon"),
            Later("The callback answered 500.", 0, away=True),
        ),
        (
            answering("500 Oh", b"", "Retry-After: 99999999999999999999"),
            Later("The callback answered 500.", 86400, away=True),
        ),
    ],
)
async def test_each_answer_has_its_consequence(answer: Answer, outcome: Outcome) -> None:
    async with receiving(answer) as receiver:
        assert await outcome_from(receiver) == outcome
    assert receiver.connections == 1


async def test_an_endless_answer_is_read_only_at_its_beginning() -> None:
    answer = answering("400 No", b"x" * (MOST_ANSWER * 40))
    async with receiving(answer) as receiver:
        assert await outcome_from(receiver) == Refused("The callback answered 400: " + "x" * 200)


async def test_a_packed_answer_is_not_unpacked() -> None:
    answer = answering("400 No", b"\x1f\x8bgarbage", "Content-Encoding: gzip")
    async with receiving(answer) as receiver:
        assert await outcome_from(receiver) == Refused("The callback answered 400: garbage")
    assert receiver.calls[0].headers["accept-encoding"] == "identity"


async def test_a_line_cut_after_the_message_left_is_in_doubt() -> None:
    async with receiving(silent) as receiver:
        outcome = await outcome_from(receiver)

    assert isinstance(outcome, InDoubt)
    assert outcome.words.startswith("127.0.0.1 took the message and did not answer in order: ")
    assert len(receiver.calls) == 1


async def test_silence_after_the_message_left_is_in_doubt() -> None:
    async with receiving(silent, hangs=True) as receiver:
        outcome = await outcome_from(receiver, seconds=0.3)

    assert isinstance(outcome, InDoubt)
    assert len(receiver.calls) == 1


async def test_nonsense_instead_of_an_answer_is_in_doubt() -> None:
    async with receiving(lambda _call, writer: writer.write(b"hello\r\n\r\n")) as receiver:
        assert isinstance(await outcome_from(receiver), InDoubt)


async def test_nobody_listening_is_later_and_nothing_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused for certain
        progress = Progress()
        port = taken.getsockname()[1]

        outcome = await outcome_of(config(f"http://127.0.0.1:{port}/"), progress=progress)

    assert isinstance(outcome, Later)
    assert outcome.words.startswith("127.0.0.1 cannot be reached: ")
    assert progress.events == ["talking"]


async def test_an_unknown_name_is_later() -> None:
    async def nobody(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("Name or service not known")

    chat = ChatChannel(Callback(resolve=nobody))

    assert await outcome_of(config("https://callback.test/"), chat=chat) == Later(
        "callback.test cannot be reached: Name or service not known.", away=True
    )


async def test_a_name_without_address_is_later() -> None:
    outcome = await outcome_of(config("https://callback.test/"), chat=channel(Names([])))

    assert outcome == Later("callback.test cannot be reached: the name has no address.", away=True)


async def test_a_no_that_breaks_off_is_still_a_no() -> None:
    def breaks_off(_call: Call, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 900\r\n\r\nno such conv")

    async with receiving(breaks_off) as receiver:
        assert await outcome_from(receiver) == Refused("The callback answered 404.")


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104,
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.7"),
        *("::", "fe80::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::a00:1"),
        *("2002:a00:1::1", "64:ff9b:1::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:f5ff:fffe"),
    ],
)
async def test_an_inner_address_is_never_called_even_where_loopback_may_be(address: str) -> None:
    progress = Progress()
    chat = channel(Names([address]))

    outcome = await outcome_of(config("https://callback.test/"), chat=chat, progress=progress)

    assert isinstance(outcome, Refused)
    assert outcome.words.startswith("The callback address callback.test leads to ")
    assert progress.events == ["talking"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_this_machine_is_called_only_when_that_is_allowed(address: str) -> None:
    async with receiving(answering("200 OK")) as receiver:
        settings = config(f"https://callback.test:{receiver.port}/", allow_loopback=False)

        outcome = await outcome_of(settings, chat=channel(Names([address])))

    assert isinstance(outcome, Refused)
    assert receiver.connections == 0


async def test_one_inner_address_spoils_a_name_with_public_ones() -> None:
    outcome = await outcome_of(
        config("https://callback.test/"), chat=channel(Names(["127.0.0.1", "10.0.0.1"]))
    )

    assert isinstance(outcome, Refused)


async def test_a_name_is_asked_once_and_the_next_address_is_tried_when_one_is_dead() -> None:
    async with receiving(answering("200 OK")) as receiver:
        names = Names(["::1", "127.0.0.1"])  # nobody listens on the first
        chat = channel(names)

        outcome = await outcome_of(config(f"http://callback.test:{receiver.port}/"), chat=chat)

    assert outcome == Sent()
    assert names.asked == [("callback.test", receiver.port)]
    assert receiver.calls[0].headers["host"] == f"callback.test:{receiver.port}"


async def test_everybody_in_the_conversation_shares_one_call() -> None:
    chat = channel()
    async with receiving(answering("200 OK")) as receiver:
        settings = config(receiver.url)
        outcomes = await chat.send(settings, Rendered("msg_1", b"{}"), ["one", "two"], Progress())

    assert outcomes == {"one": Sent(), "two": Sent()}
    assert len(receiver.calls) == 1


async def test_two_sends_do_not_wait_for_each_other() -> None:
    """The second is answered while the first is still waiting."""
    async with receiving(silent, hangs=True) as slow, receiving(answering("200 OK")) as quick:
        waiting = asyncio.create_task(outcome_from(slow, seconds=5.0))

        outcome = await outcome_from(quick)

        assert (outcome, waiting.done()) == (Sent(), False)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_the_channel_as_it_is_found_sends_too() -> None:
    async with receiving(answering("200 OK")) as receiver:
        assert await outcome_of(config(receiver.url), chat=found) == Sent()

    rendered = found.render(config(""), MESSAGE)
    [call] = receiver.calls
    now = datetime.now(UTC)  # noqa: TID251  (as it is found, it reads the machine's clock)
    assert verify(config("").keys(), call.headers, call.body, now) == rendered.external_id
