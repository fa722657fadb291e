"""What arrivals say, as their channel and then the classifier understand it. Several at once: a
process that is asked once for all of them has less to do."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from app.domain.text import judged
from app.services.filing import StoredFile, Understood
from app.store.tables import Arrival, Inbox
from app.worker import oversized
from app.worker.triage import Answers, Asked
from app.worker.works import Works
from channels.contract import Direction, Ignored, InboundMessage, Raw
from channels.isolated import ReadsElsewhere
from classifier.language import detect

TOGETHER = 8
TOGETHER_BYTES = 1 << 20  # of those together; a larger one is alone

Found = InboundMessage | Ignored

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read:
    found: Sequence[Found]
    understood: Sequence[Understood | Ignored]


@dataclass(frozen=True, slots=True)
class _Heard:
    found: Found
    language: str = ""
    asked: Asked | None = None  # what the classifier is to judge, if anything


def together(arrivals: Sequence[Arrival]) -> Iterator[Sequence[Arrival]]:
    """Those to be read at once, in their order: all of them are held in memory until filed."""
    begin = size = 0
    for place, arrival in enumerate(arrivals):
        size += arrival.size
        full = place - begin == TOGETHER or size > TOGETHER_BYTES or arrival.slow
        if full and place > begin:
            yield arrivals[begin:place]
            begin, size = place, arrival.size
    if arrivals:
        yield arrivals[begin:]


def read_some(
    works: Works, inbox: Inbox, arrivals: Sequence[Arrival]
) -> Sequence[Read | Exception]:
    """Of each what it says, or why that cannot be told. Changes nothing but the blob store."""
    heard = [_settled(_heard, works, inbox, arrival) for arrival in arrivals]
    asked = [
        one.asked
        for several in heard
        if not isinstance(several, Exception)
        for one in several
        if one.asked
    ]
    answers = iter(works.triage.predict_all(asked))
    return [
        several
        if isinstance(several, Exception)
        else _settled(
            _understood,
            *(works, inbox, arrival),
            [(one, next(answers) if one.asked else None) for one in several],
        )
        for arrival, several in zip(arrivals, heard, strict=True)
    ]


def _settled(does: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | Exception:
    """What goes wrong with one is told when its turn comes, and stops none of the others."""
    try:
        return does(*given, **named)
    except Exception as problem:  # noqa: BLE001
        return problem


def _heard(works: Works, inbox: Inbox, arrival: Arrival) -> Sequence[_Heard]:
    return [_to_ask(one) for one in _parsed(works, inbox, arrival)]


def _to_ask(found: Found) -> _Heard:
    if isinstance(found, Ignored):
        return _Heard(found)
    text = judged(found.subject, found.reply_text, found.text, call=found.is_call)
    language = detect((text or found.text)[:4000]) or found.language
    inquires = not found.automatic and not written_elsewhere(found)
    return _Heard(found, language, Asked(text, language) if inquires else None)


def written_elsewhere(message: InboundMessage) -> bool:
    """Whether these are words of ours, which nobody sorts."""
    return message.direction is Direction.OUTBOUND and not message.is_call


def _parsed(works: Works, inbox: Inbox, arrival: Arrival) -> Sequence[Found]:
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


def _understood(
    works: Works,
    inbox: Inbox,
    arrival: Arrival,
    heard: Sequence[tuple[_Heard, Answers | None]],
) -> Read:
    understood = [_understand(works, one, said) for one, said in heard]
    if arrival.oversized:
        understood = [
            one if isinstance(one, Ignored) else oversized.noted(one, inbox, arrival)
            for one in understood
        ]
    return Read([one.found for one, _ in heard], understood)


def _understand(works: Works, heard: _Heard, said: Answers | None) -> Understood | Ignored:
    found = heard.found
    if isinstance(found, Ignored):
        return found
    files = tuple(
        StoredFile(
            name=file.name,
            content_type=file.content_type,
            size=len(file.body),
            sha256=works.blobs.put(file.body),
            content_id=file.content_id,
            inline=file.inline,
            words=file.words,
        )
        for file in found.files
    )
    prediction, beside = said or (None, None)
    later = said is not None and prediction is None and works.triage.switched_on
    return Understood(found, files, prediction, heard.language, later, beside)
