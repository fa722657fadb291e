"""The twenty defects of the fetch library aioimaplib, each by the harm it would do here."""

import asyncio
import base64
import logging
import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest

from channels.contract import Misconfigured, ServerId, TryLater, Withheld
from channels.email import channel, imap
from channels.email.config import EmailConfig
from channels.email.folders import Folder, read_folder
from channels.email.imap_giant import first_text
from channels.email.imap_protocol import Lost, quote
from channels.email.imap_syntax import read
from tests.channels.email.imap_talk import CEILING, config, fetched, hang_up, silence, talking
from tests.servers.dovecot import Dovecot
from tests.servers.imap_liar import Reply, imap_liar

ROOT = Path(__file__).parents[3]
STARTED = b"+ idling\r\n"


async def test_01_reading_by_recursion_ended_the_connection_after_a_thousand_lines() -> None:
    lines = b"".join(b"* %d FETCH (FLAGS ())\r\n" % number for number in range(1, 10_001))
    search = b"* SEARCH 1 2\r\n{tag} OK searched\r\n"

    async with imap_liar({"UID SEARCH": lines + search}) as liar, channel.open(config(liar)) as box:
        items = await box.list(None)

    assert [item.number for item in items] == [1, 2]


@pytest.mark.parametrize("command", ["NOOP", "SELECT", "IDLE"])
async def test_02_a_lost_connection_woke_nobody_who_waited(command: str) -> None:
    async def begin_and_hang_up(writer: asyncio.StreamWriter) -> None:
        writer.write(STARTED if command == "IDLE" else b"* OK wait\r\n")
        await writer.drain()
        writer.close()

    async with imap_liar({command: begin_and_hang_up}) as liar, talking(liar) as protocol:
        async with asyncio.timeout(5):
            if command == "IDLE":
                with suppress(Lost):
                    await protocol.idle(300)
            else:
                with pytest.raises(Lost):
                    await protocol.run(command, patience=300)
            await protocol.lost.wait()
        with pytest.raises(Lost):
            await protocol.run("NOOP")


@pytest.mark.parametrize("command", ["STORE", "COPY", "MOVE", "EXPUNGE"])
async def test_03_marking_copying_moving_and_expunging_had_no_time_limit(command: str) -> None:
    async with imap_liar({f"UID {command}": silence}) as liar, talking(liar) as protocol:
        async with asyncio.timeout(CEILING):
            with pytest.raises(Lost):
                await protocol.run(command, "2", "x", uid=True, patience=0.1)


@pytest.mark.parametrize("how", ["timed out", "cancelled"])
async def test_04_a_command_that_was_given_up_blocked_all_that_followed(how: str) -> None:
    asked = asyncio.Event()

    async def say_nothing(_: asyncio.StreamWriter) -> None:
        asked.set()

    async with imap_liar({"SELECT": say_nothing}) as liar, talking(liar) as protocol:
        patience = 0.1 if how == "timed out" else 300.0
        command = asyncio.create_task(protocol.run("SELECT", "x", patience=patience))
        await asked.wait()
        if how == "cancelled":
            command.cancel()
        with pytest.raises((Lost, asyncio.CancelledError)):
            await command

        async with asyncio.timeout(5):
            await protocol.lost.wait()  # what may still come belongs to nobody
            with pytest.raises(Lost):
                await protocol.run("NOOP")


async def test_05_idle_hung_when_the_server_hung_up_before_it_began() -> None:
    async with imap_liar({"IDLE": hang_up}) as liar, talking(liar) as protocol:
        with pytest.raises(Lost):
            async with asyncio.timeout(5):
                await protocol.idle(300)


async def test_06_a_command_during_idle_blocked_for_ever() -> None:
    begun = asyncio.Event()

    async def begin(writer: asyncio.StreamWriter) -> None:
        writer.write(STARTED)
        begun.set()

    async with imap_liar({"IDLE": begin}) as liar, talking(liar) as protocol:
        liar.replies["DONE"] = f"{protocol.tagpre}0 OK done\r\n".encode()
        idling = asyncio.create_task(protocol.idle(0.2))
        await begun.wait()

        async with asyncio.timeout(5):
            answers = await asyncio.gather(*(protocol.run("NOOP") for _ in range(3)))

        assert [answer.ok for answer in answers] == [True] * 3
        assert await idling == []
        assert liar.heard == ["IDLE", "DONE", "NOOP", "NOOP", "NOOP"]


async def test_07_a_refused_access_token_hung_and_the_reason_was_lost() -> None:
    reason = '{"status":"401","schemes":"bearer"}'
    challenge = b"+ " + base64.b64encode(reason.encode()) + b"\r\n"

    async with (
        imap_liar({"AUTHENTICATE": challenge}) as liar,
        talking(liar, "NONAUTH") as protocol,
        asyncio.timeout(5),
    ):
        protocol.capabilities = {"SASL-IR"}
        liar.replies[""] = f"{protocol.tagpre}0 NO invalid token\r\n".encode()
        answer, told = await protocol.authenticate("XOAUTH2", "dXNlcj0=")

    assert (answer.ok, answer.text) == (False, "invalid token")
    assert told == reason
    assert liar.heard == ["AUTHENTICATE XOAUTH2 dXNlcj0=", ""]


async def test_08_capabilities_told_with_the_login_became_junk() -> None:
    login = b"{tag} OK [CAPABILITY IMAP4rev1 IDLE MOVE] signed in\r\n"
    selected = (
        b"* OK [UIDVALIDITY 42] valid\r\n* OK [PERMANENTFLAGS (\\Seen)] kept\r\n{tag} OK done\r\n"
    )
    replies: dict[str, Reply] = {
        "LOGIN": login,
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE MOVE\r\n{tag} OK done\r\n",
        "SELECT": selected,
        "STATUS": b"{tag} OK there\r\n",
        "UID MOVE": b"{tag} OK moved\r\n",
    }
    async with imap_liar(replies) as liar:
        moving = config(liar, after_filing="move", after_folder="Done")
        async with channel.open(moving) as box:
            await box.settle(ServerId("INBOX/2482a4a1.42", 2))

    assert [command for command in liar.heard if command == "CAPABILITY"] == ["CAPABILITY"] * 2
    assert 'UID MOVE 2 "Done"' in liar.heard


async def test_09_a_greeting_of_bye_was_never_told() -> None:
    async with imap_liar(greeting=b"* BYE too many connections\r\n") as liar:
        with pytest.raises(TryLater) as told:
            async with asyncio.timeout(5), channel.open(config(liar)):
                pass

    assert str(told.value) == "127.0.0.1 turned us away: BYE too many connections"


@pytest.mark.dovecot
async def test_10_there_was_no_starttls_and_no_plain_authentication(
    dovecot: Dovecot, user: str
) -> None:
    settings = {
        "address": "support@example.com",
        "imap_host": "localhost",
        "imap_port": dovecot.port,
        "imap_security": "starttls",
        "imap_username": f"日本{user}",
        "imap_password": "secret",
        "catch_tls_ca": str(dovecot.ca),
    }
    async with channel.open(EmailConfig.model_validate(settings)) as box:
        assert await box.list(None) == []
    with pytest.raises(Misconfigured, match="certificate"):
        async with channel.open(EmailConfig.model_validate(settings | {"catch_tls_ca": ""})):
            pass


async def test_10_a_name_that_login_cannot_say_is_said_by_plain_authentication() -> None:
    replies: dict[str, Reply] = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK done\r\n",
        "AUTHENTICATE": b"{tag} OK signed in\r\n",
    }
    async with imap_liar(replies) as liar, channel.open(config(liar, imap_username="日本")):
        pass

    plain = base64.b64encode("\0日本\0p".encode()).decode()
    assert liar.heard[:2] == ["CAPABILITY", f"AUTHENTICATE PLAIN {plain}"]


async def test_11_user_names_and_folders_were_not_quoted() -> None:
    async with imap_liar() as liar:
        strange = config(liar, imap_username='a "b" c', imap_password="p\\q", folder='Of "us" & co')
        async with channel.open(strange):
            pass

    assert r'LOGIN "a \"b\" c" "p\\q"' in liar.heard
    assert r'EXAMINE "Of \"us\" &- co"' in liar.heard


async def test_12_a_star_and_a_blank_were_cut_out_of_the_middle_of_a_line() -> None:
    listed = b'* LIST (\\HasNoChildren) "/" "a* b* c"\r\n{tag} OK listed\r\n'

    async with imap_liar({"LIST": listed}) as liar, talking(liar) as protocol:
        answer = await protocol.run("LIST", '""', quote("*"))

    assert [read_folder(parts) for parts in answer.untagged] == [Folder("a* b* c", "/")]


async def test_13_a_parenthesis_in_a_subject_glued_the_lines_together() -> None:
    first = b'* 1 FETCH (UID 1 BODYSTRUCTURE ("text" "plain" ("name" "((( x") NIL NIL "7bit" 9 1))'
    second = b'* 2 FETCH (UID 2 ENVELOPE ("d" "a ( b" NIL NIL NIL NIL NIL NIL NIL "<i>"))'
    said = first + b"\r\n" + second + b"\r\n{tag} OK done\r\n"

    async with imap_liar({"UID FETCH": said}) as liar, talking(liar) as protocol:
        answer = await protocol.run("FETCH", "1:2", "ALL", uid=True)

    assert [len(parts) for parts in answer.untagged] == [1, 1]
    [_, _, told] = read(answer.untagged[0])
    assert isinstance(told, list)
    assert isinstance(told[3], list)
    assert first_text(told[3]) is not None


async def test_14_many_answers_took_time_that_grew_with_their_square() -> None:
    many = range(1, 20_001)
    headers = b"".join(b"* %d FETCH (UID %d BODY[HEADER] {4}\r\na: b)\r\n" % (n, n) for n in many)
    asked: list[str] = []
    sizes = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n) for n in range(1, 201))
    replies: dict[str, Reply] = {
        "UID FETCH 1:*": headers + b"{tag} OK done\r\n",
        "UID SEARCH UID 1:*": b"* SEARCH "
        + b" ".join(b"%d" % n for n in many)
        + b"\r\n{tag} OK\r\n",
        "UID FETCH 1,2": sizes + b"{tag} OK done\r\n",
        "UID FETCH 1 ": b"* 1 FETCH (UID 1 BODY[] {9}\r\nFrom: a@b)\r\n{tag} OK done\r\n",
    }
    async with imap_liar(replies) as liar:
        async with talking(liar) as protocol, asyncio.timeout(CEILING):
            answer = await protocol.run("FETCH", "1:*", "BODY.PEEK[HEADER]", uid=True)
        async with channel.open(config(liar)) as box:
            items = await box.list(None)
            await box.fetch(items[0])
        asked += [command for command in liar.heard if "RFC822.SIZE" in command]

    assert len(answer.untagged) == 20_000
    assert [command.count(",") + 1 for command in asked] == [imap.LOOK_AHEAD]


async def test_15_what_the_server_said_in_between_was_taken_for_the_answer() -> None:
    raw = await fetched(
        {
            "UID FETCH 2 (UID BODY": (
                b"* 9 EXISTS\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nbad)\r\n* 1 EXPUNGE\r\n"
                b"* VANISHED 7\r\n* 2 FETCH (FLAGS (\\Seen) UID 2)\r\n"
                b"* 2 FETCH (UID 2 FLAGS () BODY[] {5}\r\nhello)\r\n{tag} OK\r\n"
            )
        }
    )

    assert raw is not None
    assert raw.body == b"hello"


@pytest.mark.parametrize(
    "said",
    [b"{tag} OK done\r\n", b"* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK done\r\n"],
    ids=["nothing", "nil"],
)
async def test_16_a_body_that_was_not_handed_out_looked_like_success(said: bytes) -> None:
    with pytest.raises(Withheld) as told:
        await fetched({"UID FETCH 2 (UID BODY": said})

    assert str(told.value) == "127.0.0.1 lists mail 2 but does not hand it out."


async def test_17_bodies_and_passwords_were_written_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert logging.getLogger("aioimaplib").level == logging.WARNING
    with caplog.at_level(logging.DEBUG, "aioimaplib"):  # as who looks for a fault may set it
        await fetched(
            {"UID FETCH 2 (UID BODY": b"* 2 FETCH (UID 2 BODY[] {6}\r\nsesame)\r\n{tag} OK\r\n"}
        )

    said = " ".join(record.getMessage() for record in caplog.records)
    assert "tagged status" in said
    assert ("sesame" in said, "LOGIN" in said) == (False, False)


async def test_18_news_of_one_idle_were_told_again_by_the_next() -> None:
    async def begin(writer: asyncio.StreamWriter) -> None:
        writer.write(STARTED)

    async def begin_and_tell(writer: asyncio.StreamWriter) -> None:
        writer.write(STARTED + b"* 3 EXISTS\r\n")
        await writer.drain()

    async with imap_liar({"IDLE": begin_and_tell}) as liar, talking(liar) as protocol:
        liar.replies["DONE"] = f"{protocol.tagpre}0 OK done\r\n".encode()
        first = await protocol.idle(CEILING)
        protocol.idle_queue.put_nowait([[b"4 EXISTS"]])  # as when a time limit came before it
        liar.replies["IDLE"] = begin
        liar.replies["DONE"] = f"{protocol.tagpre}1 OK done\r\n".encode()
        second = await protocol.idle(0.1)

    assert (first, second) == ([[b"3 EXISTS"]], [])


async def test_19_a_line_end_in_a_word_became_a_command_of_its_own() -> None:
    async with imap_liar() as liar:
        with pytest.raises(Misconfigured):
            async with channel.open(config(liar, imap_password="p\r\nA9 LOGOUT")):
                pass
        async with talking(liar) as protocol:
            with pytest.raises(ValueError, match="CR and LF"):
                await protocol.run("SELECT", "INBOX\r\nA9 DELETE INBOX")

    assert [command for command in liar.heard if command.startswith(("A9", "DELETE"))] == []


def test_20_its_licence_binds_the_whole_and_older_versions_are_not_safe() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = tuple(int(part) for part in metadata.version("aioimaplib").split(".")[:3])

    assert project["license"] == "AGPL-3.0-or-later"
    assert [one for one in project["dependencies"] if one.startswith("aioimaplib")] == [
        "aioimaplib>=2.0.3"
    ]
    assert version >= (2, 0, 3)
