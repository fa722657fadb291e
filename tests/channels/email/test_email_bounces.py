"""What did not arrive: reports with fields, and letters of servers that only write."""

import time

import pytest

from channels.contract import Failure, Report
from channels.email.ladder import read


def mail(fields: str, body: str) -> bytes:
    return f"{fields}\nMessage-ID: <1@x.test>\n\n{body}".replace("\n", "\r\n").encode()


def report(fields: str, returned: str = "") -> bytes:
    head = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.test\nTo: help@shop.test\nSubject: Undelivered\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    )
    body = f"--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\n{fields}\n"
    return mail(head, f"{body}{returned}\n--b--\n")


WHOLE = "--b\nContent-Type: message/rfc822\n\nMessage-ID: <sent.1@shop.test>\nSubject: s\n\nbody"
HEAD_ONLY = "--b\nContent-Type: text/rfc822-headers\n\nSubject: s\nMessage-Id: <sent.1@shop.test>"
MTA = "Reporting-MTA: dns; mx.test\n\n"
FIELDS = {
    "failed for good": (
        MTA + "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\n",
        "bounce_hard",
        Failure("a@b.test", "failed", "5.1.1", hard=True),
    ),
    "failed in passing": (
        MTA + "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 4.4.7",
        "bounce_soft",
        Failure("a@b.test", "failed", "4.4.7", hard=False),
    ),
    "a full mailbox is no wrong address": (
        MTA + "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.2.2",
        "bounce_soft",
        Failure("a@b.test", "failed", "5.2.2", hard=False),
    ),
    "delayed": (
        MTA + "Final-Recipient: RFC822; <a@b.test>\nAction: delayed (retrying)\nStatus: 4.4.1 (no)",
        "delay",
        Failure("a@b.test", "delayed", "4.4.1", hard=False),
    ),
    "forwarded before it failed": (
        MTA + "Original-Recipient: rfc822;a@b.test\nFinal-Recipient: rfc822;c@d.test\n"
        "Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;\n 550 5.1.1 no such\n user",
        "bounce_hard",
        Failure("c@d.test", "failed", "5.1.1", True, "a@b.test", "550 5.1.1 no such user"),
    ),
    "neither action nor status": (
        MTA + "Final-Recipient: rfc822; a@b.test\nDiagnostic-Code: smtp; 452 4.2.2 full",
        "bounce_soft",
        Failure("a@b.test", "failed", "4.2.2", hard=False, words="452 4.2.2 full"),
    ),
}


RENAMED = HEAD_ONLY.replace("<sent.1", "<1.of-the-relay") + "\nX-Setten-Id: <sent.1@shop.test>"


@pytest.mark.parametrize("returned", [WHOLE, HEAD_ONLY, RENAMED], ids=["whole", "head", "renamed"])
@pytest.mark.parametrize(("fields", "kind", "failure"), FIELDS.values(), ids=FIELDS)
def test_a_report_says_where_and_what(
    fields: str, kind: str, failure: Failure, returned: str
) -> None:
    found = read(report(fields, returned))

    assert found.kind == kind
    assert found.report == Report((failure,), "sent.1@shop.test")


def test_one_report_tells_of_several_recipients_and_the_worst_decides() -> None:
    groups = [
        MTA.strip(),
        "Final-Recipient: rfc822; a@b.test\nAction: delayed\nStatus: 4.0.0",
        "Final-Recipient: rfc822; c@d.test\nAction: failed\nStatus: 5.1.10",
    ]

    found = read(report("\n\n".join(groups)))

    assert found.kind == "bounce_hard"
    assert found.report == Report(
        (
            Failure("a@b.test", "delayed", "4.0.0", hard=False),
            Failure("c@d.test", "failed", "5.1.10", hard=True),
        )
    )


DAEMON = "From: MAILER-DAEMON@mx.test\nTo: help@shop.test\nSubject: "
LETTERS = {
    "exim": (
        (
            "X-Failed-Recipients: a@b.test\nFrom: Mail Delivery System <Mailer-Daemon@mx.test>\n"
            "Subject: Mail delivery failed: returning message to sender"
        ),
        (
            "A message that you sent could not be delivered to one or more of its recipients.\n"
            "The following address(es) failed:\n\n  a@b.test\n    host mx.b.test [192.0.2.1]\n"
            "    SMTP error from remote mail server after RCPT TO:<a@b.test>:\n"
            "    550 5.1.1 <a@b.test>: Recipient address rejected: User unknown\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            "Message-ID: <sent.1@shop.test>\nTo: a@b.test, c@d.test\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "qmail": (
        DAEMON + "failure notice",
        (
            "Hi. This is the qmail-send program at mx.test.\nI wasn't able to deliver.\n\n"
            "<a@b.test>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            "--- Below this line is a copy of the message.\n\nReturn-Path: <help@shop.test>\n"
            "Message-ID: <sent.1@shop.test>\nTo: c@d.test\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "postfix, plain": (
        DAEMON + "Undelivered Mail Returned to Sender",
        (
            "I'm sorry to have to inform you that your message could not be delivered.\n\n"
            "<a@b.test>: host mx.b.test[192.0.2.1] said: 552 5.2.2 Over quota (in reply to\n"
            "    RCPT TO command)\n\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "bounce_soft",
        ("a@b.test", "failed", "5.2.2", False),
    ),
    "exchange": (
        (
            "From: Microsoft Exchange <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@x.test>\n"
            "Return-Path: <>\nSubject: Undeliverable: Your order"
        ),
        (
            "Delivery has failed to these recipients or groups:\n\na@b.test (a@b.test)\n"
            "The e-mail address you entered couldn't be found.\n\n"
            "Diagnostic information for administrators:\n\nServer: mx.x.test\n\na@b.test\n"
            "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\n"
            "Message-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "exchange of old": (
        "From: System Administrator <postmaster@x.test>\nSubject: Undeliverable: Your order",
        (
            "Your message did not reach some or all of the intended recipients.\n\n"
            "      Subject: Your order\n      Sent: 2007/01/01 1:01\n\n"
            "The following recipient(s) could not be reached:\n\n"
            "      'a@b.test' on 2007/01/01 1:01\n"
            "            The e-mail account does not exist at the organization.\n"
            "            <mail.b.test #5.1.1>\n\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "domino": (
        "From: postmaster@x.test\nSubject: DELIVERY FAILURE: User a not listed in Directory",
        (
            "Your message\n\n  Subject: Your order\n\nwas not delivered to:\n\n  a@b.test\n\n"
            "because:\n\n  User a (a@b.test) not listed in Domino Directory\n\n"
            "Message-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "gmail of old": (
        (
            "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n"
            "Subject: Delivery Status Notification (Failure)"
        ),
        (
            "Delivery to the following recipient failed permanently:\n\n     a@b.test\n\n"
            "Technical details of permanent failure:\nThe error that the other server returned\n"
            "was: 550 550 Unknown user\n\n----- Original message -----\n\n"
            "To: c@d.test\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@b.test", "failed", "5.1.1", True),
    ),
    "docomo": (
        (
            "From: Mail Delivery Subsystem <MAILER-DAEMON@docomo.ne.jp>\nSubject: Returned mail: "
            "User unknown"
        ),
        (
            "The user(s) account is not known:\n\n<a..b@docomo.ne.jp>: 550 Unknown user\n\n"
            "Message-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a..b@docomo.ne.jp", "failed", "5.1.1", True),
    ),
    "au": (
        "From: Postmaster@ezweb.ne.jp\nReturn-Path: <>\nSubject: Mail System Error - Returned Mail",
        (
            "The following recipients were rejected by the server:\n\n"
            "Recipient: <a@ezweb.ne.jp>\nReason: <a@ezweb.ne.jp>: User unknown\n\n"
            "Message-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@ezweb.ne.jp", "failed", "5.1.1", True),
    ),
    "in Japanese": (
        "From: postmaster@softbank.ne.jp\nSubject: 配信エラーのお知らせ",
        (
            "次の宛先へのメールは配信できませんでした。\n\n宛先: a@softbank.ne.jp\n"
            "理由: 宛先のアドレスが存在しません。\n\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "bounce_hard",
        ("a@softbank.ne.jp", "failed", "5.1.1", True),
    ),
    "in German": (
        "From: postmaster@x.test\nReturn-Path: <>\nSubject: Unzustellbar: Ihre Anfrage",
        (
            "Ihre Nachricht konnte nicht zugestellt werden.\n\nEmpfänger: a@b.test\n"
            "Grund: Das Postfach ist voll.\n\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "bounce_soft",
        ("a@b.test", "failed", "4.2.2", False),
    ),
    "only late": (
        DAEMON + "Warning: message delayed 4 hours",
        (
            "This is a warning message only. You do not need to resend your message.\n\n"
            "  a@b.test\n\nWe will keep trying.\n\nMessage-ID: <sent.1@shop.test>\n"
        ),
        "delay",
        ("a@b.test", "delayed", "4.0.0", False),
    ),
}


@pytest.mark.parametrize(("fields", "body", "kind", "expected"), LETTERS.values(), ids=LETTERS)
def test_a_letter_is_understood_as_well(
    fields: str, body: str, kind: str, expected: tuple[str, str, str, bool]
) -> None:
    found = read(mail(fields, body), "help@shop.test")

    assert found.kind == kind
    assert found.report is not None
    assert found.report.original_id == "sent.1@shop.test"
    assert [(one.address, one.action, one.status, one.hard) for one in found.report.failures] == [
        expected
    ]


PEOPLE = {
    "answers a bounce": "From: a@b.test\nSubject: Re: Undelivered Mail Returned to Sender",
    "asks about delivery": "From: a@b.test\nSubject: Delivery has failed",
    "forwards one": "From: a@b.test\nSubject: Fwd: failure notice\nIn-Reply-To: <1@x.test>",
    "in Japanese": "From: a@b.test\nSubject: 配信エラーについて",
}


@pytest.mark.parametrize("fields", PEOPLE.values(), ids=PEOPLE)
def test_people_write_about_what_did_not_arrive(fields: str) -> None:
    body = "<c@d.test>: host mx.d.test said: 550 5.1.1 User unknown\n"

    found = read(mail(fields, body))

    assert (found.kind, found.report) == ("human", None)


def test_a_report_that_a_person_passes_on_is_an_inquiry() -> None:
    fields = "Final-Recipient: rfc822; sales@x.test\nAction: failed\nStatus: 5.1.1\n"
    head = "From: a@b.test\nSubject: Fwd: Undelivered\nContent-Type: multipart/mixed; boundary=b"
    body = f"--b\n\nWhat now?\n--b\nContent-Type: message/delivery-status\n\n{fields}\n--b--\n"

    found = [read(mail(start + head, body)) for start in ("", "Return-Path: <>\n")]

    assert [one.kind for one in found] == ["human", "bounce_hard"]


def test_a_bounce_without_details_is_a_bounce_of_nobody() -> None:
    found = read(mail(DAEMON + "Undelivered Mail Returned to Sender", "Sorry."))

    assert (found.kind, found.report) == ("bounce_hard", Report(()))


OWN = "t.abc-1-xyz.7.0a1b2c3d@shop.test"


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (OWN, OWN),
        (OWN.replace("-", "+2D"), OWN),  # handed back as it was written in the command
        ("4711", ""),
        (f"{OWN} and more", ""),
    ],
)
def test_a_report_without_the_mail_tells_what_we_called_it(told: str, known: str) -> None:
    fields = (
        f"Reporting-MTA: dns; mx.test\nOriginal-Envelope-Id: {told}\n\n"
        "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1"
    )

    found = read(report(fields)).report

    assert found is not None
    assert found.original_id == known


LOCAL = OWN.partition("@")[0]


def test_a_name_without_our_domain_is_completed_with_that_of_the_inbox() -> None:
    fields = (
        f"Reporting-MTA: dns; mx.test\nOriginal-Envelope-Id: {LOCAL}\n\n"
        "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1"
    )

    found = [read(report(fields), own).report for own in ("help@Shop.test", "")]

    assert [one and one.original_id for one in found] == [OWN, ""]


SORRY = "Your message could not be delivered.\n\n<a@b.test>:\nno such user\n"
EARLIER = "References: <t.abc-1-xyz.6.0a1b2c3d@shop.test>\n"
TOLD = {
    "below what qmail says, renamed by a relay": (
        "",
        (
            f"{SORRY}--- Below this line is a copy of the message.\n\n"
            f"Message-ID: <1.of-the-relay@x.test>\n{EARLIER}X-Setten-Id: <{OWN}>\n"
        ),
    ),
    "in a field that was folded": (
        "",
        f"{SORRY}\nOriginal message headers:\n{EARLIER}Message-ID:\n\t<{OWN}>\n",
    ),
    "quoted": ("", f"{SORRY}\n> Message-Id: <{OWN}>\n> To: a@b.test\n"),
    "as Exchange tells it to people": ("", f"{SORRY}\nDetails\nMessage ID: {OWN}\n"),
    "in Japanese": (
        "",
        f"次の宛先に配信できませんでした。\n\n宛先：a@b.test\nMessage-ID：<{OWN}>\n",
    ),
    "in a sentence": ("", f"{SORRY}\nThe mail 「{OWN}」 was rejected.\n"),
    "as what it answers": (f"\nIn-Reply-To: <{OWN}>", SORRY),
}


@pytest.mark.parametrize(("fields", "letter"), TOLD.values(), ids=TOLD)
def test_a_letter_names_our_mail_in_many_ways(fields: str, letter: str) -> None:
    found = read(mail(DAEMON + "Undelivered Mail Returned to Sender" + fields, letter)).report

    assert found is not None
    assert (found.original_id, [one.address for one in found.failures]) == (OWN, ["a@b.test"])


def test_of_two_mails_in_a_letter_none_is_guessed() -> None:
    two = f"{SORRY}\n{OWN}\n{OWN.replace('.7.', '.8.')}\n"

    found = read(mail(DAEMON + "Undelivered Mail Returned to Sender", two)).report

    assert found is not None
    assert found.original_id == ""


BESIDE = {
    "in another file": (
        "--b\nContent-Type: application/octet-stream; name=mail.eml\n"
        f"Content-Disposition: attachment\n\nMessage-ID: <1@x.test>\nX-Setten-Id: <{OWN}>\n"
    ),
    "in a report that a filter wrapped": (
        "--b\nContent-Type: message/rfc822\n\nMessage-ID: <dsn@x.test>\nSubject: Undelivered\n"
        f"Content-Type: text/plain\n\nSorry.\n\nMessage-ID: <{OWN}>\n"
    ),
    "in a field of their own": (
        f"--b\nContent-Type: message/delivery-status\n\nX-Original-Message-ID: <{OWN}>\n"
    ),
}


@pytest.mark.parametrize("part", BESIDE.values(), ids=BESIDE)
def test_a_report_names_our_mail_wherever_it_is_put(part: str) -> None:
    group = MTA + "Final-Recipient: rfc822; a@b.test\nAction: failed\nStatus: 5.1.1\n"

    found = read(report(group, part)).report

    assert found is not None
    assert found.original_id == OWN


def complaint(fields: str, returned: str = WHOLE) -> bytes:
    head = (
        "From: staff@provider.test\nTo: help@shop.test\nSubject: FW: s\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b"
    )
    body = f"--b\n\nSee below.\n--b\nContent-Type: message/feedback-report\n\n{fields}\n"
    return mail(head, f"{body}{returned}\n--b--\n")


@pytest.mark.parametrize(
    ("fields", "failures"),
    [
        (
            "Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <a@b.test>",
            (Failure("a@b.test", "complained", "", hard=False, words="abuse"),),
        ),
        (
            "Feedback-Type: opt-out\nUser-Agent: x/1",  # many do not say who it was
            (Failure("", "complained", "", hard=False, words="opt-out"),),
        ),
        ("Feedback-Type: not-spam\nOriginal-Rcpt-To: a@b.test", ()),
        ("Feedback-Type: auth-failure\nOriginal-Rcpt-To: a@b.test", ()),
    ],
)
def test_a_complaint_says_about_what_and_whose(fields: str, failures: tuple[Failure, ...]) -> None:
    found = read(complaint(fields))

    assert found.kind == "arf"
    assert found.report == Report(failures, "sent.1@shop.test")


@pytest.mark.parametrize("path", ["Return-Path: <>\n", ""], ids=["no way back", "not said"])
@pytest.mark.parametrize("action", ["relayed", "delivered", "expanded"])
def test_a_notice_that_it_went_on_is_no_bounce_and_says_to_whom(action: str, path: str) -> None:
    fields = f"{MTA}Final-Recipient: rfc822; a@b.test\nAction: {action}\nStatus: 2.0.0\n"
    found = read(report(fields, WHOLE).replace(b"Return-Path: <>\r\n", path.encode()))

    assert found.kind.machine == "auto_reply"
    assert found.report == Report(
        (Failure("a@b.test", action, "2.0.0", hard=False),), "sent.1@shop.test"
    )


MADE_OF = {
    "Exim": "  c@d.test\n    (generated from a@b.test)\n    550 5.1.1 no such user\n",
    "Exim, twice": "  c@d.test\n    (ultimately generated from a@b.test)\n    550 5.1.1 no such\n",
    "Sendmail": "<c@d.test>\n    (reason: 550 5.1.1 no user)\n    (expanded from: <a@b.test>)\n",
    "Postfix": "<c@d.test> (expanded from <a@b.test>): host mx.d.test said: 550 5.1.1 no\n",
}


@pytest.mark.parametrize("words", MADE_OF.values(), ids=MADE_OF)
def test_a_bounce_from_where_a_mail_was_passed_on_to_names_whom_it_was_for(words: str) -> None:
    letter = f"Your mail could not be delivered to these recipients:\n\n{words}"
    head = DAEMON + "Undelivered Mail"
    group = f"{MTA}Final-Recipient: rfc822;c@d.test\nAction: failed\nStatus: 5.1.1\n"
    with_fields = report(group).replace(b"Sorry.", letter.replace("\n", "\r\n").encode())

    for found in (read(mail(head, letter)), read(with_fields)):
        assert found.report is not None
        told = [(one.address, one.original, one.status) for one in found.report.failures]
        assert told == [("c@d.test", "a@b.test", "5.1.1")]


def test_a_letter_that_names_many_takes_no_time_worth_mentioning() -> None:
    named = "".join(f"<u{n}@b.test>\n" for n in range(600))
    letter = f"These recipients could not be reached:\n{named}{'who knows why ' * 3000}"
    started = time.process_time()

    found = read(mail(DAEMON + "Undelivered Mail", letter))

    assert found.report is not None
    assert {one.status for one in found.report.failures} == {"5.0.0"}
    assert len(found.report.failures) == 200
    assert time.process_time() - started < 5
