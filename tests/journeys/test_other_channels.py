"""Chat, phone and test mail: the same walk on every channel, with nothing configured."""

import base64
import hashlib
import hmac
import http.server
import json
import smtplib
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import override

from tests.journeys.mails import mail
from tests.servers.setten import Setten, until


@dataclass
class Widget:
    """The customer's side of a chat: takes signed callbacks and answers 200."""

    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def widget() -> Iterator[Widget]:
    made = Widget()

    class Take(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.taken.append((headers, body))
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Take)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def signed(body: bytes, number: str) -> dict[str, str]:
    """Headers of Standard Webhooks, made here by hand as a customer's own program would."""
    at = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{number}.{at}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": number,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        "content-type": "application/json",
    }


def said(conversation: str, text: str, **sender: str) -> bytes:
    event = {
        "type": "message.created",
        "timestamp": "2026-11-20T09:00:00Z",
        "data": {
            "message_id": uuid.uuid4().hex,
            "conversation_id": conversation,
            "sender": {"id": "visitor-7", "name": "Jonas Reuter", **sender},
            "text": text,
        },
    }
    return json.dumps(event).encode()


def test_chat_goes_in_signed_and_out_signed(setten: Setten, widget: Widget) -> None:
    setten.serve()
    setten.set_up()
    inbox = setten.add_inbox(
        "chat",
        secret=SECRET,
        callback_url=f"http://127.0.0.1:{widget.port}/chat",
        allow_loopback=True,
    )
    first = said("c-1", "Passt der Deckel auch auf die Kanne mit 0,8 l?", email="jonas@example.de")

    def hook(body: bytes, number: str) -> int:
        return setten.client.post(
            inbox["hook"], content=body, headers=signed(body, number)
        ).status_code

    assert [hook(first, "m-1"), hook(first, "m-1")] == [202, 202]
    forged = signed(b"something else", "m-2")
    assert setten.client.post(inbox["hook"], content=first, headers=forged).status_code == 401

    tickets = until(setten.tickets, "ticket of the chat")
    ref = tickets[0]["ref"]
    setten.post(f"/api/tickets/{ref}/replies", {"text": "Ja, er passt."})
    until(lambda: widget.taken, "answer at the widget")
    headers, body = widget.taken[0]
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{mac}"
    answer = json.loads(body)["data"]
    assert (answer["conversation_id"], answer["text"]) == ("c-1", "Ja, er passt.")

    assert hook(said("c-1", "Danke!"), "m-3") == 202
    until(lambda: len(setten.get(f"/api/tickets/{ref}")["said"]) == 3, "third message")
    assert len(setten.tickets()) == 1

    # A mail from the address the chat named belongs to the same customer.
    with smtplib.SMTP("127.0.0.1", setten.mail_port) as talk:
        raw = mail("m1", sender="jonas@example.de", to="hello@localhost")
        talk.sendmail("jonas@example.de", ["hello@localhost"], raw)
    until(lambda: len(setten.tickets()) == 2, "ticket of the mail")
    customers = {
        setten.get(f"/api/tickets/{t['ref']}")["customer"]["ref"] for t in setten.tickets()
    }
    assert len(customers) == 1


def test_newcomer_mails_setten_and_sees_what_it_would_send(setten: Setten) -> None:
    setten.serve()
    setten.set_up()

    def talk_to(address: str) -> dict[str, Any]:
        with smtplib.SMTP("127.0.0.1", setten.mail_port) as talk:
            return dict(talk.sendmail("a@example.com", [address], mail("n1", to=address)))

    until(lambda: _listens(setten), "listener for test mail")
    assert talk_to("hello@localhost") == {}
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        talk_to("nobody@localhost")
    ref = until(setten.tickets, "ticket of the test mail")[0]["ref"]
    setten.post(f"/api/tickets/{ref}/replies", {"text": "Gladly."})
    held = until(
        lambda: [d for d in setten.get("/api/outbox") if d["state"] == "held"], "held delivery"
    )
    assert held[0]["recipient"] == "amelia@example.co.uk"
    page = setten.client.get("/outbox")
    assert "amelia@example.co.uk" in page.text


def test_the_same_test_mail_once_more_is_counted_as_a_copy(setten: Setten) -> None:
    setten.serve()
    setten.set_up()
    until(lambda: _listens(setten), "listener for test mail")

    for _ in range(2):
        with smtplib.SMTP("127.0.0.1", setten.mail_port) as talk:
            talk.sendmail("a@example.com", ["hello@localhost"], mail("n1", to="hello@localhost"))

    def counted() -> dict[str, int]:
        balance = setten.get("/api/balance")
        return {what: number for what, number in balance.items() if number}

    until(lambda: counted().get("copy"), "second mail filed as a copy")
    assert counted() == {"received": 2, "filed": 1, "copy": 1}
    assert len(setten.tickets()) == 1


def _listens(setten: Setten) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", setten.mail_port, timeout=5).quit()
    except OSError:
        return False
    return True


def test_agent_logs_a_call_and_imports_a_call_log(setten: Setten) -> None:
    setten.serve()
    setten.set_up()
    form = setten.client.get("/log/phone")
    assert form.status_code == 200
    entry = {
        "number": "+81 90 5550 0142",
        "notes": "土曜の午前中へ配送日を変更。",
        "direction": "in",
    }
    answer = setten.client.post("/log/phone", data=entry)
    assert answer.status_code == 303, answer.text[:2000]
    row = until(setten.tickets, "ticket of the call")[0]
    whole = setten.get(f"/api/tickets/{row['ref']}")
    assert [(one["kind"], one["text"]) for one in whole["said"]] == [("call", entry["notes"])]

    log = setten.data / "calls.csv"
    log.write_bytes(
        "日時,電話番号,方向,通話時間,メモ\n"
        "2026/11/20 10:00,09055500142,着信,95,配送日の確認\n"
        "2026/11/20 11:00,0312345678,着信,30,見積もりの依頼\n".encode("cp932")
    )
    done = setten.run("import", "calls", str(log))
    assert done.returncode == 0, done.stdout + done.stderr
    until(lambda: len(setten.tickets()) >= 2, "tickets of the imported calls")
    again = setten.run("import", "calls", str(log))
    assert again.returncode == 0, again.stdout + again.stderr


def test_what_nobody_can_read_is_set_aside_and_counted(setten: Setten) -> None:
    setten.serve()
    setten.set_up()
    inbox = setten.add_inbox("chat", secret=SECRET)
    broken = b'{"type": "message.created", "data": {"text": 7}}'
    hooked = setten.client.post(inbox["hook"], content=broken, headers=signed(broken, "b-1"))
    assert hooked.status_code == 202

    aside = until(lambda: setten.get("/api/balance")["set_aside"], "arrival set aside")
    assert aside == 1
    page = setten.client.get("/set-aside")
    assert page.status_code == 200
    balance = setten.get("/api/balance")
    received = balance.pop("received")
    assert received == sum(balance.values()) == 1
