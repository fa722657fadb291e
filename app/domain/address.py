"""Addresses: which two are the same, and what cannot be one."""

import unicodedata

EMAIL, PHONE = "email", "phone"

EVERYWHERE = frozenset({EMAIL, PHONE})
"""Kinds of address that mean the same person whichever inbox they appear in. Any other kind is
a name some outside system gave, and means something only in the inbox it came through."""

_NOT_IN_EMAIL = frozenset(' ,;:<>()[]\r\n\0"')


def normal(kind: str, value: str, inbox_id: int) -> str:
    """What is compared: case and the script of a domain do not make another person."""
    if kind == EMAIL:
        local, _, domain = value.strip().rpartition("@")
        # Not casefold, which would turn ß into ss and so two people into one.
        return f"{unicodedata.normalize('NFC', local).lower()}@{_domain(domain)}"
    if kind == PHONE:
        return _number(value.strip())
    return f"{inbox_id}:{value}"


def _domain(domain: str) -> str:
    """As people read it: xn-- labels opened, so that both spellings of one domain are equal."""
    labels = unicodedata.normalize("NFKC", domain).lower().split(".")
    return ".".join(_opened(label) for label in labels)


def _opened(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFC", label[4:].encode("ascii").decode("punycode"))
    except (UnicodeError, ValueError, OverflowError):
        return label  # no name at all: compared as it stands


def _number(value: str) -> str:
    import phonenumbers  # noqa: PLC0415 - tables no start should wait for

    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_email(value: str) -> bool:
    """Whether it is one address and nothing else: no name, no second one, no header line."""
    local, at, domain = value.rpartition("@")
    return (
        bool(at and local and domain.strip("."))
        and "@" not in local
        and len(value) <= 254
        and value.isprintable()
        and not _NOT_IN_EMAIL.intersection(value)
    )


def without_plus(address: str) -> set[str]:
    """The normal form of a mail address, with and without what follows a plus."""
    local, _, domain = normal(EMAIL, address, 0).rpartition("@")
    return {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"}
