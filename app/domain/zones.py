"""The time zone somebody lives in, as far as it is certain."""

import phonenumbers

_NOWHERE = "Etc/Unknown"


def of_number(value: str) -> str:
    """The zone of a phone number whose place has only one; "" for every other."""
    from phonenumbers import timezone  # noqa: PLC0415 - a table no start should wait for

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(value, None))
    except phonenumbers.NumberParseException:
        return ""
    return found[0] if len(found) == 1 and found[0] != _NOWHERE else ""
