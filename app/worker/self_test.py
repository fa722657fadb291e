"""Sends the mail an inbox writes to itself; that it arrived is seen where arrivals are filed."""

from app.services import self_tests
from app.services.self_tests import Run
from app.store.tables import Inbox
from app.worker.works import Works
from channels.contract import InDoubt, Phase, SelfTests, Sends, Sent


async def self_test(works: Works, inbox_id: int) -> None:
    """One attempt: who asked is looking, and can ask again."""
    run = await works.in_transaction(self_tests.due, works.keys, inbox_id)
    if run is None:
        return
    problem = await _send(works, run)
    if problem:
        await works.in_transaction(self_tests.failed, run, problem)
    else:
        await works.in_transaction(self_tests.sent, run)


async def _send(works: Works, run: Run) -> str:
    """Why it did not leave; "" when it did, or may have."""
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, run.inbox_id)
    channel = works.channels.get(inbox.kind)
    if not isinstance(channel, SelfTests) or not isinstance(channel, Sends):
        return "This channel cannot test itself."
    config = works.config_of(inbox)
    try:
        rendered, recipient = channel.probe(config, run.token, run.at)
    except ValueError as problem:
        return f"It cannot be written: {problem}"
    outcomes = await channel.send(config, rendered, [recipient], _unmarked)
    outcome = outcomes[recipient]
    return "" if isinstance(outcome, Sent | InDoubt) else outcome.words


async def _unmarked(phase: Phase) -> None:
    """Nobody is harmed when it is sent twice, so how far it got need not be known."""
