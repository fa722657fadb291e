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
from app.services import dispatched, doubts, intake, tagging
from app.services.filing import StoredFile, Understood
from app.store import jobs
from app.store.tables import Arrival, Inbox
from app.worker import oversized
from app.worker.reader import Overrun
from app.worker.works import Works
from channels.contract import (
    Direction,
    Ignored,
    InboundMessage,
    Raw,
    SelfTests,
    Unreadable,
)
from channels.isolated import ReadsElsewhere
from classifier.language import detect

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


@dataclass(frozen=True, slots=True)
class _Read:
    """What an arrival says, as its channel and then the classifier understand it."""

    found: Sequence[InboundMessage | Ignored]
    understood: Sequence[Understood | Ignored]


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
    """One after the other, the next one read meanwhile: that is another process's work."""

    def begin(arrival: Arrival) -> asyncio.Task[_Read]:
        return asyncio.create_task(asyncio.to_thread(_read, works, batch.inbox, arrival))

    reading = begin(batch.arrivals[0])
    for arrival, following in zip_longest(batch.arrivals, batch.arrivals[1:]):
        await asyncio.wait({reading})
        done = reading
        if following:
            reading = begin(following)
        await asyncio.to_thread(_file_one, works, batch.inbox, arrival, done)


def _batch(works: Works, inbox_id: int, *, slow: bool) -> _Batch:
    with works.database.reading() as session:
        inbox = session.get_one(Inbox, inbox_id)
        return _Batch(inbox, intake.due(session, inbox_id, BATCH, slow=slow))


def _read(works: Works, inbox: Inbox, arrival: Arrival) -> _Read:
    """Changes nothing but the blob store."""
    found = _parse(works, inbox, arrival)
    understood = [_understand(works, one) for one in found]
    if arrival.oversized:
        understood = [
            one if isinstance(one, Ignored) else oversized.noted(one, inbox, arrival)
            for one in understood
        ]
    return _Read(found, understood)


def _file_one(works: Works, inbox: Inbox, arrival: Arrival, reading: asyncio.Task[_Read]) -> None:
    channel = works.channels[inbox.kind]
    tester = channel if isinstance(channel, SelfTests) else None
    try:
        read = reading.result()
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
        works.do(intake.failed, arrival.id, "ProgramLimitExceeded")
    except OSError:
        raise  # the disk is full or away, not the arrival at fault
    except Exception as problem:
        # A bug of ours in reading one arrival must not stop the ones behind it.
        works.do(intake.failed, arrival.id, type(problem).__name__)
        log.exception("arrival could not be filed", extra={"arrival": arrival.id})


def _too_much(problem: OperationalError) -> bool:
    """PostgreSQL's class 54: something in this arrival is larger than it can ever store."""
    return str(getattr(problem.orig, "sqlstate", None) or "").startswith("54")


def _parse(works: Works, inbox: Inbox, arrival: Arrival) -> Sequence[InboundMessage | Ignored]:
    raw = Raw(
        external_id=arrival.external_id,
        body=works.blobs.get(arrival.sha256),
        headers=arrival.headers,
        received_at=arrival.server_at or arrival.received_at,
        oversized=arrival.oversized,
        sent=arrival.sent,
    )
    channel = works.channels[inbox.kind]
    config = works.config_of(inbox)
    if isinstance(channel, ReadsElsewhere):
        if arrival.slow:
            return works.slow_reader.parse(channel, config, raw)
        return works.reader.parse_at_once(channel, config, raw)
    return channel.parse(config, raw)


def _hear(works: Works, found: Sequence[InboundMessage | Ignored]) -> None:
    """What it tells of messages of ours. Before it is filed: to hear it twice changes nothing."""
    for one in found:
        if isinstance(one, Ignored):
            continue
        if _written_elsewhere(one):
            works.do(doubts.lies_among_sent, one.external_id)
            works.do(dispatched.called_by_provider, one.external_id, one.other_id)
        elif one.automatic and one.report:
            works.do(doubts.returned, one.report.original_id, one.report.failures)


def _written_elsewhere(message: InboundMessage) -> bool:
    """Whether these are words of ours, which nobody sorts."""
    return message.direction is Direction.OUTBOUND and not message.is_call


def _understand(works: Works, found: InboundMessage | Ignored) -> Understood | Ignored:
    if isinstance(found, Ignored):
        return found
    text = judged(found.subject, found.reply_text, found.text, call=found.is_call)
    language = detect((text or found.text)[:4000]) or found.language
    prediction = beside = None
    inquires = not found.automatic and not _written_elsewhere(found)
    if inquires:
        prediction = works.triage.predict(text, language=language)
        beside = works.triage.predict_beside(text, language=language)
    files = tuple(
        StoredFile(
            name=file.name,
            content_type=file.content_type,
            size=len(file.body),
            sha256=works.blobs.put(file.body),
            content_id=file.content_id,
            inline=file.inline,
        )
        for file in found.files
    )
    later = prediction is None and works.triage.switched_on and inquires
    return Understood(found, files, prediction, language, later, beside)


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
