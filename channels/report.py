"""What a bounce or a complaint tells: about which message of ours, and at which address."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a message of ours at one recipient, in the words of a server."""

    address: str
    action: str  # failed, delayed, delivered, relayed, expanded, or complained of
    status: str  # such as 5.1.1; 5.0.0 where none was given
    hard: bool  # trying this address again is of no use
    original: str = ""  # what it was sent to, where that is another address
    words: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Nobody vouches for it: a bounce can be forged by anybody who knows an id of ours."""

    failures: tuple[Failure, ...]
    original_id: str = ""  # the external id of the message it is about
