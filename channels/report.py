"""What a bounce or a complaint tells: about which message of ours, and at which address."""

from dataclasses import dataclass

NOBODY_THERE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
"""Statuses of an address that does not exist, or no more. Any other refusal is of one mail: too
large, taken for spam, from a server or a sender that is not wanted."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a message of ours at one recipient, in the words of a server."""

    address: str
    action: str  # failed, delayed, delivered, relayed, expanded, or complained of
    status: str  # such as 5.1.1; 5.0.0 where none was given
    hard: bool  # it was refused for good
    original: str = ""  # what it was sent to, where that is another address
    words: str = ""

    @property
    def nobody_there(self) -> bool:
        """Whether no other mail would arrive at this address either."""
        return self.hard and self.status in NOBODY_THERE


@dataclass(frozen=True, slots=True)
class Report:
    """Nobody vouches for it: a bounce can be forged by anybody who knows an id of ours."""

    failures: tuple[Failure, ...]
    original_id: str = ""  # the external id of the message it is about
