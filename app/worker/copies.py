"""Puts a copy of what was sent where its provider keeps such."""

import asyncio

from app.core.errors import NotFound
from app.services import sent_copies
from app.store.tables import Inbox
from app.worker import refusals, sent_turn
from app.worker.works import Works
from channels.contract import KnowsSent, Misconfigured, SentMailbox, SignInRefused, TryLater


async def copy(works: Works, inbox_id: int) -> None:
    """All that are due of one inbox, over one connection: providers count them, and sign-ins.

    An account that was refused is left in peace; what is due is looked at again afterwards.
    """
    async with works.turn(f"copy {inbox_id}") as mine:
        while mine and await works.read(sent_copies.are_due, inbox_id):
            if await asyncio.to_thread(refusals.seconds_left, works, inbox_id):
                return
            if not await _copy(works, inbox_id):
                return


async def _copy(works: Works, inbox_id: int) -> bool:
    """False when it is somebody else's turn, who puts them there or makes room before long."""
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
    channel, config = works.channels.get(inbox.kind), works.config_of(inbox)
    if not isinstance(channel, KnowsSent) or not channel.keeps_copies(config):
        while message := await works.in_transaction(sent_copies.next_due, inbox_id):
            await works.in_transaction(sent_copies.stop, message.id)
        return True
    # Where it is watched, that waits already, and puts them there.
    waits = not (inbox.enabled and channel.watches_sent(config))
    async with sent_turn.turn(
        works, channel.account(config), f"copy {inbox_id}", waits=waits
    ) as ours:
        if not ours:
            if box := works.sent.get(inbox_id):
                box.hurry()
            return False
        try:
            async with channel.open_sent(config) as box:
                await put_due(works, inbox_id, box)
        except (TryLater, Misconfigured) as problem:
            if isinstance(problem, SignInRefused):
                await works.in_transaction(refusals.note, inbox_id, str(problem))
            while message := await works.in_transaction(sent_copies.next_due, inbox_id):
                await works.in_transaction(sent_copies.failed, message.id, str(problem))
    return True


async def put_due(works: Works, inbox_id: int, box: SentMailbox) -> None:
    """Each is tried once. Doing it again does nothing: it is looked whether it is there."""
    while message := await works.in_transaction(sent_copies.next_due, inbox_id):
        try:
            body = await asyncio.to_thread(works.blobs.get, message.rendered_sha256)
            await box.keep_copy(message.external_id, body)
        except (TryLater, Misconfigured, NotFound) as problem:
            await works.in_transaction(sent_copies.failed, message.id, str(problem))
        else:
            await works.in_transaction(sent_copies.done, message.id)
