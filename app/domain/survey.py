"""Feedback requests: may we ask, when, and what a score leads to."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

OPENS, CLOSES = time(9), time(18)  # in the customer's zone
LASTS = timedelta(days=14)
LOW = 2  # of 5: at or below it somebody follows up
SCORES = range(1, 6)
SOON = timedelta(hours=1)  # a call or a chat is forgotten sooner than a mail


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything the decision needs; nothing else is looked at."""

    wanted: bool  # the organisation asks at all
    policy: str  # de-strict, or opt-out
    agreed: bool  # the customer agreed to be asked
    notice: bool  # customers are told of requests where their address is taken
    objected: bool
    automatic: bool  # only machines wrote
    sample: bool
    answer_reached: bool  # an answer of a person, or it is on its way
    has_address: bool
    waiting: bool  # another request to the same customer has not left yet
    last_asked: datetime | None
    cooling: timedelta


def why_not(facts: Circumstances, now: datetime) -> str:
    """The reason why nobody is asked, in a sentence for the ticket; "" when they may be."""
    strict = facts.policy == "de-strict" and not facts.agreed and not facts.notice
    cooling = facts.last_asked is not None and now - facts.last_asked < facts.cooling
    reasons = (
        (facts.sample, "This is a sample inquiry."),
        (facts.automatic, "Only machines wrote on this ticket."),
        (not facts.answer_reached, "No answer of a person has reached the customer."),
        (facts.objected, "The customer does not want to be asked."),
        (not facts.wanted, "Feedback requests are switched off."),
        (
            strict,
            (
                "Strict policy: the customer has not agreed, and the organisation has not stated "
                "that its notice mentions such requests."
            ),
        ),
        (not facts.has_address, "There is no channel on which the customer can be asked."),
        (facts.waiting, "Another request to this customer is waiting."),
        (cooling, f"The customer was asked less than {facts.cooling.days} days ago."),
    )
    return next((words for applies, words in reasons if applies), "")


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def delay_for(delay: timedelta, *, by_mail: bool) -> timedelta:
    """The organisation's delay is meant for mail; elsewhere it is an hour at most."""
    return delay if by_mail else min(delay, SOON)


def when(resolved: datetime, delay: timedelta, time_zone: str) -> datetime:
    """`delay` after `resolved`, moved forward into 09 to 18 h on a weekday of the zone.

    No delay means at once: whoever sets that wants to see it happen.
    """
    return open_at(resolved + delay, time_zone) if delay else resolved


def open_at(due: datetime, time_zone: str) -> datetime:
    """`due`, or when the hours in which people are asked begin the next time."""
    local = due.astimezone(zone(time_zone))
    if local.time() >= CLOSES:
        local = _at_opening(local + timedelta(days=1))
    elif local.time() < OPENS:
        local = _at_opening(local)
    while local.weekday() >= 5:
        local = _at_opening(local + timedelta(days=1))
    return local.astimezone(due.tzinfo)


def _at_opening(local: datetime) -> datetime:
    return local.replace(hour=OPENS.hour, minute=0, second=0, microsecond=0)
