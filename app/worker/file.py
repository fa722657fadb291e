"""Files what arrived: parse, predict, and one transaction."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import OperationalError

from app.domain.text import inquiry
from app.services import doubts, intake, tagging
from app.services.filing import StoredFile, Understood
from app.store import jobs
from app.store.tables import Arrival, Inbox
from app.worker import oversized
from app.worker.works import Turn, Works
from channels.contract import Channel, Ignored, InboundMessage, Raw, SelfTests, Unreadable
from channels.isolated import ReadsElsewhere
from classifier.language import detect

log = logging.getLogger(__name__)

BATCH = 50
NEXT_WORKER = 10.0  # seconds; by then this one has ended
TAG_ATTEMPTS = 3
TAG_AGAIN = 15.0  # seconds


async def file(works: Works, inbox_id: int) -> None:
    """File everything that waits in one inbox, in the order it came."""
    # Two jobs of one inbox would read and classify the same arrivals twice.
    turn = works.turns.setdefault(inbox_id, Turn())
    if turn.awaited:
        return
    turn.awaited = True
    try:
        await turn.lock.acquire()
    finally:
        turn.awaited = False
    try:
        await _file_all(works, inbox_id)
    finally:
        turn.lock.release()


async def _file_all(works: Works, inbox_id: int) -> None:
    while True:
        batch = await asyncio.to_thread(_batch, works, inbox_id)
        if not batch.arrivals:
            last = await works.in_transaction(intake.next_waiting, inbox_id)
            if last is None:
                return
            batch = replace(batch, arrivals=[last])
        for arrival in batch.arrivals:
            await asyncio.to_thread(_file_one, works, batch.inbox, arrival)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some arrivals of one inbox; the inbox is read once for all of them."""

    inbox: Inbox
    arrivals: Sequence[Arrival]


def _batch(works: Works, inbox_id: int) -> _Batch:
    with works.database.reading() as session:
        return _Batch(session.get_one(Inbox, inbox_id), intake.due(session, inbox_id, BATCH))


def _file_one(works: Works, inbox: Inbox, arrival: Arrival) -> None:
    try:
        channel, found = _parse(works, inbox, arrival)
        _hear_bounces(works, inbox, found)
        understood = [_understand(works, one) for one in found]
        if arrival.oversized:
            understood = [
                one if isinstance(one, Ignored) else oversized.noted(one, inbox, arrival)
                for one in understood
            ]
        tester = channel if isinstance(channel, SelfTests) else None
        works.do(intake.file, works.keys, arrival.id, understood, tester)
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


def _parse(
    works: Works, inbox: Inbox, arrival: Arrival
) -> tuple[Channel, Sequence[InboundMessage | Ignored]]:
    raw = Raw(
        external_id=arrival.external_id,
        body=works.blobs.get(arrival.sha256),
        headers=arrival.headers,
        received_at=arrival.server_at or arrival.received_at,
        oversized=arrival.oversized,
    )
    channel = works.channels[inbox.kind]
    config = works.config_of(inbox)
    if isinstance(channel, ReadsElsewhere):
        return channel, works.reader.parse(channel, config, raw)
    return channel, channel.parse(config, raw)


def _hear_bounces(works: Works, inbox: Inbox, found: Sequence[InboundMessage | Ignored]) -> None:
    """What came back of ours. Before it is filed: to hear it twice changes nothing."""
    for one in found:
        if isinstance(one, InboundMessage) and one.automatic and one.report:
            works.do(doubts.returned, inbox.id, one.report.original_id, one.report.failures)


def _understand(works: Works, found: InboundMessage | Ignored) -> Understood | Ignored:
    if isinstance(found, Ignored):
        return found
    text = inquiry(found.reply_text, found.text)
    language = detect(f"{found.subject}\n{text}"[:4000]) or found.language
    prediction = None
    if not found.automatic:
        prediction = works.triage.predict(f"{found.subject}\n{text}", language=language)
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
    later = prediction is None and works.triage.switched_on and not found.automatic
    return Understood(found, files, prediction, language, later)


async def tag(works: Works, ticket_id: int, attempt: int = 1) -> None:
    """Tag a ticket that was filed while there was no model yet."""
    await asyncio.to_thread(_tag, works, ticket_id, attempt)


def _tag(works: Works, ticket_id: int, attempt: int) -> None:
    with works.database.reading() as session:
        message = tagging.untagged(session, ticket_id)
    if message is None:
        return
    text = f"{message.subject}\n{inquiry(message.reply_text, message.text)}"
    prediction = works.triage.wait(text, language=message.language)
    if prediction is not None:
        works.do(tagging.tag_later, ticket_id, message.id, prediction)
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
