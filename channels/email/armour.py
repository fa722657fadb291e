"""The lines that PGP puts around a text which is signed and can still be read by people."""

import re
from collections.abc import Sequence

_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_END = "-----END PGP SIGNATURE-----"
_MOST_FIELDS = 10
_FIELD = re.compile(r"(?:Hash|Charset|NotDashEscaped|Version|Comment): ?.{0,200}")
_CODED = re.compile(r"[A-Za-z0-9+/=]{0,100}")


def without(text: str) -> str:
    """What was written, as its writer saw it; the same text when there are no such lines.

    Whatever else stands between them is left alone: nothing can be hidden there.
    """
    if _BEGIN not in text:
        return text
    lines = text.split("\n")
    begin = next((at for at, line in enumerate(lines) if line.rstrip() == _BEGIN), None)
    if begin is None:
        return text
    first = _after_fields(lines, begin + 1)
    last = next(
        (at for at in range(first, len(lines)) if lines[at].rstrip() == _SIGNATURE), len(lines)
    )
    after = _after_signature(lines, last)
    if first == begin + 1 or after is None:
        return text
    written = [line.removeprefix("- ") for line in lines[first:last]]
    return "\n".join([*lines[:begin], *written, *lines[after:]]).strip("\n")


def _after_fields(lines: Sequence[str], at: int) -> int:
    """Behind the blank line that ends them; where they begin when it is not there."""
    for number in range(at, min(at + _MOST_FIELDS, len(lines))):
        line = lines[number].rstrip()
        if not line:
            return number + 1
        if not _FIELD.fullmatch(line):
            break
    return at


def _after_signature(lines: Sequence[str], at: int) -> int | None:
    """Behind its last line, or the end where it is cut off; None when it is something else."""
    for number in range(at + 1, len(lines)):
        line = lines[number].strip()
        if line == _END:
            return number + 1
        if not (_CODED.fullmatch(line) or _FIELD.fullmatch(line)):
            return None
    return len(lines)
