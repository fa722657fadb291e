"""The statuses of a ticket and the moves between them."""

from enum import StrEnum

from app.core.errors import Conflict
from app.domain.words import Status

LONGEST_UNDO = 30  # seconds in which an answer can be taken back, at most
LONGEST_REOPENING = 3650  # days in which an answer reopens a resolved ticket, if not ever


class Move(StrEnum):
    CUSTOMER_WROTE = "customer_wrote"
    AGENT_REPLIED = "agent_replied"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    SNOOZE = "snooze"
    WAKE = "wake"
    MARK_SPAM = "mark_spam"
    DISMISS = "dismiss"


_OPEN, _WAITING, _SNOOZED, _RESOLVED, _SPAM, _DISMISSED = Status

MOVES: dict[Move, dict[Status, Status]] = {
    # Whoever was marked as spam stays there: spammers answer, too.
    Move.CUSTOMER_WROTE: {
        _OPEN: _OPEN, _WAITING: _OPEN, _SNOOZED: _OPEN, _RESOLVED: _OPEN, _SPAM: _SPAM,
        _DISMISSED: _OPEN
    },
    # A late answer to a resolved ticket is an answer: it waits for the customer again.
    Move.AGENT_REPLIED: {
        _OPEN: _WAITING, _WAITING: _WAITING, _SNOOZED: _WAITING, _RESOLVED: _WAITING,
        _DISMISSED: _WAITING
    },
    Move.RESOLVE: {_OPEN: _RESOLVED, _WAITING: _RESOLVED, _SNOOZED: _RESOLVED},
    Move.REOPEN: {
        _RESOLVED: _OPEN, _SPAM: _OPEN, _SNOOZED: _OPEN, _WAITING: _OPEN, _DISMISSED: _OPEN
    },
    Move.SNOOZE: {_OPEN: _SNOOZED, _WAITING: _SNOOZED, _SNOOZED: _SNOOZED},
    Move.WAKE: {_SNOOZED: _OPEN},
    Move.MARK_SPAM: {
        _OPEN: _SPAM, _WAITING: _SPAM, _SNOOZED: _SPAM, _RESOLVED: _SPAM, _DISMISSED: _SPAM
    },
    Move.DISMISS: {
        _OPEN: _DISMISSED, _WAITING: _DISMISSED, _SNOOZED: _DISMISSED, _RESOLVED: _DISMISSED
    },
}  # fmt: skip


def after(status: Status, move: Move) -> Status:
    """Where `move` leads. Raises `Conflict` when the status does not allow it."""
    try:
        return MOVES[move][status]
    except KeyError:
        raise Conflict(
            "The state of the ticket does not allow that.", status=status, move=move
        ) from None


def allows(status: Status, move: Move) -> bool:
    return status in MOVES[move]
