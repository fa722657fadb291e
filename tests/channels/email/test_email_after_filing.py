"""What is left on the server for a filed mail: seen, a keyword, another folder, or nothing."""

import imaplib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from channels.contract import Mailbox, NotSettled, ServerId, SettlesTogether, TryLater, Warns
from channels.email import channel
from channels.email.config import EmailConfig
from tests.channels.email import imap_talk
from tests.channels.email.imap_talk import hang_up
from tests.servers.dovecot import Dovecot
from tests.servers.imap_liar import ImapLiar, Reply, imap_liar

dovecots = pytest.mark.dovecot
ITEM = ServerId("INBOX/2482a4a1.42", 2)
WITHOUT_MOVE = "\nimap_capability = IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE UIDPLUS\n"
SELECTED = (
    b"* 2 EXISTS\r\n* OK [UIDVALIDITY 42] valid\r\n"
    b"* OK [PERMANENTFLAGS (\\Answered \\Seen \\Deleted %s)] kept\r\n{tag} OK [READ-WRITE] done\r\n"
)


def mail(number: int, more: str = "") -> bytes:
    return f"Message-ID: <{number}@a.example>\r\nSubject: {number}\r\n\r\ntext{more}\r\n".encode()


@asynccontextmanager
async def opened(dovecot: Dovecot, user: str, **changes: Any) -> AsyncIterator[Mailbox]:
    settings: dict[str, Any] = {
        "address": "support@example.com",
        "imap_host": "localhost",
        "imap_port": dovecot.port_tls,
        "imap_username": user,
        "imap_password": "secret",
        "catch_tls_ca": str(dovecot.ca),
    }
    async with channel.open(EmailConfig.model_validate(settings | changes)) as box:
        yield box


@contextmanager
def by_hand(dovecot: Dovecot, user: str) -> Iterator[imaplib.IMAP4]:
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as other:
        other.login(user, "secret")
        other.create("Done")
        other.select("INBOX")
        yield other


def held(dovecot: Dovecot, user: str, folder: str = "INBOX") -> list[str]:
    """Subject and marks of every mail in a folder."""
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as other:
        other.login(user, "secret")
        other.select(folder, readonly=True)
        _, found = other.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    told = []
    for one in found:
        if isinstance(one, tuple):
            flags = one[0].partition(b"FLAGS (")[2].partition(b")")[0].decode()
            flags = " ".join(flag for flag in flags.split() if flag != "\\Recent")
            told.append(f"{one[1].decode().strip().removeprefix('Subject: ')} {flags}".strip())
    return sorted(told)


@pytest.fixture(scope="module")
def without_move(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    """A server that has UIDPLUS and does not tell of MOVE."""
    server = Dovecot.start(tmp_path_factory.mktemp("without_move"), WITHOUT_MOVE)
    yield server
    server.stop()


@dovecots
@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("leave", ["1", "2"]),
        ("seen", ["1 \\Seen", "2"]),
        ("keyword", ["1 $Setten", "2"]),
        ("delete", ["2"]),
    ],
)
async def test_only_the_filed_mail_is_marked_and_twice_is_as_good_as_once(
    dovecot: Dovecot, user: str, policy: str, left: list[str]
) -> None:
    for number in (1, 2):
        dovecot.drop(user, mail(number))

    async with opened(dovecot, user, after_filing=policy) as box:
        first, _ = await box.list(None)
        await box.settle(first)
        once = held(dovecot, user)
        await box.settle(first)

        assert isinstance(box, Warns)
        assert box.warning == ""
    assert (once, held(dovecot, user)) == (left, left)


@dovecots
@pytest.mark.parametrize("server", ["dovecot", "without_move"])
async def test_filed_mails_are_moved(
    request: pytest.FixtureRequest, user: str, server: str
) -> None:
    dovecot: Dovecot = request.getfixturevalue(server)
    for number in (1, 2, 3):
        dovecot.drop(user, mail(number))
    with by_hand(dovecot, user) as other:
        other.uid("STORE", "3", "+FLAGS", r"(\Deleted)")  # somebody else's, not to be expunged

    async with opened(dovecot, user, after_filing="move", after_folder="Done") as box:
        items = await box.list(None)
        for item in [*items[:2], items[0]]:
            await box.settle(item)

        assert [item.number for item in await box.list(None)] == [3]
    assert held(dovecot, user) == ["3 \\Deleted"]
    assert held(dovecot, user, "Done") == ["1", "2"]


@dovecots
@pytest.mark.parametrize("steps", [0, 1, 2, 3], ids=["nothing", "copied", "marked", "expunged"])
async def test_moving_goes_on_where_a_crash_ended_it(
    without_move: Dovecot, user: str, steps: int
) -> None:
    for number in (1, 2):
        without_move.drop(user, mail(number))
    with by_hand(without_move, user) as other:
        other.append("Done", None, None, mail(1, " of an earlier time"))  # the same id only
        crashed = (("COPY", "1", "Done"), ("STORE", "1", "+FLAGS", r"(\Deleted)"), ("EXPUNGE", "1"))
        for step in crashed[:steps]:
            other.uid(*step)

    async with opened(without_move, user, after_filing="move", after_folder="Done") as box:
        scope = (await box.list(None))[0].scope
        for number in (1, 2):
            await box.settle(ServerId(scope, number))
        without_move.drop(user, mail(3))
        await box.wait(imap_talk.CEILING)  # still sees what arrives in its own folder

        assert [item.number for item in await box.list(None)] == [3]
    assert held(without_move, user, "Done") == ["1", "1", "2"]


@dovecots
async def test_a_mail_too_large_to_fetch_is_never_deleted(dovecot: Dovecot, user: str) -> None:
    dovecot.drop(user, mail(1, "\r\n".join(["y" * 76] * 660_000)))

    async with opened(dovecot, user, after_filing="delete") as box:
        [item] = await box.list(None)
        await box.settle(item)

    assert held(dovecot, user) == ["1"]


@dovecots
async def test_a_folder_for_filed_mails_that_is_not_there_is_said_and_mail_is_fetched(
    dovecot: Dovecot, user: str
) -> None:
    dovecot.drop(user, mail(1))

    async with opened(dovecot, user, after_filing="move", after_folder="完了") as box:
        [item] = await box.list(None)
        raw = await box.fetch(item)
        await box.settle(item)

        assert isinstance(box, Warns)
        assert box.warning == ("localhost has no folder 完了 for filed mails: they stay in INBOX.")
    assert raw is not None
    assert held(dovecot, user) == ["1"]


def moving(liar: ImapLiar, policy: str) -> EmailConfig:
    folder = "Done" if policy == "move" else ""
    return imap_talk.config(liar, after_filing=policy, after_folder=folder)


@pytest.mark.parametrize(
    ("policy", "flags", "capabilities", "words"),
    [
        (
            "keyword",
            b"",
            b"MOVE UIDPLUS",
            "127.0.0.1 takes no new keywords in INBOX: filed mails lack it.",
        ),
        (
            "delete",
            b"\\*",
            b"MOVE",
            (
                "127.0.0.1 cannot delete single mails safely (it lacks UIDPLUS): "
                "filed mails stay in INBOX."
            ),
        ),
        (
            "move",
            b"\\*",
            b"IDLE",
            (
                "127.0.0.1 cannot move mails safely (it lacks MOVE and UIDPLUS): "
                "filed mails stay in INBOX."
            ),
        ),
    ],
)
async def test_what_a_server_cannot_do_is_said_and_not_tried(
    policy: str, flags: bytes, capabilities: bytes, words: str
) -> None:
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % flags,
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 %s\r\n{tag} OK done\r\n" % capabilities,
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, policy)) as box:
        await box.settle(ITEM)
        items = await box.list(None)

        assert isinstance(box, Warns)
        assert box.warning == words
    assert len(items) == 2
    assert [command for command in liar.heard if command.startswith(("UID S", "UID C"))] == [
        "UID SEARCH UID 1:*"
    ]


async def test_a_folder_that_may_only_be_read_is_read() -> None:
    only = SELECTED.replace(b"READ-WRITE", b"READ-ONLY") % b"\\*"
    async with imap_liar({"SELECT": only}) as liar, channel.open(moving(liar, "seen")) as box:
        await box.settle(ITEM)

        assert isinstance(box, Warns)
        assert box.warning == (
            "127.0.0.1 lets us change nothing in INBOX: filed mails stay as they are."
        )
    assert [command for command in liar.heard if "STORE" in command] == []


@pytest.mark.parametrize("capabilities", [b"MOVE", b"UIDPLUS", b"MOVE UIDPLUS"])
@pytest.mark.parametrize("policy", ["seen", "keyword", "move", "delete"])
async def test_all_that_is_marked_as_deleted_is_never_expunged_with_it(
    policy: str, capabilities: bytes
) -> None:
    done = b"{tag} OK done\r\n"
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % b"\\*",
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 %s\r\n{tag} OK done\r\n" % capabilities,
        "STATUS": done,
        "UID STORE": done,
        "UID COPY": done,
        "UID MOVE": done,
        "UID EXPUNGE": done,
        "UID FETCH": b'* 1 FETCH (UID 2 RFC822.SIZE 9 INTERNALDATE "d")\r\n{tag} OK\r\n',
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, policy)) as box:
        await box.settle(ITEM)

    assert [command for command in liar.heard if command.startswith(("EXPUNGE", "CLOSE"))] == []
    expunged = [command for command in liar.heard if "EXPUNGE" in command]
    assert expunged in ([], ["UID EXPUNGE 2"])


async def test_a_mark_the_server_refuses_is_told_and_the_connection_goes_on() -> None:
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % b"\\*",
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 MOVE\r\n{tag} OK done\r\n",
        "STATUS": b"{tag} OK done\r\n",
        "UID MOVE": b"{tag} NO [OVERQUOTA] full\r\n",
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, "move")) as box:
        with pytest.raises(NotSettled) as told:
            await box.settle(ITEM)

        assert len(await box.list(None)) == 2
    assert str(told.value) == ("127.0.0.1 refused to mark or move a filed mail: [OVERQUOTA] full")


@dovecots
@pytest.mark.parametrize(
    ("policy", "done", "left"),
    [
        ("leave", True, ["1", "2", "3"]),
        ("seen", True, ["1 \\Seen", "3"]),
        ("keyword", True, ["1 $Setten", "3"]),
        ("move", False, ["1", "3"]),
        ("delete", False, ["1", "3"]),
    ],
)
async def test_many_are_marked_by_one_command_also_when_one_is_gone(
    dovecot: Dovecot, user: str, policy: str, done: bool, left: list[str]
) -> None:
    for number in (1, 2, 3):
        dovecot.drop(user, mail(number))
    with by_hand(dovecot, user):
        pass  # there is a folder for what is moved

    async with opened(dovecot, user, after_filing=policy, after_folder="Done") as box:
        first, second, _ = await box.list(None)
        if policy != "leave":
            with by_hand(dovecot, user) as other:
                other.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
                other.uid("EXPUNGE", "2")

        assert isinstance(box, SettlesTogether)
        assert await box.settle_together([first, second]) == done
    assert held(dovecot, user) == left


async def test_what_is_refused_together_is_not_told_as_done() -> None:
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % b"\\*",
        "UID STORE": b"{tag} NO [LIMIT] too many at once\r\n",
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, "seen")) as box:
        assert isinstance(box, SettlesTogether)
        assert not await box.settle_together([ITEM])

    assert [command for command in liar.heard if "STORE" in command] == [
        r"UID STORE 2 +FLAGS.SILENT (\Seen)"
    ]


@pytest.mark.parametrize(
    ("told", "whole", "removed"),
    [(b" RFC822.SIZE 9", True, True), (b" RFC822.SIZE 9", False, False), (b"", True, False)],
)
async def test_only_what_is_surely_here_as_a_whole_is_deleted(
    told: bytes, whole: bool, removed: bool
) -> None:
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % b"\\*",
        "CAPABILITY": b"* CAPABILITY IMAP4rev1 UIDPLUS\r\n{tag} OK done\r\n",
        "UID STORE": b"{tag} OK done\r\n",
        "UID EXPUNGE": b"{tag} OK done\r\n",
        "UID FETCH": b"* 1 FETCH (UID 2%s)\r\n{tag} OK\r\n" % told,
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, "delete")) as box:
        await box.settle(ITEM, whole=whole)

    assert ("UID EXPUNGE 2" in liar.heard) == removed


async def test_a_mark_refused_for_a_mail_that_is_gone_is_no_trouble() -> None:
    replies: dict[str, Reply] = {
        "SELECT": SELECTED % b"\\*",
        "UID STORE": b"{tag} NO no such message\r\n",
        "UID SEARCH": b"* SEARCH\r\n{tag} OK done\r\n",
    }
    async with imap_liar(replies) as liar, channel.open(moving(liar, "keyword")) as box:
        await box.settle(ITEM)

    assert r"UID STORE 2 +FLAGS.SILENT ($Setten)" in liar.heard


async def test_a_connection_lost_while_marking_is_tried_later() -> None:
    replies: dict[str, Reply] = {"SELECT": SELECTED % b"\\*", "UID STORE": hang_up}
    async with imap_liar(replies) as liar:
        with pytest.raises(TryLater):
            async with channel.open(moving(liar, "seen")) as box:
                await box.settle(ITEM)
