"""`mail show`: what is understood of a mail that lies in a file; needs no installation."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from channels.contract import Unreadable
from classifier.language import detect

_NOT_SAID = "-"


def show(asked: argparse.Namespace) -> int:
    """A page or a line of JSON for each file; one that cannot be read is told and no failure."""
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    for number, path in enumerate(asked.files):
        found = _look(path)
        if asked.json:
            print(json.dumps(found, ensure_ascii=False), flush=True)
            continue
        if number:
            print()
        for line in _page(path, found):
            print(line)
    return 0


def _look(path: Path) -> dict[str, Any]:
    from channels.email.show import shown

    try:
        body = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return shown(body, detect)
    except Unreadable as problem:
        words = str(problem)
    except OSError as problem:
        words = problem.strerror or type(problem).__name__
    except (ValueError, LookupError, TypeError, RecursionError, MemoryError) as problem:
        words = f"This mail could not be read ({type(problem).__name__})."
    return {"file": str(path), "error": words}


def _page(path: Path, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"== {path}"
    if "error" in found:
        yield f"!! {found['error']}"
        return
    for title, value in _head(found):
        yield f"{title:<12} {value}"
    yield from _of_bounce(found["bounce"])
    for one in found["attachments"]:
        where = "inside" if one["inline"] else "beside"
        yield f"{'File':<12} {one['name']} ({one['type']}, {one['size']:,} bytes, {where} the text)"
    for warning in found["warnings"]:
        yield f"!! {warning}"
    if found["charset_suspect"]:
        yield "!! Some characters could not be told: they stand as �."
    for title, name in (("", "reply_text"), ("signature", "signature"), ("quoted", "quoted_text")):
        if found[name]:
            yield f"-- {title}" if title else ""
            yield _printable(found[name])


def _head(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Subject", _printable(found["subject"]) or _NOT_SAID
    for title, name in (("From", "from"), ("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
        people = ", ".join(map(_person, found[name]))
        if people or name in {"from", "to"}:
            yield title, people or _NOT_SAID
    yield "Date", found["date"] or _NOT_SAID
    yield "Message-ID", found["message_id"] or _NOT_SAID
    if found["in_reply_to"]:
        yield "In-Reply-To", found["in_reply_to"]
    if found["references"]:
        yield "References", " ".join(found["references"])
    yield "Class", found["class"]
    yield "Language", found["language"] or _NOT_SAID


def _person(one: Mapping[str, str]) -> str:
    return _printable(f"{one['name']} <{one['address']}>" if one["name"] else one["address"])


def _of_bounce(bounce: Mapping[str, Any] | None) -> Iterator[str]:
    if bounce is None:
        return
    yield f"{'Returned':<12} {bounce['original_message_id'] or _NOT_SAID}"
    for one in bounce["recipients"]:
        kind = "for good" if one["hard"] else "may pass"
        yield f"{'':<12} {one['address']}: {one['action']}, {one['status']}, {kind}"


def _printable(text: str) -> str:
    """Without what could move the cursor or recolour a terminal."""
    return "".join(
        char for char in text if char in "\n\t" or char.isprintable() or char == "\u3000"
    )
