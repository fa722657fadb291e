"""The time zone somebody lives in, as far as it is certain."""

_NOWHERE = "Etc/Unknown"


def of_number(value: str) -> str:
    """The zone of a phone number whose place has only one; "" for every other."""
    # Tables no start should wait for.
    import phonenumbers  # noqa: PLC0415
    from phonenumbers import timezone  # noqa: PLC0415

    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(value, None))
    except phonenumbers.NumberParseException:
        return ""
    return found[0] if len(found) == 1 and found[0] != _NOWHERE else ""
