"""Mails attached to mails: what they say is searched like what the mail itself says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from channels.contract import InboundFile, Unreadable
from channels.email.reading import Reading

MOST = 5  # mails attached to one that are read
LARGEST = 2_000_000  # bytes of one
MAX_WORDS = 20_000  # characters kept of one


Reads = Callable[[bytes], Reading]


def readable(read: Reading, raw: bytes, read_mail: Reads) -> Sequence[InboundFile]:
    """Its files, those that are mails with their words: not what a report brings back, which was
    ours."""
    return read.files if read.report is not None else list(_readable(read.files, raw, read_mail))


def _readable(files: Sequence[InboundFile], raw: bytes, read_mail: Reads) -> Iterator[InboundFile]:
    left = MOST
    for file in files:
        mail = file.content_type == "message/rfc822" and len(file.body) <= LARGEST
        if left and mail and file.body != raw:  # which is there where not all of it was readable
            left -= 1
            yield replace(file, words=_words(file.body, read_mail))
        else:
            yield file


def _words(raw: bytes, read_mail: Reads) -> str:
    try:
        read = read_mail(raw)
    except Unreadable:
        return ""
    people = [part for one in read.sender for part in (one.name, one.value)]
    said = (read.subject, *people, read.text, *(file.name for file in read.files))
    return "\n".join(filter(None, said))[:MAX_WORDS]
