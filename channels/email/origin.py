"""Who a mail is from: whoever it names, or whom a web form or a mailing group wrote for."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from channels.contract import FAIL, PASS, Party, Verdicts, of_another
from channels.email import groups
from channels.email.addresses import domain_of, normal, parties
from channels.email.authenticity import checked_in_from, is_of, verdicts_before, verdicts_of
from channels.email.hygiene import Kind
from channels.email.known import Known
from channels.email.reading import INSTEAD, Reading, everybody

SEVERAL = "several senders: This mail names several senders; it is not certain who wrote it."
ELSEWHERE = "no sender in From: From names nobody; who wrote it is taken from another field."
ANOTHER = "another sender checked: The mail server checked somebody else than the sender shown."

_SAME = frozenset({Kind.HUMAN, Kind.CALENDAR, Kind.LIST_BULK})


@dataclass(frozen=True, slots=True)
class Origin:
    sender: Party
    verdicts: Verdicts | None = None
    unproved: bool = False
    by_a_person: bool = False  # whatever the one who passed it on does to all mails
    warnings: tuple[str, ...] = ()


def of(read: Reading, known: Known, named: Party) -> Origin:
    """`named` is who stands first in From, or would.

    A mail is filed under somebody that the checks speak of. Where several are named, or another
    than the one who was checked, anybody may have written it.
    """
    told = checked_in_from(read.headers, known.trust)
    writers = in_from(read)
    sender = next((one for one in writers if told.get(domain_of(one.value)) == PASS), named)
    checked = verdicts_of(read.headers, known.trust, sender.value)
    if (
        checked
        and len(writers) > 1
        and checked.dmarc == PASS
        and domain_of(sender.value) not in told
    ):
        checked = replace(checked, dmarc="")  # of which of them it does not say
    found = _behind(read, known, checked) or Origin(sender, checked)
    warnings = (*strange(read), *_of_another(told, (*writers, sender, found.sender)))
    return replace(found, unproved=True, warnings=warnings) if warnings else found


def in_from(read: Reading) -> tuple[Party, ...]:
    """Everybody in From, of which there may be many, each once."""
    return tuple({_key(one): one for one in reversed(everybody(read.headers, "from"))}.values())[
        ::-1
    ]


def strange(read: Reading) -> Iterator[str]:
    """What a mail says of its sender that no honest program writes."""
    writers = in_from(read)
    if len(writers) > 1:
        yield SEVERAL
    elif not writers and any(everybody(read.headers, name) for name in INSTEAD):
        yield ELSEWHERE


def _of_another(told: Collection[str], senders: Collection[Party]) -> Iterator[str]:
    if told and not any(is_of(domain, one.value) for domain in told for one in senders):
        yield ANOTHER


def _key(party: Party) -> str:
    return normal(party.value).lower()


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
    # One of us is never believed by what a group says: their words would be our answer.
    certain = author is not None and author.certain and not _is_of(author.party, own)
    if author and certain and (listed or (checked is not None and checked.prove(sender))):
        found = _before(read, known, checked, author.party)
        return Origin(author.party, found, by_a_person=read.kind in _SAME)
    if listed:
        return _for_whom(read, known, checked, ignored)
    if author is None:
        return None
    return Origin(author.party, of_another(checked), unproved=True, by_a_person=read.kind in _SAME)


def _is_of(party: Party, own: str) -> bool:
    return domain_of(party.value) == domain_of(own)


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
