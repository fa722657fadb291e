"""The subject of a conversation, without what mail programs put before it."""

import re

# Reply and forward marks of English, German, French, Spanish, Italian, Nordic, Polish and
# Japanese mail programs, with an optional counter: “Re[2]:”, “AW:”, “返信：”.
_PREFIX = re.compile(
    r"\s{0,8}(?:re|aw|antw|antwort|sv|vs|odp|rif|fw|fwd|wg|tr|rv|enc|返信|転送)"
    r"\s{0,3}(?:\[\d{1,3}\])?\s{0,3}[:：]",
    re.IGNORECASE,
)


def normal_subject(subject: str) -> str:
    """`subject` without its reply and forward marks, on one line."""
    left = " ".join(subject[:1000].split())
    for _ in range(10):
        match = _PREFIX.match(left)
        if match is None:
            break
        left = left[match.end() :].lstrip()
    return left
