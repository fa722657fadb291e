"""What is done on the server to a mail that is filed: only what its server can do safely."""

import re
from collections.abc import Iterator, Sequence

from channels.contract import NotSettled
from channels.email import imap_fetch
from channels.email.config import AfterFiling, EmailConfig
from channels.email.folders import mutf7
from channels.email.imap_protocol import Answer, quote
from channels.email.imap_session import Session

KEYWORD = "$Setten"
_MARKS = {AfterFiling.SEEN: r"(\Seen)", AfterFiling.KEYWORD: f"({KEYWORD})"}
ALIKE = 200  # mails of one size in the other folder that are compared

_FLAGS = re.compile(rb"\[PERMANENTFLAGS \(([^()]*)\)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{10,40})"', re.IGNORECASE)
_SAME = "(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"


def verb(config: EmailConfig) -> str:
    """How the folder is opened: where nothing is to be changed, no server can by mistake."""
    return "EXAMINE" if config.after_filing is AfterFiling.LEAVE else "SELECT"


class Policy:
    """Leaves the configured mark, or none and a warning where the server cannot."""

    def __init__(self, session: Session, opened: Answer, largest: int) -> None:
        self._session = session
        self._largest = largest
        self._target = quote(mutf7(session.config.after_folder))
        self._wanted = session.config.after_filing
        self._tried = False  # whether this connection has copied anything yet
        self.warning = self._obstacle(opened)
        if self.warning:
            self._wanted = AfterFiling.LEAVE

    def _obstacle(self, opened: Answer) -> str:
        """Why the server cannot do what is wanted; "" when it can."""
        config, host = self._session.config, self._session.host
        told = [found for parts in opened.untagged if (found := _FLAGS.search(parts[0]))]
        # A server that tells none keeps all of them (RFC 3501, 7.1).
        flags = set(told[-1].group(1).lower().split()) if told else {b"\\seen", b"\\deleted"}
        if self._wanted is AfterFiling.LEAVE:
            return ""
        if "[READ-ONLY]" in opened.text.upper():
            return (
                f"{host} lets us change nothing in {config.folder}: filed mails stay as they are."
            )
        if self._wanted is AfterFiling.SEEN and b"\\seen" not in flags:
            return f"{host} does not keep the mark “read” in {config.folder}: filed mails lack it."
        if self._wanted is AfterFiling.KEYWORD and b"\\*" not in flags:
            return f"{host} takes no new keywords in {config.folder}: filed mails lack it."
        removes = self._session.offers("UIDPLUS") and b"\\deleted" in flags
        if self._wanted is AfterFiling.DELETE and not removes:
            return (
                f"{host} cannot delete single mails safely (it lacks UIDPLUS): filed mails stay "
                f"in {config.folder}."
            )
        if self._wanted is AfterFiling.MOVE and not (self._session.offers("MOVE") or removes):
            return (
                f"{host} cannot move mails safely (it lacks MOVE and UIDPLUS): filed mails stay "
                f"in {config.folder}."
            )
        return ""

    async def look_for_target(self) -> None:
        """Where mails are moved to must be there already."""
        if self._wanted is not AfterFiling.MOVE:
            return
        answer = await self._session.run("STATUS", self._target, "(MESSAGES)")
        if not answer.ok:
            config = self._session.config
            self._wanted = AfterFiling.LEAVE
            self.warning = (
                f"{self._session.host} has no folder {config.after_folder} for filed mails: "
                f"they stay in {config.folder}."
            )

    async def settle(self, number: int, *, whole: bool = True) -> None:
        """Does no harm when it is done again, wherever it ended before. Raises `NotSettled`."""
        if self._wanted in _MARKS:
            await self._do(number, "STORE", "+FLAGS.SILENT", _MARKS[self._wanted])
        elif self._wanted is AfterFiling.DELETE:
            # Of a giant, the server has the only copy. 0: it does not tell the size just now.
            if whole and 0 < await self._size(number) <= self._largest:
                await self._remove(number)
        elif self._wanted is AfterFiling.MOVE and self._session.offers("MOVE"):
            await self._do(number, "MOVE", self._target)
        elif self._wanted is AfterFiling.MOVE:
            await self._copy_and_remove(number)

    async def settle_together(self, numbers: Sequence[int]) -> bool:
        """Marks are left on many by one command, and no server minds what is gone meanwhile.

        What is moved or deleted is looked at one by one.
        """
        if self._wanted is AfterFiling.LEAVE or not numbers:
            return True
        if self._wanted not in _MARKS:
            return False
        uids, mark = ",".join(map(str, numbers)), _MARKS[self._wanted]
        return (await self._session.run("STORE", uids, "+FLAGS.SILENT", mark, uid=True)).ok

    async def _do(self, number: int, name: str, *args: str) -> None:
        answer = await self._session.run(name, str(number), *args, uid=True)
        if not answer.ok and await self._is_there(number):
            raise NotSettled(
                f"{self._session.host} refused to mark or move a filed mail: {answer.text[:200]}"
            )

    async def _remove(self, number: int) -> None:
        await self._do(number, "STORE", "+FLAGS.SILENT", r"(\Deleted)")
        # With the number: without it, all that others have marked would go as well.
        await self._do(number, "EXPUNGE")

    async def _copy_and_remove(self, number: int) -> None:
        copied = False
        if not self._tried:
            # The connection before this one may have ended between copying and removing.
            if not await self._is_there(number):
                return
            copied = await self._was_copied(number)
        self._tried = True
        if not copied:
            await self._do(number, "COPY", self._target)
        await self._remove(number)

    async def _is_there(self, number: int) -> bool:
        answer = await self._session.ask("SEARCH", "UID", str(number))
        return number in found(answer)

    async def _size(self, number: int) -> int:
        answer = await self._session.ask("FETCH", str(number), "(UID RFC822.SIZE)")
        sizes = [_SIZE.search(parts[0]) for parts in imap_fetch.about(answer, number)]
        return max((int(size.group(1)) for size in sizes if size), default=0)

    async def _was_copied(self, number: int) -> bool:
        size = await self._size(number)
        [wanted] = await self._likenesses([number]) or [b""]
        protocol, config = self._session.protocol, self._session.config
        here = protocol.exists
        try:
            await self._session.ask("EXAMINE", self._target, uid=False)
            alike = await self._session.ask(
                "SEARCH", "LARGER", str(size - 1), "SMALLER", str(size + 1)
            )
            there = await self._likenesses(sorted(found(alike))[-ALIKE:])
        finally:
            protocol.exists = here  # what arrived meanwhile is then seen as new
        await self._session.ask(verb(config), quote(mutf7(config.folder)), uid=False)
        return wanted in there

    async def _likenesses(self, numbers: list[int]) -> list[bytes]:
        """What a mail and its copy have in common besides their size."""
        if not numbers:
            return []
        answer = await self._session.ask("FETCH", ",".join(map(str, numbers)), _SAME)
        return [
            date.group(1) + b"\n" + b"".join(parts[1::2]).strip().lower()
            for number in numbers
            for parts in imap_fetch.about(answer, number)
            if (date := _DATE.search(b" ".join(parts[::2])))
        ]


def found(answer: Answer) -> set[int]:
    """What a search found."""
    return set(_numbers(answer))


def _numbers(answer: Answer) -> Iterator[int]:
    for parts in answer.untagged:
        if parts[0].upper().startswith(b"SEARCH"):
            yield from (int(number) for number in parts[0].split()[1:] if number.isdigit())
