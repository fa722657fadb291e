"""Large mails in steps, servers that lie about them, and notices in the place of mails."""

import asyncio
import re
from collections.abc import Callable, Mapping

import pytest

from channels.contract import Raw, Recognises, ServerId, TryLater, Withheld
from channels.email import channel, imap
from channels.email.imap_fetch import AT_ONCE, STEP
from channels.email.imap_giant import first_text
from channels.email.imap_syntax import MAX_DEPTH, Value, read
from tests.channels.email.imap_talk import config, fetched
from tests.servers.imap_liar import Reply, imap_liar

MAIL = b"Subject: x\r\n\r\n" + b"y" * 74
_STEP = re.compile(r"UID FETCH 2 \(UID BODY\.PEEK\[\]<(\d+)\.(\d+)>\)")
Server = Callable[[int, int], bytes]


def handed(offset: int, piece: bytes) -> bytes:
    return b"* 2 FETCH (UID 2 BODY[]<%d> {%d}\r\n%s)\r\n{tag} OK\r\n" % (offset, len(piece), piece)


async def in_steps(server: Server, told: int, end: int = 0) -> tuple[Raw | None, list[str]]:
    """What is fetched where `server` answers each step, and what was asked."""
    replies: dict[str, Reply] = {
        "UID FETCH 2 (UID RFC822": b"* 2 FETCH (UID 2 RFC822.SIZE %d)\r\n{tag} OK\r\n" % told,
        **{
            f"UID FETCH 2 (UID BODY.PEEK[]<{at}.{STEP}>": server(at, STEP)
            for at in (*range(0, told + 2 * STEP, STEP), end)
        },
    }
    async with imap_liar(replies) as liar, channel.open(config(liar)) as box:
        raw = await box.fetch(ServerId("INBOX/2482a4a1.42", 2))
    return raw, [command for command in liar.heard if _STEP.match(command)]


def honest(body: bytes) -> Server:
    return lambda at, length: handed(at, body[at : at + length])


@pytest.mark.parametrize("size", [AT_ONCE + 1, 5 * STEP, 5 * STEP + 7])
async def test_a_large_mail_comes_whole_in_steps(size: int) -> None:
    body = (MAIL * (size // len(MAIL) + 1))[:size]

    raw, asked = await in_steps(honest(body), size)

    assert raw is not None
    assert raw.body == body
    assert len(asked) == -(-size // STEP) + (size % STEP == 0)


@pytest.mark.parametrize("told", [AT_ONCE + 1, 6 * STEP + 3])
async def test_a_wrong_size_changes_nothing_of_what_is_fetched(told: int) -> None:
    body = (MAIL * 60_000)[: 5 * STEP + 11]

    raw, _ = await in_steps(honest(body), told, end=len(body))

    assert raw is not None
    assert raw.body == body


async def test_a_server_that_takes_no_steps_hands_out_all_at_once() -> None:
    body = (MAIL * 60_000)[: 5 * STEP]
    whole = b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%s)\r\n{tag} OK\r\n" % (len(body), body)

    raw, asked = await in_steps(lambda _, __: whole, len(body))

    assert raw is not None
    assert raw.body == body
    assert len(asked) == 1


@pytest.mark.parametrize(
    "lie",
    [
        b"{tag} OK\r\n",
        b"* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK\r\n",
        handed(0, b"y" * 10),
        handed(77, b"y" * 10),
    ],
    ids=["nothing", "nil", "the beginning again", "something else"],
)
async def test_a_mail_of_which_only_a_part_comes_is_withheld(lie: bytes) -> None:
    body = (MAIL * 60_000)[: 5 * STEP]

    def server(at: int, length: int) -> bytes:
        return handed(at, body[at : at + length]) if at < 2 * STEP else lie

    with pytest.raises(Withheld) as told:
        await in_steps(server, len(body))

    assert str(told.value) == "127.0.0.1 hands out only a part of mail 2."


NOTICE = (
    b"From: Microsoft Exchange Server\r\n"
    b"Subject: Retrieval using the IMAP4 protocol failed for the following message: 2\r\n\r\n"
    b"The server couldn't retrieve the following message: ...\r\n"
)


def literal(body: bytes) -> Mapping[str, Reply]:
    said = b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%s)\r\n{tag} OK\r\n" % (len(body), body)
    return {"UID FETCH 2 (UID BODY": said}


async def test_the_notice_of_a_server_in_the_place_of_a_mail_is_no_inquiry() -> None:
    with pytest.raises(Withheld) as told:
        await fetched(literal(NOTICE))

    assert str(told.value) == (
        "127.0.0.1 cannot convert mail 2 and handed out a notice in its place. "
        "It can be read with Outlook or on the web."
    )


@pytest.mark.parametrize(
    "mail",
    [
        b"Received: from a by b; Fri, 20 Nov 2026 09:00:00 +0000\r\n" + NOTICE,
        NOTICE.replace(b"Retrieval", b"Fwd: Retrieval"),
        b"Subject: hello\r\n\r\n" + NOTICE,
    ],
    ids=["travelled", "forwarded", "quoted"],
)
async def test_a_mail_about_such_a_notice_is_an_inquiry(mail: bytes) -> None:
    raw = await fetched(literal(mail))

    assert raw is not None
    assert raw.body == mail


GIANT = imap.MAX_SIZE + 1
HEADER = b"Subject: big\r\nContent-Type: multipart/mixed;\r\n boundary=b\r\nX-A: 1\r\n\r\n"


async def giant(**replies: bytes) -> Raw | None:
    """Of a mail too large to be fetched: answers by what is asked for."""
    usual = {"HEADER": b"* 2 FETCH (UID 2 BODY[HEADER]<0> {%d}\r\n%s)\r\n" % (len(HEADER), HEADER)}
    names = {"HEADER": "UID FETCH 2 (UID BODY.PEEK[HEADER]", "SHAPE": "UID FETCH 2 (UID BODYSTR"}
    return await fetched(
        {
            names.get(name, f"UID FETCH 2 (UID BODY.PEEK[{name}]"): said + b"{tag} OK\r\n"
            for name, said in (usual | replies).items()
        },
        size=GIANT,
    )


async def test_a_giant_whose_shape_is_not_told_comes_with_its_header_fields() -> None:
    for shape in (b"", b'* 2 FETCH (UID 2 BODYSTRUCTURE (("text" "plain"\r\n'):
        raw = await giant(SHAPE=shape)

        assert raw is not None
        assert (raw.body, raw.oversized) == (b"Subject: big\r\nX-A: 1\r\n\r\n", GIANT)


async def test_a_giant_whose_text_is_not_handed_out_is_withheld() -> None:
    shape = b'* 2 FETCH (UID 2 BODYSTRUCTURE (("text" "plain" NIL NIL NIL "7bit" 9 1) "mixed"))\r\n'

    with pytest.raises(Withheld):
        await giant(**{"SHAPE": shape, "1": b""})


def shape(text: str) -> list[Value]:
    [value] = read([text.encode()])
    assert isinstance(value, list)
    return value


TEXT = '("text" "{}" ("charset" "utf-8") NIL NIL "8bit" 9 1 NIL {})'
PLAIN, HTML = TEXT.format("plain", "NIL"), TEXT.format("html", "NIL")
ATTACHED = TEXT.format("plain", '("attachment" ("filename" "a ( b"))')
ZIP = '("application" "zip" NIL NIL NIL "base64" 99 NIL ("attachment" NIL))'


@pytest.mark.parametrize(
    ("structure", "section"),
    [
        (PLAIN, "1"),
        (f'({ZIP} {PLAIN} "mixed")', "2"),
        (f'(({HTML} {PLAIN} "alternative") {ZIP} "mixed")', "1.2"),
        (f'(({HTML} {ZIP} "related") {ATTACHED} "mixed")', "1.1"),
        (f'({ATTACHED} {ZIP} "mixed")', None),
        (ZIP, None),
        ("()", None),
    ],
)
def test_the_first_text_that_is_no_attachment_is_found(structure: str, section: str | None) -> None:
    found = first_text(shape(structure))

    assert (found.section if found else None) == section


def test_strings_come_in_three_ways_and_nil_is_none() -> None:
    parts = [b'LIST (\\A b) "q \\"x\\" \\\\" NIL {4}', b"l ()", b' atom"" (']

    with pytest.raises(ValueError, match="closed"):
        read(parts)
    assert read([*parts[:2], b" atom ())"[:-1]]) == [
        b"LIST",
        [b"\\A", b"b"],
        b'q "x" \\',
        None,
        b"l ()",
        b"atom",
        [],
    ]


@pytest.mark.parametrize("attack", ["(" * 100_000, "(" * (MAX_DEPTH + 1), ")", '"', '("a" "b'])
def test_what_is_no_list_is_refused_and_takes_no_time(attack: str) -> None:
    with pytest.raises(ValueError, match=r"deeply|opened|end|closed"):
        read([attack.encode()])


async def test_a_mail_of_which_nothing_is_known_any_more_is_gone() -> None:
    raw = await asyncio.wait_for(
        fetched(
            {
                "UID FETCH 2 (UID RFC822": b"{tag} OK\r\n",
                "UID SEARCH UID 2": b"* SEARCH\r\n{tag} OK\r\n",
            }
        ),
        5,
    )

    assert raw is None


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"NO [SERVERBUG] internal error", Withheld),
        (b"BAD cannot parse this message", Withheld),
        (b"NO [UNAVAILABLE] try again", TryLater),
    ],
)
@pytest.mark.parametrize("asked", ["UID FETCH 2 (UID BODY", "UID FETCH 2 (UID RFC822"])
async def test_a_refused_mail_is_withheld_unless_the_server_is_busy(
    said: bytes, problem: type[Exception], asked: str
) -> None:
    with pytest.raises(problem):
        await fetched({asked: b"{tag} %s\r\n" % said})


async def test_a_mail_that_spoils_the_answer_about_many_does_not_take_them_with_it() -> None:
    one = (
        b'* 2 FETCH (UID 2 RFC822.SIZE 5 INTERNALDATE "17-Nov-2026 09:00:00 +0900" '
        b"BODY[HEADER.FIELDS (MESSAGE-ID)] {16}\r\nMessage-ID: <a>\n)\r\n{tag} OK\r\n"
    )
    bad = b"{tag} NO [SERVERBUG] internal error\r\n"
    replies = {"UID FETCH 1,2 (": bad, "UID FETCH 1 (": bad, "UID FETCH 2 (": one}
    replies["UID FETCH 2 (UID BODY"] = handed(0, b"hello")
    async with imap_liar(dict(replies)) as liar, channel.open(config(liar)) as box:
        there = await box.list(None)
        assert isinstance(box, Recognises)
        found = await box.identities(there)
        with pytest.raises(Withheld):
            await box.fetch(there[0])
        raw = await box.fetch(there[1])

    assert {item.number: known.key for item, known in found.items()} == {
        2: "a 2026-11-17T00:00:00+00:00 5"
    }
    assert raw is not None
    assert raw.body == b"hello"


async def test_a_literal_larger_than_any_mail_ends_the_connection_at_once() -> None:
    with pytest.raises(TryLater):
        await fetched({"UID FETCH 2 (UID BODY": b"* 2 FETCH (UID 2 BODY[] {999999999999}\r\n"})
