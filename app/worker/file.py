"""Files what arrived: parse, predict, and one transaction."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from sqlalchemy.exc import OperationalError

from app.core import crashpoints
from app.domain.text import judged
from app.domain.words import MessageKind
from app.services import dispatched, doubts, intake, tagging, threads
from app.store import jobs
from app.store.tables import Arrival, Inbox
from app.worker.reader import Overrun
from app.worker.understanding import Read, read_some, together, written_elsewhere
from app.worker.works import Works
from channels.contract import Ignored, InboundMessage, SelfTests, Unreadable

log = logging.getLogger(__name__)

BATCH = 50
NEXT_WORKER = 10.0  # seconds; by then this one has ended
TAG_ATTEMPTS = 3
TAG_AGAIN = 15.0  # seconds

_taken_apart = crashpoints.declare("file.read", "arrival taken apart, nothing of it filed")
_filed = crashpoints.declare("file.filed", "ticket committed, no mark on the server")


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some arrivals of one inbox; the inbox is read once for all of them."""

    inbox: Inbox
    arrivals: Sequence[Arrival]


async def file(works: Works, inbox_id: int) -> None:
    """File everything that waits in one inbox, in the order it came."""
    # Two jobs of one inbox would read and classify the same arrivals twice.
    async with works.turn(f"file {inbox_id}") as mine:
        if mine:
            await _file_all(works, inbox_id)


async def file_slow(works: Works, inbox_id: int) -> None:
    """The same for what takes long to read: nobody waits for it."""
    async with works.turn(f"file slow {inbox_id}") as mine:
        if mine:
            await _file_all(works, inbox_id, slow=True)


async def _file_all(works: Works, inbox_id: int, *, slow: bool = False) -> None:
    while True:
        batch = await asyncio.to_thread(_batch, works, inbox_id, slow=slow)
        if not batch.arrivals:
            last = await works.in_transaction(intake.next_waiting, inbox_id, slow=slow)
            if last is None:
                return
            batch = replace(batch, arrivals=[last])
        await _file_in_order(works, batch)


async def _file_in_order(works: Works, batch: _Batch) -> None:
    """One after the other, the next ones read meanwhile: that is other processes' work."""

    def begin(arrivals: Sequence[Arrival]) -> asyncio.Task[Sequence[Read | Exception]]:
        return asyncio.create_task(asyncio.to_thread(read_some, works, batch.inbox, arrivals))

    parts = list(together(batch.arrivals))
    reading = begin(parts[0])
    for part, following in zip_longest(parts, parts[1:]):
        done = await reading
        if following:
            reading = begin(following)
        for arrival, read in zip(part, done, strict=True):
            await asyncio.to_thread(_file_one, works, batch.inbox, arrival, read)


def _batch(works: Works, inbox_id: int, *, slow: bool) -> _Batch:
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
        return _Batch(inbox, intake.due(session, inbox_id, BATCH, slow=slow))


def _file_one(works: Works, inbox: Inbox, arrival: Arrival, read: Read | Exception) -> None:
    channel = works.channels[inbox.kind]
    tester = channel if isinstance(channel, SelfTests) else None
    found = () if isinstance(read, Exception) else read.found
    try:
        if isinstance(read, Exception):
            raise read  # noqa: TRY301 - as if it were read here
        _hear(works, read.found)
        _taken_apart()
        works.do(intake.file, works.keys, arrival.id, read.understood, tester)
        _filed()
    except Overrun as problem:
        works.do(intake.let_others_pass, arrival.id)
        log.info("arrival takes long", extra={"arrival": arrival.id, "problem": str(problem)})
    except Unreadable as problem:
        works.do(intake.set_aside, arrival.id, str(problem))
        log.warning("arrival set aside", extra={"arrival": arrival.id})
    except OperationalError as problem:
        if not _too_much(problem):
            raise  # the database is away or full: the arrival is innocent, and the job waits
        works.do(intake.failed, arrival.id, "ProgramLimitExceeded", found)
    except OSError:
        raise  # the disk is full or away, not the arrival at fault
    except Exception as problem:
        # A bug of ours in reading one arrival must not stop the ones behind it.
        works.do(intake.failed, arrival.id, type(problem).__name__, found)
        log.exception("arrival could not be filed", extra={"arrival": arrival.id})


def _too_much(problem: OperationalError) -> bool:
    """PostgreSQL's class 54: something in this arrival is larger than it can ever store."""
    return str(getattr(problem.orig, "sqlstate", None) or "").startswith("54")


def _hear(works: Works, found: Sequence[InboundMessage | Ignored]) -> None:
    """What it tells of messages of ours. Before it is filed: to hear it twice changes nothing."""
    for one in found:
        if isinstance(one, Ignored):
            continue
        if written_elsewhere(one):
            works.do(doubts.lies_among_sent, one.external_id)
            works.do(dispatched.called_by_provider, one.external_id, one.other_id)
        elif one.automatic and one.report and not threads.doubtful(one):
            sender = one.sender.value
            vouched = sender if one.verdicts and one.verdicts.prove(sender) else ""
            works.do(doubts.returned, one.report.original_id, one.report.failures, vouched)


async def tag(works: Works, ticket_id: int, attempt: int = 1) -> None:
    """Tag a ticket that was filed while there was no model yet."""
    await asyncio.to_thread(_tag, works, ticket_id, attempt)


def _tag(works: Works, ticket_id: int, attempt: int) -> None:
    with works.database.reading() as session:
        message = tagging.untagged(session, ticket_id)
    if message is None:
        return
    text = judged(
        message.subject,
        message.reply_text,
        message.text,
        call=message.kind is MessageKind.CALL,
    )
    prediction = works.triage.wait(text, language=message.language)
    if prediction is not None:
        beside = works.triage.predict_beside(text, language=message.language)
        works.do(tagging.tag_later, ticket_id, message.id, prediction, beside)
    elif works.triage.closed:
        # This worker ends before its model was there: the next one asks its own.
        with works.database.transaction() as session:
            jobs.enqueue(session, "tag", delay=NEXT_WORKER, ticket_id=ticket_id, attempt=attempt)
    elif attempt < TAG_ATTEMPTS:
        again = attempt + 1
        with works.database.transaction() as session:
            jobs.enqueue(session, "tag", delay=TAG_AGAIN, ticket_id=ticket_id, attempt=again)
    else:
        works.do(tagging.give_up, ticket_id, message.id)
