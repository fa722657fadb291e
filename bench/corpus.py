"""Mails as a shop gets them: three languages, old and new encodings, replies, large attachments."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr
from html import escape

from app.core import clock
from classifier import corpus as samples

SEED = 20_261_122
TO = "support@example.com"
ATTACHMENT = 100_000  # bytes

_NAMES = {
    "ja": ("高橋 由美", "佐藤 健一", "三枝 美登里", "渡辺 翔"),
    "de": ("Jonas Müller", "Käthe Weiß", "Sabine Groß", "Jörg Özdemir"),
    "en": ("Amelia Brook", "Tom O'Hara", "Maureen Tilsley", "Priya Nair"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail. All of one `thread` belong on one ticket."""

    marker: str  # words that stand in its text and in no other
    thread: str
    sender: str
    message_id: str
    raw: bytes
    is_reply: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A mail one can reply to: the thread it belongs to, who may, and what to quote."""

    thread: str
    sender: str
    message_id: str


class Writer:
    """Writes letters; the same seed writes the same ones."""

    def __init__(self, name: str, seed: int = SEED) -> None:
        self.name = name
        self.random = random.Random(f"{seed} {name}")
        self.texts = {
            language: [one.text for one in samples.load([language])] for language in _NAMES
        }
        self.number = 0

    def letter(
        self,
        kind: str,
        *,
        to: Written | None = None,
        attached: bool = False,
        size: int = ATTACHMENT,
    ) -> Letter:
        """`kind` is a language and the charset it is written in, such as “ja iso-2022-jp”."""
        self.number += 1
        language, charset = kind.split()
        marker = self._marker(language)
        sender = to.sender if to else f"{self.name}{self.number}@customers.example"
        message_id = f"<{self.name}.{self.number}@customers.example>"
        mail = self._body(language, charset, marker, size if attached else 0)
        subject = self.random.choice(self.texts[language]).partition("\n")[0][:40]
        name = self.random.choice(_NAMES[language])
        mail["From"] = formataddr((str(Header(_fit(name, charset), charset)), sender))
        mail["To"] = TO
        topic = _fit(f"{'Re: ' if to else ''}{subject}", charset)
        mail["Subject"] = Header(topic, charset).encode()
        mail["Date"] = format_datetime(clock.now())
        mail["Message-ID"] = message_id
        if to:
            mail["In-Reply-To"] = mail["References"] = to.message_id
        thread = to.thread if to else marker
        raw = mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return Letter(marker, thread, sender, message_id, raw, to is not None)

    def _marker(self, language: str) -> str:
        number = f"{self.name}{self.number:05d}"
        return f"目印{number}号です" if language == "ja" else f"marker {number}."

    def _body(
        self, language: str, charset: str, marker: str, attached: int
    ) -> MIMEMultipart | MIMEText:
        said = "\n\n".join(self.random.sample(self.texts[language], self.random.randint(2, 5)))
        text = _fit(f"{marker}\n\n{said}\n", charset)
        plain = MIMEText(text, "plain", charset)
        if not attached and self.random.random() < 0.5:
            return plain
        html = f"<html><body><p>{'</p><p>'.join(escape(text).split(chr(10)))}</p></body></html>"
        both = MIMEMultipart("alternative", _subparts=[plain, MIMEText(html, "html", charset)])
        if not attached:
            return both
        file = MIMEApplication(self.random.randbytes(attached), "pdf")
        file.add_header("Content-Disposition", "attachment", filename=f"{marker}.pdf")
        return MIMEMultipart("mixed", _subparts=[both, file])


def _fit(text: str, charset: str) -> str:
    """Without what the charset cannot say, as the sender's program would have refused it."""
    codec = {"iso-2022-jp": "iso2022_jp"}.get(charset, charset)
    return text.encode(codec, "ignore").decode(codec)


def openers(name: str, count: int) -> list[Letter]:
    """First mails only."""
    writer = Writer(name)
    return [writer.letter(kind) for kind in _kinds(writer, count)]


def backlog(name: str, count: int, answered: Sequence[Written]) -> list[Letter]:
    """Three of ten are replies: half to one of `answered`, half to an own mail before it; three
    of ten are Japanese; one of ten carries a file."""
    writer = Writer(name)
    kinds = _kinds(writer, count)
    attached = set(writer.random.sample(range(count), count // 10))
    replies = set(writer.random.sample(range(count // 5, count), count * 3 // 10))
    to_answers = list(answered[: len(replies) // 2])
    letters: list[Letter] = []
    own: list[Written] = []
    for place, kind in enumerate(kinds):
        to = None
        if place in replies:
            source = to_answers if to_answers and writer.random.random() < 0.5 else own
            to = source.pop(writer.random.randrange(len(source)))
        letter = writer.letter(kind, to=to, attached=place in attached)
        letters.append(letter)
        if to is None:
            own.append(Written(letter.thread, letter.sender, letter.message_id))
    return letters


def _kinds(writer: Writer, count: int) -> list[str]:
    share = {"ja iso-2022-jp": 0.15, "ja utf-8": 0.15, "de utf-8": 0.2, "de iso-8859-1": 0.1}
    kinds = [kind for kind, part in share.items() for _ in range(int(count * part))]
    kinds += ["en utf-8"] * (count - len(kinds))
    writer.random.shuffle(kinds)
    return kinds
