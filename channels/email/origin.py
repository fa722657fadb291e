"""Who a mail is from: whoever it names, or whom a web form or a mailing group wrote for."""

from dataclasses import dataclass

from channels.contract import Party
from channels.email.addresses import normal, parties
from channels.email.hygiene import Kind
from channels.email.known import Known
from channels.email.reading import Reading

_SAME = frozenset({Kind.HUMAN, Kind.CALENDAR, Kind.LIST_BULK})


@dataclass(frozen=True, slots=True)
class Origin:
    sender: Party
    unproved: bool = False
    by_a_person: bool = False  # whatever the one who passed it on does to all mails


def behind(read: Reading, known: Known) -> Origin | None:
    """Who really wrote, where the sender is one that is known to write for others."""
    if not read.sender or normal(read.sender[0].value).lower() not in known.writers:
        return None
    ignored = {*known.writers, normal(known.address).lower()}
    for name in ("x-original-from", "reply-to"):
        for party in parties(read.headers.raw(name)):
            if normal(party.value).lower() in ignored:
                continue
            # A group lets its members write, and a form everybody who types an address into it.
            return Origin(party, unproved=name == "reply-to", by_a_person=_is_of_a_person(read))
    return None


def _is_of_a_person(read: Reading) -> bool:
    said = read.headers.text("auto-submitted").strip().lower()
    return read.kind in _SAME or (read.kind is Kind.AUTO_REPLY and said == "auto-generated")
