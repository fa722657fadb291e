"""Whose word on a sender is taken: our own mail server's, and nobody's who only writes like it."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import InboundMessage, Party, Raw, Verdicts
from channels.email import authenticity, channel
from channels.email.config import EmailConfig
from channels.email.headers import Headers
from channels.email.known import Trust
from channels.email.origin import ANOTHER, ELSEWHERE, SEVERAL

CONFIG = EmailConfig(address="support@shop.test")
GOOGLE = CONFIG.model_copy(update={"trusted_servers": "mx.google.com"})
OWN = CONFIG.model_copy(update={"trusted_servers": "mail.shop.test"})
EXCHANGE = CONFIG.model_copy(update={"exchange_online": True})

FORGED = "Authentication-Results: {}; spf=pass; dkim=pass header.d=good.test; dmarc=pass"
AT_GOOGLE = """\
Delivered-To: support@shop.test
Received: by 2002:a05:6402:1d11:b0:5c9 with SMTP id x; Fri, 20 Nov 2026 01:30:00 -0800 (PST)
ARC-Authentication-Results: i=1; mx.google.com; dmarc=fail
Received: from mail.good.test (mail.good.test. [192.0.2.7]) by mx.google.com with ESMTPS id 7
Received-SPF: pass (google.com: domain of a@good.test designates 192.0.2.7 as permitted sender)
Authentication-Results: mx.google.com;
       dkim=pass header.i=@good.test header.s=k1 header.b="x;dmarc=fail";
       spf=pass (google.com: domain of a@good.test; dmarc=fail) smtp.mailfrom=a@good.test;
       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=good.test
"""
AT_EXCHANGE = """\
Received: from A.eurprd02.prod.outlook.com (2603:10a6:20b:1::1) by B.eurprd02.prod.outlook.com
 (2603:10a6:20b:2::2) with HTTPS; Fri, 20 Nov 2026 09:30:00 +0000
Authentication-Results: spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=good.test; dkim=pass
 (signature was verified) header.d=good.test;dmarc=pass action=none
 header.from=good.test;compauth=pass reason=100
Received-SPF: Pass (protection.outlook.com: domain of good.test designates 192.0.2.7)
Received: from mail.good.test (192.0.2.7) by DB5EUR01FT012.mail.protection.outlook.com (10.1.2.3)
"""
OUR_TWO = """\
Authentication-Results: MAIL.shop.test 1; dmarc=fail (p=none dis=none) header.from=good.test
Authentication-Results: mail.shop.test; spf=softfail smtp.mailfrom=good.test; dkim=none
Received: from mail.good.test by mail.shop.test (Postfix) with ESMTP id 7
"""

CASES: dict[str, tuple[EmailConfig, str, Verdicts]] = {
    "Google": (GOOGLE, AT_GOOGLE, Verdicts("pass", "pass", "good.test", "pass")),
    "Exchange Online": (
        EXCHANGE,
        AT_EXCHANGE,
        Verdicts("pass", "pass", "good.test", "pass", "pass"),
    ),
    "two fields of our own server": (OWN, OUR_TWO, Verdicts(spf="fail", dmarc="fail")),
    "somebody else's name": (GOOGLE, FORGED.format("mx.evil.test"), Verdicts()),
    "no name where one is wanted": (
        GOOGLE,
        "Authentication-Results: spf=pass; dmarc=pass",
        Verdicts(),
    ),
    "a name where none is wanted": (EXCHANGE, FORGED.format("mx.google.com"), Verdicts()),
    "our name below a Received that is not ours": (
        OWN,
        "Received: from x by relay.evil.test with SMTP\n" + FORGED.format("mail.shop.test"),
        Verdicts(),
    ),
    "our name forged below ours": (
        OWN,
        OUR_TWO + FORGED.format("mail.shop.test"),
        Verdicts(spf="fail", dmarc="fail"),
    ),
    "our name forged below the field of Google": (
        GOOGLE,
        AT_GOOGLE.replace("dmarc=pass", "dmarc=fail") + FORGED.format("mx.google.com"),
        Verdicts("pass", "pass", "good.test", "fail"),
    ),
    "forged below for a check that our own server did not make": (
        GOOGLE,
        AT_GOOGLE.replace("dmarc=pass", "arc=pass") + FORGED.format("mx.google.com"),
        Verdicts("pass", "pass", "good.test"),
    ),
    "our Received forged as well": (
        GOOGLE,
        AT_GOOGLE.replace("dmarc=pass", "dmarc=fail")
        + "Received: from x by mx.google.com with SMTP\n"
        + FORGED.format("mx.google.com"),
        Verdicts("pass", "pass", "good.test", "fail"),
    ),
    "no name, forged below that of Exchange Online": (
        EXCHANGE,
        AT_EXCHANGE.replace("dmarc=pass", "dmarc=fail")
        + "Authentication-Results: spf=pass; dmarc=pass",
        Verdicts("pass", "pass", "good.test", "fail", "pass"),
    ),
    "about another sender": (
        OWN,
        "Authentication-Results: mail.shop.test; dmarc=pass header.from=other.test",
        Verdicts(),
    ),
    "in words that say nothing": (
        OWN,
        "Authentication-Results: mail.shop.test; spf=neutral; dkim=temperror; dmarc=bestguesspass",
        Verdicts(),
    ),
    "one of two signatures holds": (
        OWN,
        (
            "Authentication-Results: mail.shop.test; dkim=fail header.d=list.test;"
            " dkim=pass header.d=good.test"
        ),
        Verdicts(dkim="pass", dkim_domain="good.test"),
    ),
    "two that disagree": (
        OWN,
        "Authentication-Results: mail.shop.test; dmarc=pass; dmarc=fail",
        Verdicts(dmarc="fail"),
    ),
    "none at all": (OWN, "Received: from x by mail.shop.test", Verdicts()),
}


def read(head: str, config: EmailConfig = CONFIG, **changes: Any) -> InboundMessage:
    mail = f"{head.strip()}\nSubject: x\n\nHello".replace("\n", "\r\n").encode()
    (message,) = channel.parse(config, Raw("x", mail, **changes))
    assert isinstance(message, InboundMessage)
    return message


@pytest.mark.parametrize(("config", "head", "verdicts"), CASES.values(), ids=CASES)
def test_what_our_own_server_wrote_counts_and_nothing_else(
    config: EmailConfig, head: str, verdicts: Verdicts
) -> None:
    head = f"{head.strip()}\nFrom: a@good.test"

    assert read(head, config).verdicts == verdicts
    assert read(head).verdicts is None


def test_names_are_told_apart_however_they_are_written() -> None:
    config = EmailConfig(
        address="support@shop.test", trusted_servers=" MX.google.com;mail.shop.test , mx.google.com"
    )

    assert config.trusted_servers == "mx.google.com, mail.shop.test"
    assert config.known.trust == Trust(("mx.google.com", "mail.shop.test"))
    assert config.known.writers == ()


PIECES = st.lists(
    st.sampled_from(
        [
            *("mail.shop.test", "mail.evil.test", "by ", "by localhost", "from x ", "1", "\r\n "),
            *("spf=pass", "dkim=pass header.d=good.test", "dmarc=pass", "compauth=pass", "= "),
            *(";", "; ", " ", "(", ")", '"', "\\", "\x00", "é", ".", "@good.test"),
        ]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=200)
@given(st.text(max_size=300) | PIECES, st.text(max_size=300) | PIECES)
def test_no_field_falls_over_or_is_believed_by_accident(name: str, field: str) -> None:
    headers = Headers([("Received", name), ("Authentication-Results", field)])

    found = authenticity.verdicts_of(headers, Trust(("mail.shop.test",)), "a@good.test")

    assert found is not None
    named = re.search(r"mail\.shop\.test", field, re.IGNORECASE)
    assert named is not None or found == Verdicts()


def test_fields_of_our_own_kind_in_a_mail_of_others_are_nothing() -> None:
    plain = read("From: a@good.test\nMessage-ID: <1@good.test>")

    marked = read(
        "From: a@good.test\nMessage-ID: <1@good.test>\nX-Setten-Ticket: 1\nX-Setten-Owner: ann\n"
        "X-Setten-Status: resolved\nX-Setten-Verdicts: dmarc=pass\nX-Setten-Loop: elsewhere@x.test",
    )

    assert (plain.machine, marked.machine) == ("", "auto_reply")  # another Setten's, and no more
    assert marked.canonical == plain.canonical
    assert (marked.refs, marked.verdicts, marked.sender) == ((), None, plain.sender)


SAID = "Authentication-Results: mail.shop.test; dmarc={} header.from={}\n"
EVE_PASSES = SAID.format("pass", "evil.test")
YUMI_FAILS = SAID.format("fail", "customers.test")
HERS, EVES = "yumi@customers.test", "eve@evil.test"

AMBIGUOUS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    # the mail; whom it is filed under; what is said of that; and what is warned of
    "two addresses": (f"{EVE_PASSES}From: {HERS}, {EVES}", EVES, "pass", (SEVERAL,)),
    "two fields": (f"{EVE_PASSES}From: {HERS}\nFrom: {EVES}", EVES, "pass", (SEVERAL,)),
    "two in brackets": (f"{EVE_PASSES}From: <{HERS}> <{EVES}>", EVES, "pass", (SEVERAL,)),
    "two in a group": (f"{EVE_PASSES}From: all: {HERS};, {EVES}", EVES, "pass", (SEVERAL,)),
    "two of one house": (
        f"{SAID.format('pass', 'customers.test')}From: {HERS}, x@customers.test", HERS, "pass",
        (SEVERAL,),
    ),
    "two, of whom one fails": (
        f"{SAID.format('fail', 'evil.test')}From: {HERS}, {EVES}", HERS, "fail", (SEVERAL,),
    ),
    "two, of whom the proved one comes first": (
        f"{SAID.format('pass', 'customers.test')}From: {HERS}, {EVES}", HERS, "pass", (SEVERAL,),
    ),
    "two, and a word on each": (
        (
            "Authentication-Results: mail.shop.test; dmarc=pass header.from=evil.test;"
            f" dmarc=fail header.from=customers.test\nFrom: {HERS}, {EVES}"
        ),
        EVES, "fail", (SEVERAL,),
    ),
    "two, and a word on nobody": (
        f"Authentication-Results: mail.shop.test; dmarc=pass\nFrom: {HERS}, {EVES}", HERS, "",
        (SEVERAL,),
    ),
    "nobody, but a Sender": (
        f"{EVE_PASSES}From: <>\nSender: {HERS}", HERS, "", (ELSEWHERE, ANOTHER),
    ),
    "nobody, but a Reply-To": (f"From: Yumi\nReply-To: {HERS}", HERS, "", (ELSEWHERE,)),
    "no From, but a Return-Path": (f"Return-Path: <{HERS}>", HERS, "", (ELSEWHERE,)),
    "another passed": (f"{EVE_PASSES}From: {HERS}", HERS, "", (ANOTHER,)),
    "another has no policy": (
        f"{SAID.format('none', 'evil.test')}From: {HERS}", HERS, "", (ANOTHER,),
    ),
    "another failed": (f"{SAID.format('fail', 'evil.test')}From: {HERS}", HERS, "fail", (ANOTHER,)),
}  # fmt: skip


@pytest.mark.parametrize(("head", "sender", "dmarc", "warnings"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_whoever_may_not_be_the_one_who_was_checked_is_not_proved(
    head: str, sender: str, dmarc: str, warnings: tuple[str, ...]
) -> None:
    found = read(head, OWN)

    assert (found.sender.value, found.unproved, found.warnings) == (sender, True, warnings)
    assert found.verdicts is not None
    assert found.verdicts.dmarc == dmarc


def test_several_senders_are_doubtful_where_no_server_is_trusted_as_well() -> None:
    found = read(f"From: {HERS}, {EVES}")

    assert (found.sender.value, found.unproved, found.warnings) == (HERS, True, (SEVERAL,))


@pytest.mark.parametrize(
    "sender",
    [
        "yumi@customers.test.",
        "Yumi <YUMI@Customers.Test>, yumi@customers.test",
        "yumi@customers.test\nFrom: Yumi <yumi@customers.test>",
        "yumi@mail.customers.test",
    ],
)
def test_one_sender_however_often_or_however_written_is_one(sender: str) -> None:
    for word in ("pass", "none"):
        found = read(f"{SAID.format(word, 'customers.test')}From: {sender}", OWN)
        assert (found.unproved, found.warnings) == (False, ())


@pytest.mark.parametrize(
    ("sender", "named"),
    [
        ("a@good.test.", "good.test."),
        ("a@good.test", "GOOD.test."),
        ("a@bücher.test", "bücher.test"),
        ("a@xn--bcher-kva.test", "bücher.test"),
        ("a@bücher.test", "xn--bcher-kva.test"),
        ("a@good.test", "<a@good.test>"),
        ("a@mail.good.test", "good.test"),
    ],
)
def test_what_fails_fails_however_the_domain_is_written(sender: str, named: str) -> None:
    found = read(f"{SAID.format('fail', named)}From: {sender}", OWN)

    assert (found.verdicts, found.warnings) == (Verdicts(dmarc="fail"), ())


def test_what_passed_above_a_domain_did_not_pass_for_it() -> None:
    found = read(f"{SAID.format('pass', 'good.test')}From: a@mail.good.test", OWN)

    assert (found.verdicts, found.unproved) == (Verdicts(), False)


def test_a_group_that_wrote_from_anew_after_the_check_is_not_another_sender() -> None:
    config = OWN.model_copy(update={"senders_for_others": "team@lists.test"})
    head = (
        "From: 'Yumi' via Team <team@lists.test>\nX-Original-From: Yumi <yumi@customers.test>\n"
        "List-ID: <team.lists.test>"
    )

    passed = read(f"{SAID.format('pass', 'customers.test')}{head}", config)
    failed = read(f"{SAID.format('fail', 'customers.test')}{head}", config)

    assert (passed.sender.value, passed.unproved, passed.warnings) == (HERS, False, ())
    assert failed.verdicts == Verdicts(dmarc="fail", unproved=True)


GROUP = CONFIG.model_copy(update={"senders_for_others": "form@shop.test, team@lists.test"})
YUMI = Party("email", "yumi@customers.test", "Yumi")


@pytest.mark.parametrize(
    ("head", "sender", "unproved", "machine"),
    [
        ("From: Form <form@shop.test>\nReply-To: Yumi <yumi@customers.test>", YUMI, True, ""),
        (
            (
                "From: FORM@shop.test\nReply-To: support@shop.test, Yumi <yumi@customers.test>\n"
                "Auto-Submitted: auto-generated"
            ),
            YUMI,
            True,
            "",
        ),
        (
            (
                "From: 'Yumi' via Team <team@lists.test>\n"
                "X-Original-From: Yumi <yumi@customers.test>\n"
                "Reply-To: Other <other@customers.test>\n"
                "List-ID: <team.lists.test>\nPrecedence: list"
            ),
            YUMI,
            False,
            "",
        ),
        (
            (
                "From: team@lists.test\nX-Original-From: Yumi <yumi@customers.test>\n"
                "Auto-Submitted: auto-replied"
            ),
            YUMI,
            False,
            "auto_reply",
        ),
        ("From: form@shop.test", Party("email", "form@shop.test"), False, ""),
        (
            "From: form@shop.test\nReply-To: form@shop.test",
            Party("email", "form@shop.test"),
            False,
            "",
        ),
        # Anybody can name others: only those that are known to write for them are believed.
        (
            (
                "From: eve@elsewhere.test\nX-Original-From: Yumi <yumi@customers.test>\n"
                "Reply-To: Yumi <yumi@customers.test>"
            ),
            Party("email", "eve@elsewhere.test"),
            False,
            "",
        ),
    ],
)
def test_who_writes_for_others_is_not_the_sender(
    head: str, sender: Party, unproved: bool, machine: str
) -> None:
    message = read(head, GROUP)

    assert (message.sender, message.unproved, message.machine) == (sender, unproved, machine)
    assert message.reply_to in {None, Party("email", "other@customers.test", "Other"), YUMI}
