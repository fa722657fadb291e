"""Groups that send every mail on as their own: who wrote it, and when that is believed."""

from typing import Any

import pytest

from channels.contract import InboundMessage, Party, Raw, Verdicts
from channels.email import channel
from channels.email.config import EmailConfig

OWN = EmailConfig(address="support@shop.test", trusted_servers="mx.google.com")
NOBODY = EmailConfig(address="support@shop.test")
LISTED = OWN.model_copy(update={"senders_for_others": "support@shop.test"})
JANE = Party("email", "jane@customers.test", "Jane Doe")
US = Party("email", "support@shop.test", "'Jane Doe' via Support")

PASSED = "Authentication-Results: mx.google.com; dmarc=pass header.from=shop.test\n"
SIGNED = "Authentication-Results: mx.google.com; dkim=pass header.i=@shop.test header.s=g\n"
FAILED = "Authentication-Results: mx.google.com; dmarc=fail header.from=shop.test\n"
NOTHING = "Authentication-Results: mx.google.com; spf=pass smtp.mailfrom=shop.test\n"

FROM = "From: 'Jane Doe' via Support <Support@shop.test>\n"
SAID = (
    "X-Original-Sender: jane@customers.test\n"
    "X-Original-Authentication-Results: mx.google.com;       dkim=pass\n"
    " header.i=@customers.test header.s=k1; spf=pass (google.com: domain of\n"
    " jane@customers.test) smtp.mailfrom=jane@customers.test;       dmarc=pass\n"
    " (p=REJECT sp=REJECT dis=NONE) header.from=customers.test\n"
    "X-Original-From: Jane Doe <jane@customers.test>\n"
)
ANSWER = "Reply-To: Jane Doe <jane@customers.test>\n"
LIST = (
    "Precedence: list\n"
    "Mailing-list: list support@shop.test; contact support+owners@shop.test\n"
    "List-ID: <support.shop.test>\n"
    "X-Google-Group-Id: 304886998071\n"
    "List-Post: <https://groups.google.com/a/shop.test/group/support/post>, "
    "<mailto:support@shop.test>\n"
)
GROUP = FROM + SAID + ANSWER + LIST
MAILMAN = (
    "From: Jane Doe via Support <support@shop.test>\n"
    "X-MailFrom: jane@customers.test\n"
    "X-Mailman-Version: 3.3.8\n"
    "Precedence: list\n"
    "List-Id: Support <support.shop.test>\n"
    "List-Post: <mailto:support@shop.test>\n"
)
CHECKED = Verdicts("pass", "pass", "customers.test", "pass")


def read(head: str, config: EmailConfig = OWN) -> InboundMessage:
    mail = f"{head}Subject: x\nMessage-ID: <1@customers.test>\n\nHello"
    (message,) = channel.parse(config, Raw("x", mail.replace("\n", "\r\n").encode()))
    assert isinstance(message, InboundMessage)
    return message


def seen(message: InboundMessage) -> tuple[Any, ...]:
    return message.sender, message.unproved, message.verdicts, message.machine


BELIEVED: dict[str, tuple[str, EmailConfig, Verdicts | None]] = {
    "Google": (PASSED + GROUP, OWN, CHECKED),
    "Google, of a domain without a policy": (SIGNED + GROUP, OWN, CHECKED),
    "Google, answers go to the group": (
        PASSED + GROUP.replace(ANSWER, "Reply-To: support@shop.test\n"), OWN, CHECKED,
    ),
    "Google, whose own check failed": (
        PASSED + GROUP.replace("dmarc=pass\n", "dmarc=fail\n"), OWN,
        Verdicts("pass", "pass", "customers.test", "fail"),
    ),
    "Google, and no word on the sender": (
        PASSED + GROUP.replace("X-Original-Auth", "X-Else"), OWN, Verdicts(),
    ),
    "Google, and two words on the sender": (
        PASSED + "X-Original-Authentication-Results: mx.google.com; dmarc=pass\n" + GROUP,
        OWN, Verdicts(),
    ),
    "Google, checked by somebody else": (
        PASSED + GROUP.replace("Results: mx.google.com;  ", "Results: mx.evil.test;  "),
        OWN, Verdicts(),
    ),
    "an address that is listed, and nobody is trusted": (
        GROUP, LISTED.model_copy(update={"trusted_servers": ""}), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("head", "config", "verdicts"), BELIEVED.values(), ids=BELIEVED)
def test_who_wrote_to_a_group_at_our_own_address_is_the_sender(
    head: str, config: EmailConfig, verdicts: Verdicts | None
) -> None:
    message = read(head, config)

    assert seen(message) == (JANE, False, verdicts, "")
    assert message.reply_to is None


UNKNOWN = Verdicts(unproved=True)
OTHER = Party("email", "eve@elsewhere.test")
DOUBTED: dict[str, tuple[str, EmailConfig, Party, Verdicts]] = {
    "nothing tells that the group sent it": (NOTHING + GROUP, OWN, JANE, UNKNOWN),
    "no server is trusted": (PASSED + GROUP, NOBODY, JANE, UNKNOWN),
    "it fails": (FAILED + GROUP, OWN, JANE, Verdicts(dmarc="fail", unproved=True)),
    "signed by somebody else": (
        SIGNED.replace("@shop.test", "shop.test@evil.test") + GROUP, OWN, JANE, UNKNOWN,
    ),
    "two are named": (
        f"{PASSED}X-Original-From: eve@elsewhere.test\n{GROUP}", OWN, OTHER, UNKNOWN,
    ),
    "the answer goes to a third": (
        PASSED + GROUP.replace(ANSWER, "Reply-To: eve@elsewhere.test\n"), OWN, JANE, UNKNOWN,
    ),
    "other software, which passes on what a stranger wrote": (
        PASSED + GROUP.replace("X-Google-Group-Id", "X-Loop"), OWN, JANE, UNKNOWN,
    ),
    "one of us, whose words would be our answer": (
        PASSED + GROUP.replace("@customers.test", "@shop.test"), OWN,
        Party("email", "jane@shop.test", "Jane Doe"), UNKNOWN,
    ),
    "Mailman": (PASSED + MAILMAN + ANSWER, OWN, JANE, UNKNOWN),
    "Mailman at an address that is listed": (NOTHING + MAILMAN + ANSWER, LISTED, JANE, UNKNOWN),
    "Mailman, and a stranger says what was checked": (
        f"{PASSED}{MAILMAN}{SAID}{ANSWER}", OWN, JANE, UNKNOWN,
    ),
    "Mailman passes on what a stranger wrote": (
        f"{PASSED}{MAILMAN}{SAID}Reply-To: eve@elsewhere.test\n", OWN, OTHER, UNKNOWN,
    ),
    "Mailman, and two are to be answered": (
        f"{PASSED}{MAILMAN}{ANSWER[:-1]}, eve@elsewhere.test\n", OWN, JANE, UNKNOWN,
    ),
    "Mailman, and a form of ours handed it in": (
        PASSED + MAILMAN.replace("jane@customers.test", "www@shop.test") + ANSWER, OWN, JANE,
        UNKNOWN,
    ),
    "Mailman, whose answers go to the group": (
        f"{PASSED}{MAILMAN}Reply-To: support@shop.test\nCc: eve@x.test, {ANSWER[10:]}", OWN,
        JANE, UNKNOWN,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("head", "config", "sender", "verdicts"), DOUBTED.values(), ids=DOUBTED)
def test_who_may_be_named_by_a_stranger_is_not_proved(
    head: str, config: EmailConfig, sender: Party, verdicts: Verdicts
) -> None:
    assert seen(read(head, config)) == (sender, True, verdicts, "")


NOT_OF_A_GROUP: dict[str, str] = {
    "of no list": PASSED + FROM + SAID,
    "of another list": PASSED + FROM + SAID + LIST.replace("support", "others"),
    "one of us wrote to the group": PASSED + GROUP.replace("jane@customers", "support@shop"),
    "it names nobody": PASSED + FROM + LIST,
    "Mailman names nobody": PASSED + MAILMAN,
}


@pytest.mark.parametrize("head", NOT_OF_A_GROUP.values(), ids=NOT_OF_A_GROUP)
def test_elsewhere_such_fields_make_nobody_the_sender(head: str) -> None:
    message = read(head)

    assert message.sender.value.lower() == US.value
    assert (message.unproved, message.verdicts) == (False, Verdicts(dmarc="pass"))


def test_fields_of_a_group_in_a_mail_of_a_stranger_are_nothing() -> None:
    head = PASSED.replace("shop", "elsewhere") + GROUP.replace("Support@shop", "eve@elsewhere")

    message = read(head)

    assert (message.sender.value, message.verdicts) == (OTHER.value, Verdicts(dmarc="pass"))


def test_a_machine_that_writes_to_a_group_is_one() -> None:
    away = read(f"{PASSED}Auto-Submitted: auto-replied\n{GROUP}")

    assert seen(away) == (JANE, False, CHECKED, "auto_reply")


def test_a_form_or_a_group_that_is_listed_is_not_who_was_checked() -> None:
    config = OWN.model_copy(update={"senders_for_others": "form@shop.test, team@lists.test"})
    form, passed = f"From: form@shop.test\n{ANSWER}", Verdicts(unproved=True)
    listed = f"{PASSED.replace('shop', 'lists')}From: team@lists.test\n{SAID}"
    failed = listed.replace("dmarc=pass header.from=lists", "dmarc=fail header.from=lists")

    assert seen(read(PASSED + form, config)) == (JANE, True, passed, "")
    assert seen(read(FAILED + form, config))[2] == Verdicts(dmarc="fail", unproved=True)
    assert seen(read(listed, config)) == (JANE, False, CHECKED, "")
    assert seen(read(failed, config))[2] == Verdicts(dmarc="fail", unproved=True)
