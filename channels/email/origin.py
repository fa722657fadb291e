"""Who a mail is from: whoever it names, or whom a web form or a mailing group wrote for."""

from dataclasses import dataclass

from channels.contract import FAIL, Party, Verdicts, of_another
from channels.email import groups
from channels.email.addresses import normal, parties
from channels.email.authenticity import verdicts_before, verdicts_of
from channels.email.hygiene import Kind
from channels.email.known import Known
from channels.email.reading import Reading

_SAME = frozenset({Kind.HUMAN, Kind.CALENDAR, Kind.LIST_BULK})


@dataclass(frozen=True, slots=True)
class Origin:
    sender: Party
    verdicts: Verdicts | None = None
    unproved: bool = False
    by_a_person: bool = False  # whatever the one who passed it on does to all mails


def of(read: Reading, known: Known, named: Party) -> Origin:
    """`named` is who stands in From, or would."""
    checked = verdicts_of(read.headers, known.trust, named.value)
    return _behind(read, known, checked) or Origin(named, checked)


def _behind(read: Reading, known: Known, checked: Verdicts | None) -> Origin | None:
    """Who really wrote, where the sender is one that is known to write for others, or our own
    address kept as a group."""
    own = normal(known.address).lower()
    sender = normal(read.sender[0].value).lower() if read.sender else ""
    listed = sender in known.writers
    if not listed and (not sender or sender != own):
        return None
    ignored = {*known.writers, own}
    author = groups.author(read.headers, sender, ignored)
    certain = author is not None and author.certain
    if author and certain and (listed or (checked is not None and checked.prove(sender))):
        found = _before(read, known, checked, author.party)
        return Origin(author.party, found, by_a_person=read.kind in _SAME)
    if listed:
        return _for_whom(read, known, checked, ignored)
    if author is None:
        return None
    return Origin(author.party, of_another(checked), unproved=True, by_a_person=read.kind in _SAME)


def _for_whom(
    read: Reading, known: Known, checked: Verdicts | None, ignored: set[str]
) -> Origin | None:
    for name in ("x-original-from", "reply-to"):
        for party in parties(read.headers.raw(name)):
            if normal(party.value).lower() in ignored:
                continue
            person = _is_of_a_person(read)
            # A group lets its members write, and a form everybody who types an address into it.
            if name == "reply-to":
                return Origin(party, of_another(checked), unproved=True, by_a_person=person)
            return Origin(party, _before(read, known, checked, party), by_a_person=person)
    return None


def _before(
    read: Reading, known: Known, checked: Verdicts | None, author: Party
) -> Verdicts | None:
    """What was found out about the author, not about the group: a group that fails is none."""
    if checked is None or checked.dmarc == FAIL:
        return checked and of_another(checked)
    sender = read.sender[0].value if read.sender else ""
    if not checked.prove(sender):
        return Verdicts()
    return verdicts_before(read.headers, known.trust, author.value)


def _is_of_a_person(read: Reading) -> bool:
    said = read.headers.text("auto-submitted").strip().lower()
    return read.kind in _SAME or (read.kind is Kind.AUTO_REPLY and said == "auto-generated")
