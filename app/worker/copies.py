"""Puts a copy of what was sent where its provider keeps such."""

import asyncio

from app.services import sent_copies
from app.store.tables import Inbox, Message
from app.worker import refusals
from app.worker.works import Works
from channels.contract import KnowsSent, Misconfigured, Rendered, SignInRefused, TryLater


async def copy(works: Works, inbox_id: int) -> None:
    """All that are due of one inbox, one after the other: providers count sign-ins.

    An account that was refused is left in peace; what is due is looked at again afterwards.
    """
    async with works.turn(f"copy {inbox_id}") as mine:
        while mine and not await asyncio.to_thread(refusals.seconds_left, works, inbox_id):
            found = await works.in_transaction(sent_copies.next_due, inbox_id, works.name)
            if found is None:
                return
            await _copy(works, *found)


async def _copy(works: Works, message: Message, inbox: Inbox) -> None:
    """One attempt. Doing it again does nothing: the channel looks whether it is there."""
    channel, config = works.channels.get(inbox.kind), works.config_of(inbox)
    if not isinstance(channel, KnowsSent) or not channel.keeps_copies(config):
        await works.in_transaction(sent_copies.stop, message.id)
        return
    body = await asyncio.to_thread(works.blobs.get, message.rendered_sha256)
    try:
        await channel.keep_copy(config, Rendered(message.external_id, body))
    except (TryLater, Misconfigured) as problem:
        if isinstance(problem, SignInRefused):
            await works.in_transaction(refusals.note, inbox.id, str(problem))
        await works.in_transaction(sent_copies.failed, message.id, str(problem))
    else:
        await works.in_transaction(sent_copies.done, message.id)
