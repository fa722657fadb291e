"""Letters of many servers about mail that did not arrive, and of people about such mail."""

import pytest

from channels.email.ladder import read

COPY = (
    "Received: from shop.test by mx.test; Thu, 19 Nov 2026 14:07:11 +0900\n"
    "Message-ID: <sent.1@shop.test>\nFrom: Shop <help@shop.test>\nTo: kunde@b.test\n\nHello\n"
)


def mail(fields: str, body: str) -> bytes:
    head = f"{fields}\nTo: Shop <help@shop.test>\nContent-Type: text/plain; charset=utf-8"
    return f"{head}\nMessage-ID: <1@x.test>\n\n{body}".encode()


HARD = ("kunde@b.test", "failed", "5.1.1", True)
FULL = ("kunde@b.test", "failed", "4.2.2", False)
LETTERS = {
    "Exchange: the first To was not it": (
        "Return-Path: <>\nFrom: System Administrator <postmaster@b.test>\nSubject: E",
        (
            "Your message\n\n  To:      old@b.test\n  Subject: Lamp\n\ndid not reach the following "
            "recipient(s):\n\nkunde@b.test on Thu, 19 Nov\n    The recipient name is not recognized"
        ),
        HARD,
    ),
    "Exchange: an address of its own kind": (
        "From: System Administrator <postmaster@b.test>\nSubject: Undeliverable: x",
        (
            "To:      old@b.test\ndid not reach the following recipient(s):\n\n"
            "c=US;a= ;p=B;dda:SMTP=kunde@b.test; on Thu\n    Unknown Recipient"
        ),
        HARD,
    ),
    "James: as an answer": (
        "From: post_master@b.test\nIn-Reply-To: <sent.1@shop.test>\nSubject: Re:Lamp",
        (
            "Error: Invalid user address\n\n550 no such user here\n\n  MAIL FROM: help@shop.test\n"
            "  RCPT TO: kunde@b.test\n"
        ),
        HARD,
    ),
    "a telephone company": (
        "From: no-reply@tel.test\nSubject: メールエラー通知",
        (
            "送信先のメールボックスが一杯のため、送信できませんでした。\n\n"
            "     Could not be delivered to: <kunde@b.test>\n     As their mailbox is full."
        ),
        FULL,
    ),
    "a telephone company, few words": (
        "Return-Path: <>\nFrom: postmaster@b.test\nSubject: 送信エラー",
        "次の宛先へ送信できませんでした。\n\n宛先: kunde@b.test\n理由: アドレスが見つかりません。",
        HARD,
    ),
    "a mailbox called otherwise": (
        "Return-Path: <>\nFrom: MAILER-DAEMON@b.test\nSubject: failure notice",
        (
            "Mail to the following address(es) could not be delivered.\n\n<kunde@b.test>:\n"
            f"the user's mailfolder is full.\n\n--- Below this line is a copy.\n\n{COPY}"
        ),
        FULL,
    ),
    "amid a sentence": (
        "From: mailer-daemon\nReturn-Path: <>\nSubject: There was an error sending your mail",
        (
            "The following recipients returned permanent errors: kunde@b.test. Reason: refused:\n"
            "[554 5.4.6 Hop count exceeded]"
        ),
        ("kunde@b.test", "failed", "5.4.6", True),
    ),
    "a star in front": (
        "From: Mail Delivery System <Mail.Delivery.System@mx.test>\nSubject: Delivery status",
        (
            "Delivery to the following recipients failed permanently:\n\n   * kunde@b.test\n\n"
            "553 5.3.0 <kunde@b.test>... No such user here"
        ),
        ("kunde@b.test", "failed", "5.3.0", True),
    ),
    "an overdue mail, told only by what is brought back": (
        "From: MAILER-DAEMON@b.test\nSubject: Returned mail: Cannot send message for 4 days",
        (
            "----- Transcript of session -----\n421 b.test (smtp)... Deferred: timed out\n\n"
            f"----- Unsent message follows -----\n{COPY}"
        ),
        ("kunde@b.test", "delayed", "4.0.0", False),
    ),
    "a warning": (
        (
            "From: Mail Delivery System <Mailer-Daemon@b.test>\nSubject: Warning: message 1jRTi"
            " delayed 24 hours"
        ),
        (
            "The address to which the message has not yet been delivered is:\n\n  kunde@b.test\n\n"
            "No action is required on your part. Delivery attempts will continue."
        ),
        ("kunde@b.test", "delayed", "4.0.0", False),
    ),
    "a filter nobody knows": (
        "From: filter@gate.test\nSubject: Mail could not be delivered",
        "Unable to deliver message to <kunde@b.test>\n\nkunde@b.test: 550 user unknown",
        HARD,
    ),
    "German": (
        "Return-Path: <>\nFrom: Postmaster <postmaster@b.test>\nSubject: Unzustellbar: Lampe",
        (
            "Ihre Nachricht an folgende Empfänger konnte nicht zugestellt werden:\n\nkunde@b.test\n"
            "Der Benutzer existiert nicht (550 5.1.1)"
        ),
        HARD,
    ),
    "in brackets": (
        "From: MAILER-DAEMON@b.test\nSubject: Undeliverable: x",
        (
            "Delivery has failed to these recipients:\n\n\t* [kunde@b.test]: 550 5.1.1 unknown\n\n"
            "Original message details:\n\t* To: old@b.test"
        ),
        HARD,
    ),
    "an address behind the address": (
        "From: Mailer-Daemon@b.test\nSubject: Mail delivery failed: returning message to sender",
        (
            "The following address(es) failed:\n\n  an undisclosed address\n"
            "    (generated from kunde@b.test)\n    550 5.1.1 unknown"
        ),
        HARD,
    ),
}


@pytest.mark.parametrize(("fields", "body", "expected"), LETTERS.values(), ids=LETTERS)
def test_a_letter_says_who_did_not_get_it(
    fields: str, body: str, expected: tuple[str, str, str, bool]
) -> None:
    found = read(mail(fields, body)).report

    assert found is not None
    failures = [(one.address, one.action, one.status, one.hard) for one in found.failures]
    assert failures == [expected]


def test_two_addresses_announced_one_by_one_are_two() -> None:
    body = "Unknown user: a@b.test\n553 5.3.0 unknown\n\nUnknown user: c@d.test\n553 5.3.0 unknown"
    found = read(mail("From: postmaster@b.test\nSubject: Undeliverable Mail", body)).report

    assert found is not None
    assert [one.address for one in found.failures] == ["a@b.test", "c@d.test"]


def test_who_is_not_accepted_is_not_whom_it_was_for() -> None:
    body = "The following recipients are not accepting mail from help@x.test:\n\tscreenname"
    found = read(mail("From: MAILER-DAEMON@b.test\nSubject: Mail Delivery Problem", body))

    assert (found.kind, found.report and found.report.failures) == ("bounce_hard", ())


PEOPLE = {
    "asks to send again": (
        "From: Ann <ann@x.test>\nSubject: Mail delivery failed",
        "Hello,\n\nyour mail could not be delivered to bob@x.test:\nbob@x.test\n",
    ),
    "passes it on": (
        "From: Ann <ann@x.test>\nSubject: Fwd: Undelivered Mail Returned to Sender",
        "The following address failed:\n\nbob@x.test\n",
    ),
    "a parcel": (
        "From: Ann <ann@x.test>\nSubject: error during delivery",
        "The driver was unable to deliver my parcel. Write to the following address:\nann@x.test",
    ),
    "a parcel in German": (
        "From: Ann <ann@x.test>\nSubject: Lieferung nicht zugestellt",
        "Das Paket konnte nicht zugestellt werden. Folgende Adresse ist richtig:\nann@x.test",
    ),
    "Japanese": (
        "From: Ann <ann@x.test>\nSubject: 送信エラーについて",
        "お世話になっております。\n以下の宛先に送信できませんでした。\nbob@x.test",
    ),
    "a postmaster about something else": (
        "From: Postmaster <postmaster@x.test>\nSubject: Your invoice",
        "It was paid twice.",
    ),
}


@pytest.mark.parametrize(("fields", "body"), PEOPLE.values(), ids=PEOPLE)
def test_a_person_who_writes_about_it_is_a_person(fields: str, body: str) -> None:
    found = read(mail(fields, body))

    assert (found.kind, found.report) == ("human", None)


def report(group: str, more: str = "") -> bytes:
    head = (
        "From: MAILER-DAEMON@mx.test\nTo: help@shop.test\nSubject: Undelivered\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    )
    letter = "--b\n\ndid not reach the following recipient(s):\n\nkunde@b.test on Thu\n"
    status = f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\n{group}"
    return f"{head}{letter}{status}\n{more}--b--\n".encode()


GROUPS = {
    "a name of the inner network": (
        "Original-Recipient: rfc822;kunde@b.test\nFinal-Recipient: rfc822;kunde@daemon\n"
        "Action: failed\nStatus: 5.1.1"
    ),
    "a local name": (
        "Original-Recipient: rfc822;<kunde@b.test>\nFinal-Recipient: LOCAL;<k.unde>\n"
        "Action: failed\nStatus: 5.1.1"
    ),
    "an address of another sort of mail": (
        "Final-Recipient: x400; /S=kunde/O=b/C=de/\nAction: failed\nStatus: 5.1.1"
    ),
}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_of_two_addresses_the_one_that_mail_can_go_to_is_told(group: str) -> None:
    found = read(report(group)).report

    assert found is not None
    assert [(one.address, one.status) for one in found.failures] == [("kunde@b.test", "5.1.1")]


def test_a_report_that_a_filter_wrapped_is_read() -> None:
    inner = report("Final-Recipient: rfc822; kunde@b.test\nAction: failed\nStatus: 5.1.1").decode()
    wrapped = (
        "From: postmaster@gate.test\nSubject: Delivery Status Notification (Failure)\n"
        f"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n{inner}"
        "--o--\n"
    )

    found = read(wrapped.encode()).report

    assert found is not None
    assert [one.address for one in found.failures] == ["kunde@b.test"]


RETURNED = {
    "as a part without a type": f"--b\n{COPY}",
    "as an attached text": (
        f"--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\n{COPY}"
    ),
    "in part": f"--b\nContent-Type: message/partial\n\n{COPY}",
}


@pytest.mark.parametrize("part", RETURNED.values(), ids=RETURNED)
def test_the_id_of_what_is_brought_back_is_found(part: str) -> None:
    group = "Final-Recipient: rfc822; kunde@b.test\nAction: failed\nStatus: 5.1.1\n"
    found = read(report(group, part)).report

    assert found is not None
    assert found.original_id == "sent.1@shop.test"
