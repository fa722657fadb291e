"""Takes mail on a loopback port until a real inbox exists, so that nobody needs an account."""

import asyncio
import logging

from app.services import inboxes, intake
from app.services.intake import Stored
from app.worker.works import Works
from channels.contract import Listens, Raw

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
LOOK_AROUND = 3.0


async def supervise(works: Works) -> None:
    """Listen while the only inbox of a kind is the built-in one."""
    listening = [
        _while_wanted(works, kind, channel)
        for kind, channel in works.channels.items()
        if isinstance(channel, Listens) and works.settings.mail_port
    ]
    await asyncio.gather(*listening)


async def _while_wanted(works: Works, kind: str, channel: Listens) -> None:
    said: str | None = None
    while True:
        if await asyncio.to_thread(_only_built_in, works, kind):
            try:
                await _listen(works, kind, channel)
                said = None
            except OSError as problem:
                # Once, not every few seconds for as long as it lasts.
                if said != str(problem):
                    said = str(problem)
                    log.warning(
                        "the port for test mail is taken",
                        extra={"port": works.settings.mail_port, "problem": problem.strerror},
                    )
        await asyncio.sleep(LOOK_AROUND)


async def _listen(works: Works, kind: str, channel: Listens) -> None:
    def knows(address: str) -> bool:
        with works.database.reading() as session:
            inbox = inboxes.by_address(session, address)
        return inbox is not None and inbox.kind == kind

    async def take(address: str, raw: Raw) -> None:
        await asyncio.to_thread(_keep, works, address, raw)

    async with channel.listen(LOOPBACK, works.settings.mail_port, knows, take) as port:
        log.info("taking test mail", extra={"port": port})
        await _until_a_real_one(works, kind)


async def _until_a_real_one(works: Works, kind: str) -> None:
    while True:
        await asyncio.sleep(LOOK_AROUND)
        if not await asyncio.to_thread(_only_built_in, works, kind):
            return


def _only_built_in(works: Works, kind: str) -> bool:
    with works.database.reading() as session:
        of_kind = [inbox for inbox in inboxes.enabled(session) if inbox.kind == kind]
    return bool(of_kind) and all(inbox.built_in for inbox in of_kind)


def _keep(works: Works, address: str, raw: Raw) -> None:
    sha256 = works.blobs.put(raw.body)
    with works.database.transaction() as session:
        inbox = inboxes.by_address(session, address)
        if inbox is None:
            raise LookupError("the inbox went away meanwhile")
        intake.keep(session, inbox.id, raw, Stored(sha256, len(raw.body)))
