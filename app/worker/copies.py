"""Puts a copy of what was sent where its provider keeps such."""

import asyncio

from app.services import sent_copies
from app.worker.works import Works
from channels.contract import KnowsSent, Misconfigured, Rendered, TryLater


async def copy(works: Works, message_id: int) -> None:
    """One attempt. Doing it again does nothing: the channel looks whether it is there."""
    found = await works.in_transaction(sent_copies.due, message_id)
    if found is None:
        return
    message, inbox = found
    channel, config = works.channels.get(inbox.kind), works.config_of(inbox)
    if not isinstance(channel, KnowsSent) or not channel.keeps_copies(config):
        await works.in_transaction(sent_copies.stop, message_id)
        return
    body = await asyncio.to_thread(works.blobs.get, message.rendered_sha256)
    try:
        await channel.keep_copy(config, Rendered(message.external_id, body))
    except (TryLater, Misconfigured) as problem:
        await works.in_transaction(sent_copies.failed, message_id, str(problem))
    else:
        await works.in_transaction(sent_copies.done, message_id)
