"""Sends what is due: render once, mark the phase, hand over, note the outcome."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from app.services import outbox
from app.services.outbox import Parcel
from app.store.tables import Inbox
from app.worker.works import Works
from channels.contract import (
    InDoubt,
    Later,
    OutboundFile,
    Outcome,
    Phase,
    Refused,
    Rendered,
    Sends,
)

log = logging.getLogger(__name__)


async def deliver(works: Works, message_id: int) -> None:
    """No transaction is open while we talk to the provider: that can take a minute."""
    parcel = await works.in_transaction(
        outbox.pack, works.keys, works.name, message_id, works.settings.link_base
    )
    if parcel is None:
        return
    outcomes = await _attempt(works, parcel)
    await works.in_transaction(outbox.settle, message_id, works.name, outcomes)


async def _attempt(works: Works, parcel: Parcel) -> Mapping[str, Outcome]:
    channel = works.channels[parcel.kind]
    if not isinstance(channel, Sends):
        return dict.fromkeys(parcel.recipients, Refused("This channel cannot send."))
    with works.database.reading() as session:
        config = works.config_of(session.get_one(Inbox, parcel.inbox_id))
    try:
        rendered = await asyncio.to_thread(_rendered, works, channel, config, parcel)
    except ValueError as problem:
        return dict.fromkeys(parcel.recipients, Refused(f"It cannot be written: {problem}"))
    reached = [Phase.TALKING]
    progress = partial(_mark, works, parcel.message_id, reached)
    try:
        return await channel.send(config, rendered, parcel.recipients, progress)
    except Exception:
        # A bug in a channel: what may have left is never sent again by the program.
        log.exception("sending failed", extra={"message_id": parcel.message_id})
        if Phase.AMBIGUOUS in reached:
            words = "Setten failed while handing it over. It may have arrived."
            return dict.fromkeys(parcel.recipients, InDoubt(words))
        return dict.fromkeys(parcel.recipients, Later("Setten failed before handing it over."))


async def _mark(works: Works, message_id: int, reached: list[Phase], phase: Phase) -> None:
    await works.in_transaction(outbox.mark_phase, message_id, works.name, phase)
    reached.append(phase)
    outbox.phase_is_durable(phase)


def _rendered(works: Works, channel: Sends, config: object, parcel: Parcel) -> Rendered:
    if parcel.rendered_sha256:
        return Rendered(parcel.external_id, works.blobs.get(parcel.rendered_sha256))
    files = tuple(
        OutboundFile(file.name, file.content_type, works.blobs.get(file.sha256))
        for file in parcel.files
    )
    rendered = channel.render(config, replace(parcel.draft, files=files))
    sha256 = works.blobs.put(rendered.body)
    works.do(outbox.keep_rendered, parcel.message_id, rendered, sha256)
    return rendered
