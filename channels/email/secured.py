"""Signed and encrypted mails: what they are is said, nothing of them is checked or opened."""

from channels.email.mime import Part

ENCRYPTED = "encrypted: This mail is encrypted; what is in it cannot be read here."
SIGNED = "signed, not verified: This mail is signed; nobody checked here whether that is genuine."

_OPAQUE = {"application/pkcs7-mime", "application/x-pkcs7-mime"}
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
MAX_DEPTH = 12
MAX_PIECES = 100_000


def word_of(part: Part) -> str:
    """The warning that this part deserves, or ""."""
    kind = part.content_type
    if kind == "multipart/encrypted":
        return ENCRYPTED
    if kind == "multipart/signed":
        return SIGNED
    if kind in _OPAQUE or part.parameters.get("name", "").lower() == "smime.p7m":
        said = part.parameters.get("smime-type", "").lower()
        if said == "signed-data" or signed_content(part.content) is not None:
            return SIGNED
        return ENCRYPTED if said != "certs-only" else ""
    if kind == "text/plain" and b"-----BEGIN PGP " in part.content:
        if b"\n-----BEGIN PGP MESSAGE-----" in b"\n" + part.content:
            return ENCRYPTED
        if b"\n-----BEGIN PGP SIGNED MESSAGE-----" in b"\n" + part.content:
            return SIGNED
    return ""


def signed_content(body: bytes) -> bytes | None:
    """The mail inside an opaque signature; None when there is none to be had."""
    try:
        kind, inner = _content_info(body)
        if kind != _SIGNED_DATA:
            return None
        for tag, value in _items(inner, 0):
            if tag == 0x30:
                items = list(_items(value, 0))
                content = next((one for tag_of, one in items if tag_of == 0xA0), b"")
                return b"".join(_octets(content, 0)) or None
    except (IndexError, ValueError, StopIteration):
        return None
    return None


def _content_info(body: bytes) -> tuple[bytes, bytes]:
    (_tag, outer), *_ = _items(body, 0)
    items = _items(outer, 0)
    kind = next(value for tag, value in items if tag == 6)
    wrapped = next(value for tag, value in items if tag == 0xA0)
    (_tag, inner), *_ = _items(wrapped, 0)
    return kind, inner


def _octets(body: bytes, depth: int) -> list[bytes]:
    """An octet string, whole or, as streaming programs write it, in pieces."""
    out: list[bytes] = []
    for tag, value in _items(body, depth):
        out += _octets(value, depth + 1) if tag == 0x24 else [value] if tag == 0x04 else []
    return out


def _items(body: bytes, depth: int) -> list[tuple[int, bytes]]:
    """Tag and value of each element. Raises `ValueError` or `IndexError` on what is none."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    out: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 <= len(body) and len(out) < MAX_PIECES:
        tag = body[at]
        if tag == 0 and body[at + 1] == 0:
            break
        start, end, after = _extent(body, at, depth)
        out.append((tag, body[start:end]))
        at = after
    return out


def _extent(body: bytes, at: int, depth: int) -> tuple[int, int, int]:
    """Where a value begins and ends, and where the next element begins."""
    first = body[at + 1]
    if first < 0x80:
        return at + 2, at + 2 + first, at + 2 + first
    if first > 0x80:
        count = first & 0x7F
        if count > 8:
            raise ValueError("not BER")
        start = at + 2 + count
        end = start + int.from_bytes(body[at + 2 : start], "big")
        return start, end, end
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    inner = at + 2  # of indefinite length: up to two zeros
    while not (body[inner] == 0 and body[inner + 1] == 0):
        inner = _extent(body, inner, depth + 1)[2]
    return at + 2, inner, inner + 2
