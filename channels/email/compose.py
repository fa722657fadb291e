"""One message of ours as the bytes of a mail, the same bytes every time."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from email.utils import format_datetime
from urllib.parse import quote

from markdown_it import MarkdownIt

from channels.contract import OutboundFile, OutboundMessage, Party, Rendered
from channels.email import signing, tags
from channels.email.addresses import is_plain, on_the_wire, sendable
from channels.email.config import EmailConfig
from channels.email.headers import ENCODED_WORD

LOOP = "X-Setten-Loop"  # on everything no person wrote, with the proof that it is ours
ID = "X-Setten-Id"  # what we called a mail, where its provider calls it something else
OWN_ID = re.compile(
    r"<?t\.(?P<token>[A-Za-z0-9_-]{1,120})\.(?P<number>\d{1,18})\.[0-9a-f]{8}@(?P<domain>[^\s<>@]+)"
)

THREAD = 0  # in the place of a message's number: the id that stands for all of a ticket

_ANSWERED = b"Auto-Submitted: auto-replied"

LINE = 76
MAX_REFERENCES = 10
MAX_REFERENCES_BYTES = 900  # relays refuse mails with more than 4 KB of fields

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,120}")
_FORBIDDEN = re.compile("[\r\n\x00]")
_ID = re.compile(r"[\x21-\x3b\x3d\x3f-\x7e]{3,250}")
_TYPE = re.compile(r"(?!multipart/|message/)[a-z0-9.+-]{1,60}/[a-z0-9.+_-]{1,100}")
_WORD_BYTES = 39  # of UTF-8 in one encoded word: with the name of its field it stays under 76

# An address that stands in a text as it is. Its underscores and stars are not Markdown.
_BARE = re.compile(
    r"(?<![\w<\[\"'`=/])(?<!\]\()https?://[\w.~:/?#@!$&*+,;=%()-]*[\w/~#&*+=%-]", re.ASCII
)

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
_markdown.enable(["table", "strikethrough"])


def render(config: EmailConfig, message: OutboundMessage) -> Rendered:
    """Pure. Raises `ValueError` where a value could add a header field of its own."""
    own_id = message_id(config, message)
    body = _body(config, message)
    mail = "".join(_fields(config, message, own_id)).encode("ascii") + body
    if config.dkim_sign:
        mail = signing.signed(config, mail, message.sent_at)
    return Rendered(external_id=own_id, body=mail)


def message_id(config: EmailConfig, message: OutboundMessage) -> str:
    """Without brackets. Proves the ticket to us and tells a stranger nothing."""
    if not TOKEN.fullmatch(message.token):
        raise ValueError("a token has only letters, digits, - and _")
    return _own_id(config, message.token, message.number)


def _own_id(config: EmailConfig, token: str, number: int) -> str:
    digest = hashlib.sha256(f"{token}.{number}".encode()).hexdigest()[:8]
    domain = sendable(config.address).rpartition("@")[2]
    return f"t.{token}.{number}.{digest}@{domain}"


def is_answer_of_a_machine(mail: bytes) -> bool:
    """Whether we wrote it by ourselves because somebody wrote to us."""
    return b"\r\n" + _ANSWERED + b"\r\n" in mail.partition(b"\r\n\r\n")[0] + b"\r\n"


def plus_address(config: EmailConfig, token: str) -> str:
    """Ours, with the token in it: it proves the ticket where a mail program loses our ids."""
    local, _, domain = sendable(config.address).rpartition("@")
    return f"{local}+t.{token}@{domain}"


def _fields(config: EmailConfig, message: OutboundMessage, own_id: str) -> list[str]:
    sender = Party("email", config.address, message.sender_name or config.sender_name)
    lines = [
        _people("From", [sender]),
        _people("To", message.to),
        _people("Cc", message.cc),
        _text("Subject", _subject(config, message)),
        _folded("Date", [format_datetime(message.sent_at)]),
        _folded("Message-ID", [f"<{own_id}>"]),
        _folded(ID, [f"<{own_id}>"]),
        _folded("In-Reply-To", _ids([message.in_reply_to])),
        _folded("References", _references(config, message)),
    ]
    if config.reply_tokens and message.reply_token:
        lines.append(_folded("Reply-To", [f"<{plus_address(config, message.reply_token)}>"]))
    if message.unsubscribe_url:
        url = _clean(message.unsubscribe_url)
        if not url.isascii() or re.search(r"[\s<>]", url):
            raise ValueError("an address to unsubscribe at is plain ASCII without blanks")
        lines.append(_folded("List-Unsubscribe", [f"<{url}>"]))
        lines.append(_folded("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]))
    if message.receipt:
        lines.append(f"{_ANSWERED.decode()}\r\n")
        lines.append(_folded("Precedence", ["auto_reply"]))
        lines.append(_folded("X-Auto-Response-Suppress", ["All"]))
        lines.append(_folded(LOOP, [message.token]))
    elif message.automatic:
        lines.append(_folded("Auto-Submitted", ["auto-generated"]))
        lines.append(_folded("X-Auto-Response-Suppress", ["OOF,", "AutoReply"]))
        lines.append(_folded(LOOP, [message.token]))
    if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", message.language):
        lines.append(_folded("Content-Language", [message.language]))
    lines.append(_folded("MIME-Version", ["1.0"]))
    return lines


def _subject(config: EmailConfig, message: OutboundMessage) -> str:
    if config.subject_tags and message.tag_token:
        return tags.tagged(message.subject, message.tag_token)
    return message.subject


def _clean(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("a line break or a NUL in a header value")
    return value


def _people(name: str, people: Sequence[Party]) -> str:
    tokens: list[str] = []
    for person in people:
        if person.kind != "email":
            continue
        words = _phrase(_clean(person.name)[:200])
        if is_plain(person.value):
            tokens += [*words, f"<{sendable(person.value)}>" if words else sendable(person.value)]
        else:
            # A field with such an address is read only by servers that know SMTPUTF8, and others
            # get this mail as well: it stands there as RFC 6857 has it, as an empty group's name.
            tokens += [*_encoded_words(f"{person.name} {on_the_wire(person.value)}".strip()), ":;"]
        tokens[-1] += ","
    if tokens:
        tokens[-1] = tokens[-1].removesuffix(",")
    return _folded(name, tokens)


def _phrase(text: str) -> list[str]:
    text = text.strip()
    if text.isascii() and text.isprintable() and not ENCODED_WORD.search(text):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'.split(" ") if escaped else []
    return _encoded_words(text)


def _text(name: str, text: str) -> str:
    text = _clean(text)
    words = text.split(" ")
    plain = text.isascii() and text.isprintable() and not ENCODED_WORD.search(text)
    # Two blanks in a row or a word longer than a line do not survive every relay.
    if not plain or "" in words[1:] or any(len(word) > LINE - 12 for word in words):
        words = _encoded_words(text)
    return _folded(name, words if any(words) else [])


def _encoded_words(text: str) -> list[str]:
    """Each a valid word of its own, cut between characters."""
    words, held = [], b""
    for char in text:
        code = char.encode("utf-8", "replace")
        if len(held) + len(code) > _WORD_BYTES:
            words.append(held)
            held = b""
        held += code
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in [*words, held] if word]


def _folded(name: str, tokens: Sequence[str]) -> str:
    """One field, broken only between tokens: an id that is cut no longer threads."""
    if not tokens:
        return ""
    lines, line = [], f"{name}:"
    for token in tokens:
        if len(line) + 1 + len(token) > LINE and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {token}"
    return "\r\n".join([*lines, line]) + "\r\n"


def _ids(ids: Sequence[str]) -> list[str]:
    bare = (_clean(value).strip().removeprefix("<").removesuffix(">") for value in ids)
    return [f"<{value}>" for value in bare if _ID.fullmatch(value)]


def _references(config: EmailConfig, message: OutboundMessage) -> list[str]:
    # No mail has this id. It stands in each of a ticket, so that they stay together where a relay
    # gives our mails ids of its own, and answers still name the ticket.
    thread = _ids([_own_id(config, message.token, THREAD)])
    ids = list(dict.fromkeys(_ids([*message.references, message.in_reply_to])))
    ids = [value for value in ids if value not in thread]
    if len(ids) > 1 and message.in_reply_to:  # what is answered comes last, wherever it was given
        last = _ids([message.in_reply_to])
        ids = [value for value in ids if value not in last] + last
    first, later = thread + ids[:1], ids[1:][-(MAX_REFERENCES - 2) :]
    while later and sum(len(value) + 1 for value in first + later) > MAX_REFERENCES_BYTES:
        later = later[1:]
    return first + later


def _body(config: EmailConfig, message: OutboundMessage) -> bytes:
    text = (
        message.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").rstrip() + "\n"
    )
    mark = message.tag_token if config.body_marks else ""
    lang = f' lang="{message.language}"' if message.language.isalpha() else ""
    written = _markdown.render(_BARE.sub(r"<\g<0>>", text))
    page = (
        f'<!DOCTYPE html>\n<html{lang}>\n<head><meta charset="utf-8"></head>\n<body>\n'
        f"{written}{tags.below_page(mark) if mark else ''}</body>\n</html>\n"
    )
    text = tags.below(text, mark) if mark else text
    parts = [_text_part("text/plain", text), _text_part("text/html", page)]
    body = _multipart("alternative", parts)
    if message.files:
        body = _multipart("mixed", [body, *map(_file_part, message.files)])
    return body


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    # "=_" occurs neither in base64 nor in quoted-printable, so no part can contain it.
    digest = hashlib.sha256(b"\0".join(parts)).hexdigest()[:24]
    boundary = f"=_{kind[:3]}_{digest}".encode()
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary.decode()}"\r\n\r\n'.encode()
    inner = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return head + inner + b"--" + boundary + b"--\r\n"


def _text_part(kind: str, text: str) -> bytes:
    body = text.encode("utf-8", "replace")
    printable = binascii.b2a_qp(body, istext=True).replace(b"\n", b"\r\n")
    packed = _base64(body.replace(b"\n", b"\r\n"))
    short = all(len(line) <= LINE for line in body.split(b"\n"))
    if body.isascii() and short and b"=_" not in body and b"\nFrom " not in b"\n" + body:
        encoding, coded = "7bit", body.replace(b"\n", b"\r\n")
    elif len(printable) <= len(packed) or len(printable) < 1.5 * len(body):
        encoding, coded = "quoted-printable", printable
    else:
        encoding, coded = "base64", packed
    head = f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + coded


def _base64(body: bytes) -> bytes:
    lines = (body[at : at + 57] for at in range(0, len(body), 57))
    return b"".join(binascii.b2a_base64(line, newline=False) + b"\r\n" for line in lines)


def _file_part(file: OutboundFile) -> bytes:
    kind = file.content_type.partition(";")[0].strip().lower()
    kind = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    name = _clean(file.name) or "file"
    head = (
        _folded("Content-Type", [f"{kind};", *_old_name(name)])
        + _folded("Content-Disposition", ["attachment;", *_new_name(name)])
        + "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + _base64(file.body)


def _old_name(name: str) -> list[str]:
    # Not what the standard says, but what older Outlook and Japanese programs read.
    if _is_simple(name):
        return [f'name="{name}"']
    words = _encoded_words(name)
    words[0] = f'name="{words[0]}'
    words[-1] += '"'
    return words


def _new_name(name: str) -> list[str]:
    if _is_simple(name):
        return [f'filename="{name}"']
    coded = [quote(char, safe="") for char in name.encode("utf-8", "replace").decode()]
    pieces, held = [], "utf-8''"
    for char in coded:
        if len(held) + len(char) > 50:
            pieces.append(held)
            held = ""
        held += char
    pieces.append(held)
    if len(pieces) == 1:
        return [f"filename*={pieces[0]}"]
    tokens = [f"filename*{at}*={piece};" for at, piece in enumerate(pieces)]
    tokens[-1] = tokens[-1].removesuffix(";")
    return tokens


def _is_simple(name: str) -> bool:
    return name.isascii() and name.isprintable() and len(name) <= 60 and not set(name) & set('"\\%')
