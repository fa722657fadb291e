"""What is inside a winmail.dat: the text and the files that Outlook wraps up when left alone."""

import contextlib
import mimetypes
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.contract import InboundFile
from channels.email import charset
from channels.email.rtf import Rtf, decompressed

TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
MAX_FILES = 200
MAX_PROPERTIES = 5000

_SIGNATURE = 0x223E9F78
_BODY, _CODE_PAGE, _PROPERTIES = 0x800C, 0x9007, 0x9003
_RENDERING, _TITLE, _DATA, _FILE_PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_PLAIN, _RTF, _HTML = 0x1000, 0x1009, 0x1013
_LONG_NAME, _NAME, _TYPE, _CONTENT_ID, _OBJECT = 0x3707, 0x3704, 0x370E, 0x3712, 0x3701
_FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0xA: 4, 0xB: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_TEXTS = {0x1E, 0x1F}


class Broken(ValueError):
    """It is none, or cut off."""


@dataclass(slots=True)
class Package:
    plain: str = ""
    html: str = ""
    files: list[InboundFile] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    name: str = ""
    body: bytes = b""
    properties: dict[int, str | bytes] = field(default_factory=dict)


def looks_like_one(content_type: str, name: str, body: bytes) -> bool:
    named = content_type in TYPES or name.lower() in {"winmail.dat", "win.dat"}
    return named and body[:4] == _SIGNATURE.to_bytes(4, "little")


def unpacked(body: bytes) -> Package:
    """Raises `Broken` when nothing in it can be read."""
    try:
        return _unpacked(body)
    except (struct.error, IndexError, ValueError, LookupError) as problem:
        raise Broken(type(problem).__name__) from problem


def _unpacked(body: bytes) -> Package:
    package, files, code_page = Package(), list[_File](), "cp1252"
    for name, value in _attributes(body):
        if name == _CODE_PAGE and len(value) >= 4:
            code_page = f"cp{int.from_bytes(value[:4], 'little')}"
        elif name == _BODY:
            package.plain = package.plain or _text(value, code_page)
        elif name == _PROPERTIES:
            _take_text(package, _properties(value, code_page), code_page)
        elif name == _RENDERING:
            files.append(_File())
        elif files and len(files) <= MAX_FILES:
            if name == _TITLE:
                files[-1].name = _text(value, code_page)
            elif name == _DATA:
                files[-1].body = value
            elif name == _FILE_PROPERTIES:
                with contextlib.suppress(struct.error, IndexError):
                    files[-1].properties = _properties(value, code_page)
    package.files = [_file(one) for one in files[:MAX_FILES]]
    if not (package.plain or package.html or package.files):
        raise Broken("nothing in it")
    return package


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 6
    while at + 9 <= len(body):
        _level, name, _kind, length = struct.unpack_from("<BHHI", body, at)
        yield name, body[at + 9 : at + 9 + length]
        at += 9 + length + 2


def _text(value: str | bytes, code_page: str) -> str:
    if isinstance(value, str):
        return value
    return charset.decode(value.rstrip(b"\x00"), code_page).text.rstrip("\x00")


def _take_text(package: Package, found: dict[int, str | bytes], code_page: str) -> None:
    if _HTML in found:
        package.html = _text(found[_HTML], code_page)
    elif isinstance(packed := found.get(_RTF), bytes):
        with contextlib.suppress(ValueError, IndexError, struct.error):
            text = Rtf(decompressed(packed)).read()
            if text.is_html:
                package.html = text.text
            else:
                package.plain = package.plain or text.text
    if _PLAIN in found:
        package.plain = package.plain or _text(found[_PLAIN], code_page)


def _properties(value: bytes, code_page: str) -> dict[int, str | bytes]:
    """Those of variable length: texts and bytes."""
    (count,) = struct.unpack_from("<I", value)
    found: dict[int, str | bytes] = {}
    at = 4
    for _ in range(min(count, MAX_PROPERTIES)):
        kind, name = struct.unpack_from("<HH", value, at)
        at += 4
        if name >= 0x8000:
            at = _past_name(value, at)
        single = kind & 0xFFF
        many = kind & 0x1000
        if single in _FIXED:
            items = 1
            if many:
                (items,) = struct.unpack_from("<I", value, at)
                at += 4
            at += _FIXED[single] * items
            continue
        (items,) = struct.unpack_from("<I", value, at)
        at += 4
        for _number in range(min(items, MAX_PROPERTIES)):
            (length,) = struct.unpack_from("<I", value, at)
            body = value[at + 4 : at + 4 + length]
            at += 4 + length + -length % 4
            if single == 0x1F:
                found.setdefault(name, body.decode("utf-16-le", "replace").rstrip("\x00"))
            elif single in _TEXTS:
                found.setdefault(name, _text(body, code_page))
            else:
                found.setdefault(name, body)
    return found


def _past_name(value: bytes, at: int) -> int:
    """A named property brings its name along: a set, and a number or a text."""
    (kind,) = struct.unpack_from("<I", value, at + 16)
    at += 20
    if kind == 0:
        return at + 4
    length = int.from_bytes(value[at : at + 4], "little")
    return at + 4 + length + -length % 4


def _file(found: _File) -> InboundFile:
    said = found.properties
    name = next((one for key in (_LONG_NAME, _NAME) if isinstance(one := said.get(key), str)), "")
    kind = said.get(_TYPE)
    content_id = said.get(_CONTENT_ID)
    body, name = found.body, name or found.name
    inner = said.get(_OBJECT)
    if not body and isinstance(inner, bytes):
        body = inner[16:]  # an attached mail or object: its kind of interface comes first
    if not (isinstance(kind, str) and kind):
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    content_id = content_id if isinstance(content_id, str) else ""
    return InboundFile(name, kind.lower(), body, content_id.strip("<> "), bool(content_id))
