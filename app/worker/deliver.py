"""Sends what is due: render once, mark the phase, hand over, note the outcome."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoResultFound,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from app.services import outbox
from app.services.outbox import Parcel
from app.store.tables import Inbox
from app.worker.works import Works
from channels.contract import (
    InDoubt,
    KnowsSent,
    Later,
    OutboundFile,
    Outcome,
    Phase,
    Refused,
    Rendered,
    Sends,
)

log = logging.getLogger(__name__)

MOVES = 5  # times a message may change its ticket while its outcome waits to be noted


class Unreachable(Exception):
    """The database went away before anything can have left."""


class Unwritable(Exception):
    """The channel has no way to write this message; the words say why."""


async def deliver(works: Works, message_id: int) -> None:
    """No transaction is open while we talk to the provider: that can take a minute."""
    settings = works.settings
    links = settings.link_base if settings.reachable else ""
    parcel = await works.in_transaction(outbox.pack, works.keys, works.name, message_id, links)
    if parcel is None:
        return
    try:
        outcomes, keep_copy = await _attempt(works, parcel)
    except Unreachable:
        await _note(works, parcel, outbox.give_back)
    else:
        settle = partial(outbox.settle, outcomes=outcomes, keep_copy=keep_copy)
        await _note(works, parcel, settle)


async def _note(works: Works, parcel: Parcel, verb: Callable[[Session, int, str], None]) -> None:
    """Only here is it known what became of it: a database that is away is waited for."""
    wait, moved = 0.5, 0
    while True:
        try:
            await works.in_transaction(verb, parcel.message_id, parcel.holder)
        except NoResultFound:
            # Its ticket was joined to another one while we waited for it: now it is there.
            moved += 1
            if moved > MOVES:
                raise
        except (DataError, IntegrityError, ProgrammingError):
            raise  # waiting does not help against a bug of ours
        except (DBAPIError, PoolTimeout):
            log.warning(
                "an outcome waits for the database", extra={"message_id": parcel.message_id}
            )
            await asyncio.sleep(wait)
            wait = min(wait * 2, 30.0)
        else:
            return


async def _attempt(works: Works, parcel: Parcel) -> tuple[Mapping[str, Outcome], bool]:
    """What became of each recipient, and whether a copy of what was sent is wanted."""
    reached: list[Phase] = []

    def all_of_them(outcome: Outcome) -> tuple[Mapping[str, Outcome], bool]:
        return dict.fromkeys(parcel.recipients, outcome), False

    try:
        channel = works.channels.get(parcel.kind)
        if not isinstance(channel, Sends):
            return all_of_them(Refused("This channel cannot send."))
        config, rendered = await asyncio.to_thread(_prepared, works, channel, parcel)
        progress = partial(_mark, works, parcel, reached)
        outcomes = await channel.send(config, rendered, parcel.recipients, progress)
    except Unwritable as problem:
        return all_of_them(Refused(f"It cannot be written: {problem}"))
    except Exception as problem:
        # A bug, or a database that went away: what may have left is never sent again by the
        # program, and what cannot have left is.
        log.exception("sending failed", extra={"message_id": parcel.message_id})
        if Phase.AMBIGUOUS in reached:
            words = "Setten failed while handing it over. It may have arrived."
            return all_of_them(InDoubt(words))
        if isinstance(problem, (OperationalError, InterfaceError, PoolTimeout)):
            raise Unreachable from problem
        return all_of_them(Later("Setten failed before handing it over.", away=True))
    else:
        return outcomes, isinstance(channel, KnowsSent) and channel.keeps_copies(config)


async def _mark(works: Works, parcel: Parcel, reached: list[Phase], phase: Phase) -> None:
    await works.in_transaction(outbox.mark_phase, parcel.message_id, parcel.holder, phase)
    reached.append(phase)
    outbox.phase_is_durable(phase)


def _prepared(works: Works, channel: Sends, parcel: Parcel) -> tuple[Any, Rendered]:
    """The inbox's configuration and the bytes to send, made once for all attempts."""
    with works.database.reading() as session:
        config = works.config_of(session.get_one(Inbox, parcel.inbox_id))
    if parcel.rendered_sha256:
        body = works.blobs.get(parcel.rendered_sha256)
        return config, Rendered(parcel.external_id, body)
    files = tuple(
        OutboundFile(file.name, file.content_type, works.blobs.get(file.sha256))
        for file in parcel.files
    )
    try:
        rendered = channel.render(config, replace(parcel.draft, files=files))
    except ValueError as problem:
        raise Unwritable(str(problem)) from problem
    sha256 = works.blobs.put(rendered.body)
    works.do(outbox.keep_rendered, parcel.message_id, rendered, sha256)
    return config, rendered
