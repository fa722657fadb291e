"""Whatever an agent writes becomes a mail that relays leave alone and programs read back."""

import base64
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import OutboundFile, Party, Ref, RefKind
from tests.channels.email.test_email_compose import MESSAGE, field, read, sent

LINE = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\n\x00"), max_size=300
)
WRITTEN = st.text(
    st.one_of(
        st.sampled_from('aß佐ｶ€😀👩‍👩‍👧 \t,;"\\<>@=?_()'),
        st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]),
    ),
    max_size=200,
)
ID = st.from_regex(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,200}@[a-z0-9.-]{1,60}", fullmatch=True)
FOREIGN = ID.filter(lambda one: not one.startswith("t."))
TOKEN = st.from_regex(r"[A-Za-z0-9_-]{1,30}|[A-Za-z0-9_-]{120}", fullmatch=True)
TAG = st.from_regex(r"[0-9a-z]{1,40}-[0-9]{1,6}-[a-z2-7]{26}", fullmatch=True)
BREAKS = st.tuples(WRITTEN, st.sampled_from("\r\n\x00"), WRITTEN).map("".join)


def parsed(body: bytes) -> EmailMessage:
    found = message_from_bytes(body, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def head(body: bytes) -> str:
    return body.partition(b"\r\n\r\n")[0].decode("ascii")


def visible(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=80, deadline=None)
@given(subject=WRITTEN, name=WRITTEN, text=LINE, files=st.lists(WRITTEN, max_size=2))
def test_every_line_is_short_and_plain(
    subject: str, name: str, text: str, files: list[str]
) -> None:
    made = tuple(OutboundFile(one, "text/plain", b"x") for one in files)
    person = (Party("email", "a@example.org", name),)

    body = sent(subject=subject, to=person, sender_name=name, text=text, files=made)

    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    assert body.isascii()
    fields = re.split(r"\r\n(?![ \t])", head(body))
    assert all(re.match(r"[A-Za-z-]+: ", one) for one in fields)
    assert all(line.strip() for line in head(body).split("\r\n"))


@settings(max_examples=80, deadline=None)
@given(subject=WRITTEN, name=WRITTEN)
def test_subject_and_names_are_read_back(subject: str, name: str) -> None:
    body = sent(subject=subject, to=(Party("email", "a@example.org", name),), sender_name="")

    found = parsed(body)
    assert visible(str(found["Subject"] or "")) == visible(subject)
    assert found["To"].addresses[0].addr_spec == "a@example.org"


@settings(max_examples=80, deadline=None)
@given(value=WRITTEN, times=st.integers(1, 9))
def test_each_encoded_word_is_whole_by_itself(value: str, times: int) -> None:
    value *= times
    body = sent(subject=value, to=(Party("email", "a@example.org", value),))

    words = re.findall(r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=", head(body))
    for word in words:
        assert len(word) + 12 <= 75
        assert base64.b64decode(word, validate=True).decode("utf-8")
    assert all(len(line) <= 76 for line in head(body).split("\r\n") if "=?utf-8?b?" in line)


@settings(max_examples=80, deadline=None)
@given(earlier=st.lists(ID, max_size=40), answered=ID)
def test_references_are_whole_few_and_end_with_what_is_answered(
    earlier: list[str], answered: str
) -> None:
    body = sent(references=tuple(earlier), in_reply_to=answered)

    listed = (field(body, "References") or "").split()
    assert listed[-1] == f"<{answered}>"
    assert len(listed) <= 10
    assert len(listed) <= 2 or sum(len(one) + 1 for one in listed) <= 900
    of_the_ticket = listed[:1] if ".0." in listed[0] else []
    assert {*listed} - {*of_the_ticket} <= {f"<{one}>" for one in [*earlier, answered]}
    assert "=?" not in (field(body, "References") or "").replace(answered, "") or any(
        "=?" in one for one in earlier
    )


@settings(max_examples=60, deadline=None)
@given(
    token=TOKEN,
    others=st.tuples(st.lists(FOREIGN, max_size=3), st.lists(FOREIGN, max_size=3)),
    gap=st.sampled_from([" ", "", ", ", "\r\n ", "\r\n\t"]),
    place=st.sampled_from(["In-Reply-To", "References"]),
)
def test_our_token_comes_back_whatever_stands_around_it(
    token: str, others: tuple[list[str], list[str]], gap: str, place: str
) -> None:
    ours = (field(sent(token=token), "Message-ID") or "").strip("<>")
    named = gap.join(f"<{one}>" for one in [*others[0], ours, *others[1]])
    to = f"x@example.net,{gap}=?utf-8?q?=C3=A9?= <support+t.{token}@example.com>"

    found = read(f"From: a@b.test\r\nTo: {to}\r\n{place}:{gap or ' '}{named}\r\n\r\n".encode())

    assert [ref for ref in found.refs if ref.kind in {RefKind.ADDRESS_TOKEN, RefKind.ID_TOKEN}] == [
        Ref(RefKind.ADDRESS_TOKEN, token),
        Ref(RefKind.ID_TOKEN, token),
    ]


@settings(max_examples=40, deadline=None)
@given(tag=TAG, before=WRITTEN, after=WRITTEN, quoted=st.sampled_from(["", "> ", "> > ", ">>"]))
def test_our_tag_comes_back_whatever_stands_around_it(
    tag: str, before: str, after: str, quoted: str
) -> None:
    text = f"{before}\r\n{quoted}Ref: [#{tag}]\r\n{after}"
    head = "From: a@b.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"

    assert read((head + text).encode()).refs == (Ref(RefKind.TAG_TOKEN, tag),)


@settings(max_examples=60, deadline=None)
@given(bad=BREAKS, where=st.sampled_from(["subject", "sender_name", "to", "file", "unsubscribe"]))
def test_nothing_that_is_typed_becomes_a_field_of_its_own(bad: str, where: str) -> None:
    cases: dict[str, dict[str, Any]] = {
        "subject": {"subject": bad},
        "sender_name": {"sender_name": bad},
        "to": {"to": (Party("email", "a@example.org", bad),)},
        "file": {"files": (OutboundFile(bad, "text/plain", b""),)},
        "unsubscribe": {"unsubscribe_url": f"https://x.test/{bad}"},
    }

    try:
        sent(**cases[where])
    except ValueError:
        return
    raise AssertionError(f"{where} took {bad!r}")


@settings(max_examples=60, deadline=None)
@given(name=st.text(st.sampled_from("請求書aß .-_()😀"), min_size=1, max_size=80))
def test_names_of_files_are_read_back(name: str) -> None:
    body = sent(files=(OutboundFile(name, "application/pdf", b"x"),))

    [part] = parsed(body).iter_attachments()
    assert visible(str(part.get_filename())) == visible(name)
    assert MESSAGE.files == ()
