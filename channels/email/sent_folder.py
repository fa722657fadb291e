"""The folder in which a server keeps what was sent: which it is, and a copy put there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from channels.contract import Misconfigured, SentMailbox, TryLater
from channels.email import after_filing, imap
from channels.email.config import AfterFiling, EmailConfig
from channels.email.folders import mutf7, read_folder
from channels.email.imap_protocol import Lost, quote
from channels.email.imap_session import Session, connect, is_busy, sign_in


@asynccontextmanager
async def _signed_in(config: EmailConfig) -> AsyncIterator[Session]:
    protocol = await connect(config)
    try:
        yield await sign_in(protocol, config)
    except Lost as error:
        raise TryLater(f"{config.imap_host}: {error}") from error
    finally:
        if protocol.is_usable:
            with suppress(Lost, OSError):
                await protocol.run("LOGOUT", patience=3)
        protocol.transport.close()


async def _name(session: Session) -> str:
    """The folder that was chosen, or the one that the server itself marks."""
    if session.config.sent_folder:
        return session.config.sent_folder
    answer = await session.ask("LIST", '""', '"*"', uid=False)
    folders = [folder for parts in answer.untagged if (folder := read_folder(parts))]
    for folder in folders:
        if folder.is_for_sent and folder.can_be_opened:
            return folder.name
    raise Misconfigured(
        f"{session.host} marks no folder as the one for sent mail: choose one in the settings."
    )


class SentFolder(imap.ImapMailbox):
    """It is looked at and added to over one connection: providers count them."""

    sent = True

    async def keep_copy(self, external_id: str, body: bytes) -> None:
        """At most once, however often it is tried: it is looked for before it is put there."""
        session = self._session
        await session.ask("NOOP", uid=False)  # tells what came there since it was opened
        answer = await session.ask("SEARCH", "HEADER", "Message-ID", quote(f"<{external_id}>"))
        if after_filing.found(answer):
            return
        folder = session.config.folder
        try:
            put = await session.protocol.append(quote(mutf7(folder)), body)
        except Lost as error:
            raise TryLater(f"{session.host}: {error}") from error
        if not put.ok:
            raise _refusal(session, f"takes no copy into the folder {folder}", put.text)

    def hurry(self) -> None:
        self._protocol.loop.call_soon_threadsafe(self._look_again)

    def _look_again(self) -> None:
        """As if the server had told of a mail."""
        self._protocol.arrivals += 1
        self._protocol.idle_queue.put_nowait([[b"looked for"]])


def _refusal(session: Session, what: str, said: str) -> TryLater | Misconfigured:
    words = f"{session.host} {what}. It said: {said[:200]}"
    return TryLater(words, 60) if is_busy(said) else Misconfigured(words)


@asynccontextmanager
async def open_sent(config: EmailConfig) -> AsyncIterator[SentMailbox]:
    """Read only, whatever is done with mails that come in."""
    async with _signed_in(config) as session:
        name = await _name(session)
        if name == config.folder:
            raise Misconfigured(f"The folder {name} is the one that is fetched: choose another.")
        there = config.model_copy(update={"folder": name, "after_filing": AfterFiling.LEAVE})
        opened = Session(session.protocol, there)
        yield SentFolder(opened, *await imap.select(opened))
