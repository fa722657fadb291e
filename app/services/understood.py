"""A message as it was read, where it is to be filed, and what becomes of it."""

from dataclasses import dataclass

from app.domain.words import ArrivalState
from app.store.tables import Arrival, Inbox
from channels.contract import InboundMessage, SelfTests
from classifier.contract import Prediction


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An attachment whose bytes are already in the blob store."""

    name: str
    content_type: str
    size: int
    sha256: str
    content_id: str = ""
    inline: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A message read from an arrival, and what the model makes of it."""

    message: InboundMessage
    files: tuple[StoredFile, ...] = ()
    prediction: Prediction | None = None
    language: str = ""
    tag_later: bool = False  # the model was not there in time
    beside: Prediction | None = None  # of a version that is tried out


@dataclass(frozen=True, slots=True)
class Place:
    inbox: Inbox
    arrival: Arrival
    tester: SelfTests | None = None  # the channel, where it can test itself


@dataclass(frozen=True, slots=True)
class Outcome:
    state: ArrivalState
    reason: str
    copy_of_id: int | None = None
