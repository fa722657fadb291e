"""A mailbox that proves it takes personal addresses: only then do answers carry one."""

from email import message_from_bytes

from tests.journeys.mails import mail
from tests.journeys.test_mail_round import sent, ticket_with
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten, until
from tests.servers.smtp_sink import SmtpSink


def outcome(setten: Setten, number: int, state: str) -> str:
    """The words beside the inbox once its self-test is in `state`."""

    def look() -> str | None:
        inbox = next(one for one in setten.get("/api/inboxes") if one["id"] == number)
        return f"{state}: {inbox['self_test_error']}" if inbox["self_test"] == state else None

    found = until(look, f"self-test that is {state}")
    assert found is not None
    return found


def test_replies_carry_a_personal_address_after_the_self_test_arrived(
    setten: Setten, dovecot: Dovecot, sink: SmtpSink
) -> None:
    setten.serve()
    setten.set_up()
    setten.add_mailbox(dovecot.port, sink.port)
    (number,) = [
        one["id"] for one in setten.get("/api/inboxes") if one["address"] == "support@example.com"
    ]
    dovecot.drop("support", mail("q1", subject="Quote for 240 glasses"))
    ref = ticket_with(setten, "Quote for 240 glasses")["ref"]
    setten.post(f"/api/tickets/{ref}/replies", {"text": "We are asking our supplier."})
    assert sent(sink, 1)[0]["Reply-To"] is None

    sink.answers["RCPT"] = "550 5.1.1 no such user"
    setten.post(f"/api/inboxes/{number}/self-test")
    assert outcome(setten, number, "failed") == "failed: 550 5.1.1 no such user"
    del sink.answers["RCPT"]

    setten.post(f"/api/inboxes/{number}/self-test")
    sent(sink, 2)
    probe = sink.received[1]
    (address,) = probe.rcpt_tos
    assert address.startswith("support+t.u")
    assert address.endswith("@example.com")
    assert outcome(setten, number, "running") == "running: "
    dovecot.drop("support", probe.body)
    assert outcome(setten, number, "passed") == "passed: "

    setten.post(f"/api/tickets/{ref}/replies", {"text": "It is **410** pounds."})
    answer = sent(sink, 3)[2]
    personal = str(answer["Reply-To"]).strip("<>")
    assert personal.startswith(f"support+t.{ref}-1-")

    # Their mail program has lost every id: only the address says what it is about.
    dovecot.drop("support", mail("q2", "Agreed, please send them.", subject="Order", to=personal))
    stranger = mail("s1", subject="Me too", sender="mallory@example.net", to=personal)
    dovecot.drop("support", stranger)

    def both() -> list[tuple[str, bool]] | None:
        said = setten.get(f"/api/tickets/{ref}")["said"]
        came = [(one["address"], one["unverified"]) for one in said if one["kind"] == "inbound"]
        return came[1:] if len(came) == 3 else None

    # The stranger has the address from somebody: it is shown there, and an agent decides.
    assert until(both, "mail to the personal address") == [
        ("amelia@example.co.uk", False),
        ("mallory@example.net", True),
    ]
    assert [one["subject"] for one in setten.tickets()] == ["Quote for 240 glasses"]
    assert message_from_bytes(probe.body)["Auto-Submitted"] == "auto-generated"
