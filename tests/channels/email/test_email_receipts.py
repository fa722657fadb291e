"""Mail that Setten writes by itself says so in every way other programs look for."""

from dataclasses import replace

from channels.email import compose
from tests.channels.email.test_email_compose import CONFIG, MESSAGE, field, read, sent


def test_a_receipt_asks_every_program_not_to_answer() -> None:
    body = sent(automatic=True, receipt=True)

    names = ("Auto-Submitted", "Precedence", "X-Auto-Response-Suppress", compose.LOOP)
    assert [field(body, name) for name in names] == [
        "auto-replied",
        "auto_reply",
        "All",
        MESSAGE.token,
    ]
    assert compose.is_answer_of_a_machine(body)
    assert read(body).automatic


def test_only_a_receipt_is_the_answer_of_a_machine() -> None:
    quoting = replace(MESSAGE, text="x\n\nAuto-Submitted: auto-replied\n\ny", automatic=True)

    rendered = compose.render(CONFIG, quoting)

    assert not compose.is_answer_of_a_machine(rendered.body)
