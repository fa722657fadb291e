"""What some providers do by themselves, whatever a program asks them for."""

import re

_COPY_THEMSELVES = re.compile(
    r"(?:smtp|imap)[.-](?:gmail|googlemail)\.com|smtp-relay\.gmail\.com"
    r"|(?:smtp|outlook)\.office365\.com|(?:smtp-mail\.)?outlook\.(?:office\.)?com"
)


def copies_by_itself(smtp_host: str) -> bool:
    """Whether this outgoing server puts what it sends into the account's Sent folder."""
    return _COPY_THEMSELVES.fullmatch(smtp_host.lower()) is not None
