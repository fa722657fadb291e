"""Connections that are used again, and what a server offers that we make use of."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from channels.contract import InDoubt, Later, Outcome, Phase, Refused, Rendered, Sent
from channels.email.connections import AT_ONCE, LONGEST, Connections
from channels.email.sending import send
from tests.channels.email.test_email_smtp import ANN, BOB, MAIL, config
from tests.servers.smtp_script import CUT, SmtpScript, smtp_script
from tests.worker.hurry import hurried, until

OWN = "t.k3v9x2m4q-12-abcdefghijklmnopqrstuvwxyz.123456789.0a1b2c3d"
REPLIED = Rendered(
    "t.1@example.com", b"From: a\r\nAuto-Submitted: auto-replied\r\n\r\nThank you\r\n"
)


async def _nothing(phase: Phase) -> None:
    pass


async def _one(
    script: SmtpScript, connections: Connections, *to: str, mail: Rendered = MAIL
) -> dict[str, Outcome]:
    return dict(await send(config(script.port), mail, to or [ANN], _nothing, connections))


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    made = Connections()
    yield made
    made.close()
    await asyncio.sleep(0)  # so that what was told to close does


async def test_the_next_mail_goes_over_the_same_connection(connections: Connections) -> None:
    async with smtp_script() as script:
        for _ in range(3):
            assert await _one(script, connections) == {ANN: Sent(f"SCRIPT{len(script.mails)}")}

        verbs = [line.partition(" ")[0] for line in script.said[0]]
    assert (connections.opened, len(script.said), len(script.mails)) == (1, 1, 3)
    assert verbs == ["EHLO", *["MAIL", "RCPT", "DATA", "RSET"] * 2, "MAIL", "RCPT", "DATA"]


async def test_one_that_the_server_ended_is_not_used_again(connections: Connections) -> None:
    async with smtp_script() as script:
        await _one(script, connections)
        script.writers[0].close()

        outcomes = await _one(script, connections)

    assert (outcomes, connections.opened) == ({ANN: Sent("SCRIPT2")}, 2)


@pytest.mark.parametrize(
    ("command", "answer"),
    [("RSET", "421 4.7.0 idle for too long"), ("RSET", CUT), ("RSET", "500 what?")],
)
async def test_one_that_does_not_take_a_reset_is_not_used_again(
    connections: Connections, command: str, answer: str
) -> None:
    async with smtp_script(SmtpScript(answers={command: [answer]})) as script:
        outcomes = [await _one(script, connections) for _ in range(2)]

    assert outcomes == [{ANN: Sent("SCRIPT1")}, {ANN: Sent("SCRIPT2")}]
    assert connections.opened == 2


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"MAIL": ["421 4.3.2 closing"]}, Later("421 4.3.2 closing", away=True)),
        ({"RCPT": ["421 4.3.2 closing"]}, Later("421 4.3.2 closing", away=True)),
        ({"DATA": ["421 4.3.2 closing"]}, Later("421 4.3.2 closing", away=True)),
        ({".": ["421 4.3.2 closing"]}, Later("421 4.3.2 closing", away=True)),
        ({".": ["550 5.7.1 no"]}, Refused("550 5.7.1 no")),
    ],
)
async def test_after_a_no_to_the_mail_a_new_connection_is_made(
    connections: Connections, answers: dict[str, list[str]], outcome: Outcome
) -> None:
    async with smtp_script(SmtpScript(answers=answers)) as script:
        first = await _one(script, connections)
        script.answers.clear()
        second = await _one(script, connections)

    assert first == {ANN: outcome}
    assert isinstance(second[ANN], Sent)
    assert connections.opened == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CUT, Later("The server stopped answering: ", away=True)),
        ("250 2.0.0 as you like", Later("250 2.0.0 as you like")),  # it did not ask for anything
        ("554 5.5.1 no valid recipients", Refused("554 5.5.1 no valid recipients")),
    ],
)
async def test_what_is_said_before_the_content_leaves_no_doubt(
    connections: Connections, answer: str, outcome: Later | Refused
) -> None:
    reached: list[Phase] = []

    async def progress(phase: Phase) -> None:
        reached.append(phase)

    async with smtp_script(SmtpScript(answers={"DATA": [answer]})) as script:
        outcomes = await send(config(script.port), MAIL, [ANN], progress, connections)

    found = outcomes[ANN]
    assert isinstance(found, type(outcome))
    assert found.words.startswith(outcome.words)
    assert getattr(found, "away", False) == getattr(outcome, "away", False)
    assert (reached, script.mails) == ([Phase.TALKING], [])


async def test_a_server_that_goes_away_after_the_dot_leaves_a_doubt(
    connections: Connections,
) -> None:
    async with smtp_script(SmtpScript(answers={".": [CUT]})) as script:
        outcomes = await _one(script, connections)

    assert isinstance(outcomes[ANN], InDoubt)
    assert len(script.mails) == 1


async def test_who_was_refused_stays_so_when_the_server_goes_away(
    connections: Connections,
) -> None:
    answers = {f"RCPT TO:<{ANN}>": ["550 5.1.1 unknown"], f"RCPT TO:<{BOB}>": [CUT]}
    async with smtp_script(SmtpScript(answers=answers)) as script:
        outcomes = await _one(script, connections, ANN, BOB)

    assert outcomes[ANN] == Refused("550 5.1.1 unknown", nobody_there=True)
    assert isinstance(outcomes[BOB], Later)
    assert script.mails == []


async def test_a_connection_ends_after_so_many_mails() -> None:
    connections = Connections(longest=2)
    async with smtp_script() as script:
        for _ in range(4):
            await _one(script, connections)

    assert (connections.opened, LONGEST) == (2, 100)
    assert [said[-1] for said in script.said] == ["QUIT", "QUIT"]


async def test_never_more_than_two_at_once(connections: Connections) -> None:
    async with smtp_script(SmtpScript(hold=asyncio.Event(), enough=AT_ONCE)) as script:
        sending = [asyncio.create_task(_one(script, connections)) for _ in range(6)]
        await asyncio.wait_for(script.full.wait(), 10)
        assert script.hold is not None
        script.hold.set()
        await asyncio.gather(*sending)

    assert (script.most_at_once, len(script.mails)) == (2, 6)
    assert connections.opened == 2


def test_an_idle_connection_is_closed() -> None:
    async def wait() -> int:
        connections = Connections()
        async with smtp_script() as script:
            await _one(script, connections)
            await until(lambda: script.open_now == 0)
            return sum(map(len, connections.idle.values()))

    assert hurried(wait) == 0


async def test_notices_are_asked_for_where_they_are_offered(connections: Connections) -> None:
    async with smtp_script(SmtpScript(offers=("SIZE 1000000", "DSN"))) as script:
        await _one(script, connections, "ann+x@example.org")

    assert script.said[0][1:3] == [
        f"MAIL FROM:<support@example.com> SIZE={len(MAIL.body)} RET=HDRS ENVID=1@example.com",
        "RCPT TO:<ann+x@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ann+2Bx@example.org",
    ]


@pytest.mark.parametrize(
    ("domain", "named"),
    [("shop.test", f"{OWN}@shop.test"), (f"{'long-' * 11}name.test", OWN)],
)
async def test_a_notice_can_name_the_mail_however_long_our_domain(
    connections: Connections, domain: str, named: str
) -> None:
    mail = Rendered(f"{OWN}@{domain}", MAIL.body)
    async with smtp_script(SmtpScript(offers=("DSN",))) as script:
        await _one(script, connections, mail=mail)

    assert script.said[0][1].split()[-1] == f"ENVID={named}"
    assert len(named) <= 100


async def test_nothing_is_asked_for_that_is_not_offered(connections: Connections) -> None:
    async with smtp_script(SmtpScript(offers=("HELP",))) as script:
        await _one(script, connections)

    assert script.said[0][1:3] == [
        "MAIL FROM:<support@example.com>",
        "RCPT TO:<ann@example.org>",
    ]


async def test_an_answer_of_a_machine_has_nobody_to_answer_to(connections: Connections) -> None:
    async with smtp_script(SmtpScript(offers=("HELP",))) as script:
        await _one(script, connections, mail=REPLIED)
        script.answers["MAIL FROM:<>"] = ["550 5.7.1 no"]
        script.answers["MAIL"] = ["250 ok"]
        outcomes = await _one(script, connections, mail=REPLIED)

    said = [line for line in script.said[0] if line.startswith("MAIL")]
    assert said == ["MAIL FROM:<>", "MAIL FROM:<>", "MAIL FROM:<support@example.com>"]
    assert outcomes == {ANN: Sent("SCRIPT2")}
