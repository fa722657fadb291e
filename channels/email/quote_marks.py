"""Where a quotation begins in plain text, by the lines that mail programs write above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from channels.email import quote_words as words

# Only so many lines are looked at, each of bounded length, so the whole is linear.
MAX_LINE = 400
MAX_CANDIDATES = 1000

_INVISIBLE = str.maketrans("", "", "\u200b\u200e\u200f")  # some programs put them around digits
_MARKS = frozenset(">\uff1e")  # the second as Japanese keyboards have it
_RULERS = frozenset("-_=*~#─━—–－―")


@dataclass(frozen=True, slots=True)
class Start:
    """The line a quotation begins at."""

    line: int
    marked: bool = False  # by > in front of its lines, so that answers between them can be told
    certain: bool = False  # a block a program writes above a whole mail: nothing below is new


def find(lines: Sequence[str]) -> Start | None:
    tail = _marked_tail(lines)
    candidates = 0
    for at, whole in enumerate(lines):
        if at == tail:
            # "<ann@example.org\n> wrote:" is no mark.
            return _attribution(lines, at) or Start(at, marked=True)
        line = whole[:MAX_LINE].strip()
        if not line:
            continue
        closes = (line[-1] in ":：" or _is_dated(line)) and len(whole) <= MAX_LINE
        if not closes and line[0] not in _RULERS and not {":", "："} & set(line[:20]):
            continue
        candidates += 1
        if candidates > MAX_CANDIDATES:
            continue
        found = _above(lines, at, line) or (_attribution(lines, at) if closes else None)
        if found:
            return found
    return None


def _is_dated(line: str) -> bool:
    return line[-1] == ">" and words.DATED_SENDER.match(line) is not None


def is_marked(line: str) -> bool:
    return line[:4].lstrip()[:1] in _MARKS


def _above(lines: Sequence[str], at: int, line: str) -> Start | None:
    """What stands above a mail that is passed on or answered as a whole."""
    if words.RULE.match(line) or words.ABOVE_THIS.match(line) or _is_header_block(lines, at):
        return Start(at, certain=True)
    begins = words.BEGINS.match(line) is not None
    if begins or words.RULER.match(line):
        # Any other line further above closes the box around a signature.
        reach = at + 5 if begins or line[0] == "_" else at + 2
        following = next((n for n in range(at + 1, min(reach, len(lines))) if lines[n].strip()), 0)
        if following and (begins and _field(lines[following])):
            return Start(at, certain=True)
        if following and _is_header_block(lines, following):
            return Start(at, certain=True)
    return None


def _field(line: str) -> tuple[str, str] | None:
    text = line[:MAX_LINE].lstrip("> \t\u3000")
    return words.field(text if text.isascii() else text.translate(_INVISIBLE))


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """Sender, date and subject of a mail one below the other, as programs write them."""
    if _field(lines[at]) is None:
        return False
    names: list[str] = []
    is_mail = named = open_list = False
    below = at
    loose = 0  # a long list of recipients goes on in the next line; some programs leave gaps
    for number, line in enumerate(islice(lines, at, at + 16), at):
        found = _field(line)
        if found is None:
            loose += 1
            if loose > 4 or not (open_list or _continues(line[:MAX_LINE].lstrip("> \t\u3000"))):
                break
            continue
        name, value = found
        open_list = value.rstrip()[-1:] in {";", ","}
        names.append(name)
        below = number + 1
        # An address, an hour beside a word that only programs use or, less surely, a subject.
        named |= name in words.MATTER
        is_mail |= "@" in value or (name in words.EXACTLY and bool(words.TIME.search(value)))
        is_mail |= name in words.WHEN and words.TIME.search(value) is not None
    # People list a sender, a day and a subject as well, in the middle of what they write.
    is_mail |= named and _stands_apart(lines, at, below)
    known = set(names)
    return is_mail and bool(known & words.SENDER and known & words.WHEN) and len(known) > 2


def _stands_apart(lines: Sequence[str], first: int, below: int) -> bool:
    above = not first or not lines[first - 1].strip() or _is_ruler(lines[first - 1])
    return above and (below >= len(lines) or not lines[below].strip())


def _is_ruler(line: str) -> bool:
    text = line[:MAX_LINE].strip()
    return any(sign.match(text) for sign in (words.RULER, words.RULE, words.BEGINS))


@dataclass(frozen=True, slots=True)
class Head:
    """The fields a program writes above a mail that is passed on."""

    sender: str
    sent: str
    subject: str
    below: int  # the line at which that mail itself begins
    says_so: bool  # that it is passed on; a mail that is answered may have the same fields


def head_at(lines: Sequence[str], start: int) -> Head | None:
    """Where a quotation begins there with such fields; the lines without marks in front."""
    says_so = False
    for at in range(start, min(start + 5, len(lines))):
        if _is_header_block(lines, at):
            return _head(lines, at, says_so=says_so)
        says_so = says_so or words.PASSED_ON.search(lines[at][:MAX_LINE]) is not None
    return None


def _head(lines: Sequence[str], at: int, *, says_so: bool) -> Head:
    values: dict[str, str] = {}
    last = at
    for number in range(at, min(at + 16, len(lines))):
        found = _field(lines[number])
        if found is None and not lines[number].strip():
            if number > last + 1 or len(values) > 2:
                break
            continue
        if found is None and not _continues(lines[number][:MAX_LINE]):
            break
        last = number
        if found is not None:
            values.setdefault(found[0], found[1].strip(" \t*"))

    def first(names: frozenset[str]) -> str:
        return next((value for name, value in values.items() if name in names), "")

    return Head(first(words.SENDER), first(words.WHEN), first(words.MATTER), last + 1, says_so)


def _continues(text: str) -> bool:
    """Whether this looks like more recipients: addresses, or names between semicolons."""
    return not text.strip() or "@" in text or text.rstrip()[-1:] in {";", ",", ">"}


def _attribution(lines: Sequence[str], at: int) -> Start | None:
    """“On … wrote:” in any of its forms; programs break it over up to three lines."""
    for start in (at - 2, at - 1, at):
        if start < 0 or (start < at and not all(lines[n].strip() for n in range(start, at))):
            continue
        if is_marked(lines[start]):
            continue
        joined = " ".join(lines[n][:MAX_LINE].strip() for n in range(start, at + 1))[:MAX_LINE]
        if start < at and not words.OPENER.match(joined):
            continue
        if found := _judge(lines, start, at, joined):
            return found
    return None


def _judge(lines: Sequence[str], start: int, at: int, joined: str) -> Start | None:
    if words.VIA.match(joined) or words.SAN_WROTE.match(joined) or words.DATED_SENDER.match(joined):
        return Start(start)
    says = words.ENDS_SAYING.search(joined[-60:]) or words.SAYS_WHEN.match(joined)
    address, opens = words.ADDRESS.search(joined), words.OPENER.match(joined)
    hour, day = words.TIME.search(joined), words.DATE.search(joined)
    if not (says or address or (opens and hour)):
        return None
    marked = _is_marked_below(lines, at + 1)
    if marked and (says or opens or address or words.VERB.search(joined)):
        return Start(start, marked=True)
    # Without marks below, only what no person types will do, and nobody quotes themselves so.
    if words.OURSELVES.search(joined):
        return None
    dated = hour and day
    if (address and dated and opens) or (says and (address or dated)):
        return Start(start)
    if opens and (
        (dated and words.VERB.search(joined)) or (says and words.YEAR_COMMA.search(joined))
    ):
        return Start(start)
    return None


def _is_marked_below(lines: Sequence[str], at: int) -> bool:
    for line in islice(lines, at, at + 4):
        if line.strip():
            return is_marked(line) or line.lstrip()[:2] == "| "
    return False


def _marked_tail(lines: Sequence[str]) -> int:
    """Where the marked lines at the very end begin; past the end when they are no quotation."""
    start, count, at = len(lines), 0, _without_footer(lines)
    while at:
        at -= 1
        if is_marked(lines[at]):
            start, count = at, count + 1
        elif lines[at].strip():
            break
    introduced = lines[at][-MAX_LINE:].rstrip()
    # "The screen says:" above two marked lines is the writer's own citation.
    said = introduced[-1:] in {":", "："} and not (
        words.VERB.search(introduced) or words.ADDRESS.search(introduced)
    )
    return start if count > 1 and not said else len(lines)


def _without_footer(lines: Sequence[str]) -> int:
    """Above what stands below everything: a short signature, or how to leave a list."""
    below, at = 0, len(lines)
    while at and below < 6:
        at -= 1
        line = lines[at][:MAX_LINE].rstrip()
        if line == "--" or (line[:1] == "_" and words.RULER.match(line)):
            return at
        below += bool(line)
    return len(lines)


def is_answered_between(lines: Sequence[str]) -> bool:
    """Whether somebody wrote on below marked lines, as in an answer point by point."""
    marked = False
    for line in lines[: _without_footer(lines)]:
        if is_marked(line) or line.lstrip()[:2] == "| ":
            marked = True
        elif marked and line.strip():
            return True
    return False
