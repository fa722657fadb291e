"""One mail as a person or a program looks at it, without an inbox: what `mail show` prints."""

import hashlib
from collections.abc import Callable
from typing import Any

from channels.contract import Party
from channels.email import ladder, origin
from channels.email.body import with_own_names
from channels.email.hygiene import BOUNCES
from channels.email.reading import Reading

Detect = Callable[[str], str]
"""Text → its language, or "" when nothing tells."""


def shown(raw: bytes, detect: Detect) -> dict[str, Any]:
    """Everything that was understood, ready for JSON. Raises `Unreadable`."""
    read = ladder.read(raw)
    return {
        "subject": read.subject,
        "from": _people(read.sender) or _nameless(read),
        "to": _people(read.to),
        "cc": _people(read.cc),
        "reply_to": _people(read.reply_to),
        "message_id": read.message_id or None,
        "in_reply_to": next(iter(read.in_reply_to), None),
        "references": list(read.references),
        "date": read.date.isoformat(timespec="seconds") if read.date else None,
        "text": read.text,
        "html": read.html,
        "reply_text": read.new,
        "quoted_text": read.quoted,
        "signature": read.signature,
        "attachments": [
            {
                "name": file.name,
                "type": file.content_type,
                "size": len(file.body),
                "sha256": hashlib.sha256(file.body).hexdigest(),
                "inline": file.inline,
            }
            for file in with_own_names(read.files)
        ],
        "class": read.kind.value,
        "bounce": _bounce(read),
        "language": detect(f"{read.subject}\n{read.new}"[:4000]) or read.language,
        "charset_suspect": read.charset_suspect,
        "warnings": [*read.warnings, *origin.strange(read)],
    }


def _people(parties: tuple[Party, ...]) -> list[dict[str, str]]:
    return [{"name": party.name, "address": party.value} for party in parties]


def _nameless(read: Reading) -> list[dict[str, str]]:
    """Who it says it is from when no address is in it."""
    name = read.headers.text("from").strip('<>"() ')[:200]
    return [{"name": name, "address": ""}] if name else []


def _bounce(read: Reading) -> dict[str, Any] | None:
    if read.report is None or read.kind not in BOUNCES:
        return None
    return {
        "recipients": [
            {
                "address": one.address,
                "action": one.action,
                "status": one.status,
                "hard": one.hard,
            }
            for one in read.report.failures
        ],
        "original_message_id": read.report.original_id or None,
    }
