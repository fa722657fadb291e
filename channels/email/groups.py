"""Who wrote to a mailing group that sends every mail on as its own.

Groups do so where the sender's domain lets nobody else send its mail. Google Groups then names
the sender in fields of its own, Mailman in Reply-To, or in Cc where answers go to the group.
Mailman passes on whatever fields a stranger wrote: there those of Google mean nothing.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from channels.contract import Party
from channels.email.addresses import normal, parties
from channels.email.headers import Headers
from channels.email.hygiene import is_list_of

NAMED = ("x-original-from", "x-original-sender")
_GOOGLE = "x-google-group-id"
_MAILMAN = ("x-mailman-version", "x-mailman-rule-hits", "x-mailman-rule-misses", "x-beenthere")


@dataclass(frozen=True, slots=True)
class Author:
    party: Party
    certain: bool  # nobody but the group can have named them, if it was the group: it is Google's


def author(headers: Headers, group: str, ignored: Collection[str]) -> Author | None:
    """None where it is not of the list of that address, or names nobody but `ignored`."""
    if not is_list_of(headers, group):
        return None
    if any(name in headers for name in _MAILMAN):
        return _at_mailman(headers, ignored)
    named = [party for name in NAMED for party in _every(headers, name)]
    if not named or any(_key(party) in ignored for party in named):
        return None  # one of us, or a form of ours, wrote to the group
    answer = {_key(party) for party in _every(headers, "reply-to")} - set(ignored)
    keys = {_key(party) for party in named}
    return Author(named[0], _GOOGLE in headers and len(keys) == 1 and answer <= keys)


def _at_mailman(headers: Headers, ignored: Collection[str]) -> Author | None:
    # It adds the sender to those whom the sender wants answered. Who handed it in is what the
    # sender's server said of itself.
    handed_in = {_key(party) for party in _every(headers, "x-mailfrom")}
    answered = [party for party in _every(headers, "reply-to") if _key(party) not in ignored]
    copies = (party for party in _every(headers, "cc") if _key(party) in handed_in - set(ignored))
    found = answered[0] if answered else next(copies, None)
    return Author(found, certain=False) if found else None


def _every(headers: Headers, name: str) -> Iterator[Party]:
    for value in headers.every(name):
        yield from parties(value)


def _key(party: Party) -> str:
    return normal(party.value).lower()
