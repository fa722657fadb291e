"""A mail folder on a server: what is there, fetched without leaving a mark."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from channels.contract import Identity, Misconfigured, Raw, ServerId, TryLater, Withheld
from channels.email import after_filing, imap_fetch, imap_giant
from channels.email.after_filing import Policy
from channels.email.config import EmailConfig
from channels.email.folders import mutf7
from channels.email.imap_protocol import Lost, quote
from channels.email.imap_session import Session, connect, is_busy, sign_in

MAX_SIZE = 50_000_000  # of a larger mail only the beginning is fetched
IDLE_SECONDS = 240.0  # with the time the server gets to answer, a dead line shows within 5 minutes
POLL_SECONDS = 60.0
LOOK_SECONDS = 120.0  # by then it is looked at the folder, whatever the server tells by itself
ALIVE_SECONDS = 25.0  # in which a server that had nothing to tell answers at all
LOOK_AHEAD = 200  # mails whose sizes are asked for at once

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{10,40})"', re.IGNORECASE)
_SIZES = "(UID RFC822.SIZE INTERNALDATE)"
_TELLING = "(UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
_OWN_ID = re.compile(rb"^message-id[ \t]*:\s*<?([^<>\s]{1,990})", re.IGNORECASE | re.MULTILINE)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]", re.IGNORECASE)
# What Exchange hands out in the place of a mail that it cannot convert. It did not travel.
_PLACEHOLDER = re.compile(
    rb"^subject:[ \t]*Retrieval using the IMAP4 protocol failed for the following message",
    re.IGNORECASE | re.MULTILINE,
)
_TRAVELLED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)


def account_of(config: EmailConfig) -> str:
    """Whose mail is fetched, and from where."""
    return f"{config.imap_username or config.address} {config.imap_host}"


@asynccontextmanager
async def open_mailbox(config: EmailConfig) -> AsyncIterator["ImapMailbox"]:
    """Connect, sign in and select. Raises `TryLater` or `Misconfigured`."""
    protocol = await connect(config)
    try:
        session = await sign_in(protocol, config)
        yield ImapMailbox(session, *await select(session))
    finally:
        if protocol.is_usable:
            with suppress(Lost, OSError):
                await protocol.run("LOGOUT", patience=3)
        protocol.transport.close()


class ImapMailbox:
    """One selected folder. Its scope changes when the server gave all mails new numbers."""

    sent = False  # whether what lies there was sent

    def __init__(self, session: Session, policy: Policy, validity: int) -> None:
        # Another account may number its mails just the same.
        account = hashlib.sha256(account_of(session.config).encode()).hexdigest()[:8]
        self.scope = f"{session.config.folder}/{account}.{validity}"
        self._session = session
        self._protocol = session.protocol
        self._policy = policy
        self._listed: list[int] = []
        self._known: dict[int, tuple[int, datetime | None]] = {}
        self._arrivals_seen = -1

    @property
    def warning(self) -> str:
        return self._policy.warning

    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        if self._arrivals_seen >= 0:  # a server need not show what came since, unless it is asked
            await self._session.ask("NOOP", uid=False)
        self._arrivals_seen = self._protocol.arrivals
        first = after.number + 1 if after is not None and after.scope == self.scope else 1
        answer = await self._session.ask("SEARCH", "UID", f"{first}:*")
        # "7:*" names the last mail even when its number is below 7.
        listed = sorted(number for number in after_filing.found(answer) if number >= first)
        if first == 1:
            self._listed, self._known = listed, {}
        else:  # what was listed before may still be fetched
            self._listed = sorted({*self._listed, *listed})
        return [ServerId(self.scope, number) for number in listed]

    async def older(self, than: datetime) -> Sequence[ServerId]:
        answer = await self._session.ask("SEARCH", "UID", "1:*", "BEFORE", imap_date(than))
        return [ServerId(self.scope, number) for number in sorted(after_filing.found(answer))]

    async def identities(self, items: Sequence[ServerId]) -> Mapping[ServerId, Identity]:
        numbers = [item.number for item in items if item.scope == self.scope]
        found: dict[ServerId, Identity] = {}
        for at in range(0, len(numbers), LOOK_AHEAD):
            for parts in await _told(self._session, numbers[at : at + LOOK_AHEAD]):
                uid, size, received_at = _facts(b" ".join(parts[::2]))  # the rest are literals
                if uid and uid in numbers:
                    key = identity(b"".join(parts[1:2]), received_at, size)
                    found[ServerId(self.scope, uid)] = Identity(key, received_at)
        return found

    async def fetch(self, item: ServerId) -> Raw | None:
        if item.scope != self.scope:
            return None
        if item.number not in self._known:
            await self._look_ahead(item.number)
        size, received_at = self._known.pop(item.number, (-1, None))
        too_big = size > MAX_SIZE
        body = None
        if too_big:
            body = await imap_giant.beginning(self._session, item.number)
        elif size >= 0:
            body = await imap_fetch.whole(self._session, item.number, size)
        if body is None or (not body and size > 0):
            await self._check_gone(item)
            return None
        if is_placeholder(body):
            raise Withheld(
                f"{self._session.host} cannot convert mail {item.number} and handed out a notice "
                "in its place. It can be read with Outlook or on the web."
            )
        return Raw(
            external_id=f"{item.scope}/{item.number}",
            body=body,
            received_at=received_at,
            oversized=size if too_big else 0,
            identity=identity(body, received_at, size),
            sent=self.sent,
        )

    async def settle(self, item: ServerId, *, whole: bool = True) -> None:
        if item.scope == self.scope:
            await self._policy.settle(item.number, whole=whole)

    async def settle_together(self, items: Sequence[ServerId]) -> bool:
        numbers = [item.number for item in items if item.scope == self.scope]
        return await self._policy.settle_together(numbers)

    async def wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + min(seconds, LOOK_SECONDS)
        # What was said between the last listing and now must not be slept over.
        while self._protocol.arrivals == self._arrivals_seen or self._arrivals_seen < 0:
            left = until - loop.time()
            if left <= 0:
                return
            try:
                if await self._hears_of_mail(left):
                    return
            except Lost as error:
                raise TryLater(f"{self._session.host}: {error}") from error
            if self._protocol.lost.is_set():
                raise TryLater(f"{self._session.host}: {self._protocol.words_of_loss()}")

    async def _hears_of_mail(self, left: float) -> bool:
        if "IDLE" in self._protocol.capabilities:
            told = await self._protocol.idle(min(left, IDLE_SECONDS))
            if any(parts[0].upper().endswith((b"EXISTS", b"RECENT")) for parts in told):
                return True
            if told:
                return False  # it lives
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._protocol.lost.wait(), min(left, POLL_SECONDS))
        await self._protocol.run("NOOP", patience=ALIVE_SECONDS)
        return False

    async def _look_ahead(self, number: int) -> None:
        ahead = [uid for uid in self._listed if uid >= number][:LOOK_AHEAD]
        if not ahead or ahead[0] != number:
            ahead = [number]
        try:
            answer = await self._session.tell(ahead, _SIZES)
        except Withheld:
            answer = await self._session.tell([number], _SIZES)
        for parts in answer.untagged:
            uid, size, received_at = _facts(b" ".join(parts))
            if uid and size >= 0:
                self._known[uid] = (size, received_at)

    async def _check_gone(self, item: ServerId) -> None:
        """Nothing came: either the mail is gone, or the server only says OK (Exchange does)."""
        answer = await self._session.ask("SEARCH", "UID", str(item.number))
        if item.number in after_filing.found(answer):
            raise Withheld(
                f"{self._session.host} lists mail {item.number} but does not hand it out."
            )


async def _told(session: Session, numbers: Sequence[int]) -> list[list[bytes]]:
    """What tells mails from each other. One that is refused does not take others with it."""
    try:
        return (await session.tell(numbers, _TELLING)).untagged
    except Withheld:
        half = len(numbers) // 2
        if not half:
            return []
        return [*await _told(session, numbers[:half]), *await _told(session, numbers[half:])]


def is_placeholder(body: bytes) -> bool:
    """A mail that travelled is one, whatever its subject."""
    header = body[:20_000].partition(b"\r\n\r\n")[0]
    return bool(_PLACEHOLDER.search(header)) and not _TRAVELLED.search(header)


def _facts(line: bytes) -> tuple[int, int, datetime | None]:
    """Number, size (-1 when it is not told) and time of one mail."""
    uid, size, date = _UID.search(line), _SIZE.search(line), _DATE.search(line)
    return (
        int(uid.group(1)) if uid else 0,
        int(size.group(1)) if size else -1,
        _date(date.group(1)) if date else None,
    )


def identity(mail: bytes, received_at: datetime | None, size: int) -> str:
    """What a mail keeps when a server numbers its mails anew; "" if it has no id of its own."""
    header = re.split(rb"\r?\n\r?\n", mail[:100_000], maxsplit=1)[0]
    found = _OWN_ID.search(header)
    if found is None or received_at is None:
        return ""
    told = found.group(1).decode("utf-8", "replace")[:300]
    name = "".join(letter for letter in told if letter.isprintable())  # no database keeps NUL
    return f"{name} {received_at.isoformat()} {size}"


def imap_date(day: datetime) -> str:
    """As IMAP writes it, whatever language this machine speaks."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def _date(text: bytes) -> datetime | None:
    try:
        return parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2)).astimezone(
            UTC
        )
    except (ValueError, TypeError, OverflowError):
        return None


async def select(session: Session) -> tuple[Policy, int]:
    """Open the folder: what may be done with its mails, and the number that says which are meant.

    Raises `TryLater` or `Misconfigured`.
    """
    config = session.config
    answer = await session.run(after_filing.verb(config), quote(mutf7(config.folder)))
    if not answer.ok:
        if is_busy(answer.text):
            raise TryLater(f"{config.imap_host}: {answer.text[:200]}", 60)
        raise Misconfigured(
            f"{config.imap_host} has no folder {config.folder} that can be opened. "
            f"It said: {answer.text[:200]}"
        )
    session.protocol.state = "SELECTED"
    found = [_VALIDITY.search(parts[0]) for parts in answer.untagged]
    validity = next((int(match.group(1)) for match in found if match), None)
    if validity is None:
        raise Misconfigured(
            f"{config.imap_host} gives mails in {config.folder} no lasting numbers (UIDVALIDITY), "
            "so mails could be lost or fetched twice. This server cannot be used."
        )
    policy = Policy(session, answer, MAX_SIZE)
    await policy.look_for_target()
    return policy, validity
