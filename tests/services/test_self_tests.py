"""An inbox believes in personal addresses only after its own mail came in through one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.core.errors import Conflict, NotAllowed
from app.core.secrets import CROCKFORD, Keys
from app.domain.words import ArrivalState, Role, SelfTest
from app.services import inboxes, intake, self_tests, upkeep
from app.services.access import Actor
from app.services.filing import Understood
from app.services.inboxes import NewInbox
from app.services.self_tests import Run
from app.store.tables import Arrival, Change, Inbox, Ticket
from channels.contract import InboundMessage, Raw, Ref, RefKind
from channels.email import channel
from channels.email.config import EmailConfig
from tests.factories import make_agent
from tests.inquiries import NOON, Desk, inquiry

Forward = Callable[[timedelta], None]
CONFIG = EmailConfig(address="help@shop.test", imap_host="imap.shop.test")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One email inbox of the desk, and its administrator."""

    desk: Desk
    admin: Actor
    id: int

    @property
    def row(self) -> Inbox:
        found: Inbox = self.desk.one(Inbox, self.id)
        return found

    @property
    def config(self) -> EmailConfig:
        return inboxes.config_of(self.row, self.desk.keys, EmailConfig)

    def start(self) -> Run:
        self.desk.do(self_tests.start, self.admin, self.id)
        run: Run | None = self.desk.do(self_tests.due, self.desk.keys, self.id)
        assert run is not None
        self.desk.do(self_tests.sent, run)
        return run

    def file(self, message: InboundMessage) -> tuple[ArrivalState, str]:
        arrival = self.desk.kept(self.row)
        self.desk.do(intake.file, self.desk.keys, arrival.id, [Understood(message)], tester=channel)
        filed: Arrival = self.desk.one(Arrival, arrival.id)
        return filed.state, filed.reason

    def receive(self, token: str) -> tuple[ArrivalState, str]:
        """What becomes of a mail of ours to the address with `token`."""
        rendered, _ = channel.probe(self.config, token, NOON)
        (message,) = channel.parse(self.config, Raw("x", rendered.body))
        assert isinstance(message, InboundMessage)
        return self.file(message)

    def change(self, config: EmailConfig, seen: str | None = None) -> None:
        new = NewInbox("email", "Help", config, config.address, tester=channel, seen_test=seen)
        self.desk.do(inboxes.change, self.admin, self.desk.keys, self.id, new)


def connect(desk: Desk, config: EmailConfig = CONFIG) -> Mailbox:
    with desk.db.transaction() as session:
        admin = make_agent(session, "Ada", Role.ADMIN)
    new = NewInbox("email", "Help", config, config.address, tester=channel)
    made: Inbox = desk.do(inboxes.create, admin, desk.keys, new)
    return Mailbox(desk, admin, made.id)


@pytest.fixture
def box(desk: Desk) -> Mailbox:
    return connect(desk)


def state(box: Mailbox) -> tuple[Any, ...]:
    row = box.row
    return row.self_test, row.self_test_at, row.self_test_error, box.config.reply_tokens


NOT_OURS = (ArrivalState.IGNORED, "Our own mail came back to us.")
ARRIVED = (ArrivalState.IGNORED, "Self-test of the inbox arrived.")


def test_start_notes_when_and_leaves_a_job(box: Mailbox) -> None:
    before = box.desk.jobs()

    begun = box.desk.do(self_tests.start, box.admin, box.id)

    assert (begun.self_test, begun.self_test_at) == (SelfTest.RUNNING, NOON)
    assert box.desk.jobs() == before + 1
    assert [c.what for c in box.desk.all(Change)] == ["inbox_added", "self_test_started"]


def test_mail_that_arrives_is_ignored_and_believed(box: Mailbox, forward: Forward) -> None:
    run = box.start()
    forward(timedelta(minutes=2))

    assert box.receive(run.token) == ARRIVED

    assert state(box) == (SelfTest.PASSED, NOON + timedelta(minutes=2), "", True)
    assert box.config == CONFIG.model_copy(update={"reply_tokens": True})
    assert box.desk.all(Ticket) == []
    assert [c.what for c in box.desk.all(Change)][-1] == "self_test_passed"
    assert box.receive(run.token) == NOT_OURS  # a second copy changes nothing


def test_what_was_changed_while_it_ran_is_kept(box: Mailbox) -> None:
    run = box.start()
    box.change(CONFIG.model_copy(update={"sender_name": "Shop", "imap_port": 1143}))

    assert box.receive(run.token) == ARRIVED

    assert box.config == CONFIG.model_copy(
        update={"sender_name": "Shop", "imap_port": 1143, "reply_tokens": True}
    )


def test_forged_token_proves_nothing(box: Mailbox) -> None:
    run = box.start()
    ref = run.token.partition("-")[0]
    foreign = Keys(b"x" * 32).reply_token(ref)

    for token in (foreign, ref, f"{ref}-1-{'a' * 26}"):
        assert box.receive(token)[0] is ArrivalState.SET_ASIDE  # as any mail from our own address
    assert box.receive(box.desk.keys.reply_token("uaaaaaaaa")) == NOT_OURS

    assert state(box) == (SelfTest.RUNNING, NOON, "", False)


def test_token_of_another_inbox_proves_nothing(desk: Desk, box: Mailbox) -> None:
    other = connect(desk, EmailConfig(address="two@shop.test"))
    box.start()
    run = other.start()

    assert box.receive(run.token) == NOT_OURS

    assert state(box) == (SelfTest.RUNNING, NOON, "", False)
    assert state(other) == (SelfTest.RUNNING, NOON, "", False)


def test_token_of_an_earlier_try_proves_nothing(box: Mailbox, forward: Forward) -> None:
    earlier = box.start()
    forward(timedelta(minutes=1))
    box.start()

    assert box.receive(earlier.token) == NOT_OURS

    assert state(box) == (SelfTest.RUNNING, NOON + timedelta(minutes=1), "", False)


def test_mail_of_ours_proves_nothing_when_nobody_asked(box: Mailbox) -> None:
    run = box.start()
    box.desk.do(self_tests.failed, run, "refused")

    assert box.receive(run.token) == NOT_OURS
    assert state(box) == (SelfTest.FAILED, NOON, "refused", False)


def test_only_the_address_counts_and_only_in_a_mail_of_ours(box: Mailbox) -> None:
    run = box.start()

    refs = (Ref(RefKind.ID_TOKEN, run.token),)
    quoted = inquiry(machine="ourselves", refs=refs, own_token=run.token)
    person = inquiry(refs=(Ref(RefKind.ADDRESS_TOKEN, run.token),))

    assert box.file(quoted) == NOT_OURS
    assert box.file(person)[0] is ArrivalState.FILED
    assert state(box) == (SelfTest.RUNNING, NOON, "", False)


def test_token_is_as_long_as_a_tickets_and_never_one(box: Mailbox) -> None:
    ticket = box.desk.ticket()
    run = box.start()

    assert len(run.token) == len(box.desk.keys.reply_token(ticket.ref))
    ref = box.desk.keys.ticket_of_reply(run.token)
    assert ref is not None
    assert (ref[0], ref[0] in CROCKFORD) == ("u", False)


def test_mail_that_comes_back_ends_the_try(box: Mailbox) -> None:
    run = box.start()
    bounce = inquiry(
        "mailer-daemon@shop.test",
        "550 5.1.1 no such user",
        machine="bounce",
        automatic=True,
        refs=(Ref(RefKind.ID_TOKEN, run.token),),
    )

    assert box.file(bounce) == (ArrivalState.IGNORED, "Self-test of the inbox came back.")

    words = "The mail came back: 550 5.1.1 no such user"
    assert state(box) == (SelfTest.FAILED, NOON, words, False)
    assert box.desk.all(Ticket) == []


def test_failure_of_an_earlier_try_says_nothing_of_this_one(box: Mailbox, forward: Forward) -> None:
    earlier = box.start()
    forward(timedelta(minutes=1))
    box.start()

    box.desk.do(self_tests.failed, earlier, "refused")

    assert state(box) == (SelfTest.RUNNING, NOON + timedelta(minutes=1), "", False)


def test_lost_job_is_woken_until_the_mail_was_handed_over(box: Mailbox, forward: Forward) -> None:
    box.desk.do(self_tests.start, box.admin, box.id)
    forward(timedelta(seconds=61))
    lost = box.desk.do(upkeep.reconcile)
    box.desk.do(self_tests.sent, box.desk.do(self_tests.due, box.desk.keys, box.id))

    assert (lost, box.desk.do(upkeep.reconcile)) == (1, 0)
    assert box.desk.do(self_tests.due, box.desk.keys, box.id) is None


def test_job_that_never_succeeds_is_not_woken_for_ever(box: Mailbox, forward: Forward) -> None:
    box.desk.do(self_tests.start, box.admin, box.id)
    forward(timedelta(hours=2))

    assert box.desk.do(upkeep.reconcile) == 0


def test_form_drawn_before_it_passed_does_not_undo_it(box: Mailbox) -> None:
    drawn = inboxes.test_stamp(box.row)
    box.receive(box.start().token)

    box.change(CONFIG.model_copy(update={"sender_name": "Shop"}), drawn)

    assert state(box) == (SelfTest.PASSED, NOON, "", True)
    assert box.config.sender_name == "Shop"


def test_who_saw_that_it_passed_may_switch_it_off(box: Mailbox) -> None:
    box.receive(box.start().token)

    box.change(CONFIG, inboxes.test_stamp(box.row))

    assert state(box) == (SelfTest.PASSED, NOON, "", False)


def test_form_drawn_before_it_passed_may_still_name_another_server(box: Mailbox) -> None:
    drawn = inboxes.test_stamp(box.row)
    box.receive(box.start().token)

    box.change(CONFIG.model_copy(update={"imap_host": "mail.elsewhere.test"}), drawn)

    assert state(box) == (SelfTest.NEVER, None, "", False)


def test_another_server_has_to_prove_it_again(box: Mailbox) -> None:
    box.receive(box.start().token)

    box.change(box.config.model_copy(update={"imap_host": "mail.elsewhere.test"}))

    assert state(box) == (SelfTest.NEVER, None, "", False)


def test_nobody_switches_it_on_by_hand(desk: Desk) -> None:
    claimed = CONFIG.model_copy(update={"reply_tokens": True})
    box = connect(desk, claimed)
    made = state(box)

    box.change(claimed)

    assert (made, state(box)) == ((SelfTest.NEVER, None, "", False),) * 2


def test_only_administrators_test_inboxes_that_are_on(desk: Desk, box: Mailbox) -> None:
    desk.do(inboxes.set_enabled, box.admin, box.id, enabled=False)

    with pytest.raises(NotAllowed):
        desk.do(self_tests.start, desk.lead, box.id)
    with pytest.raises(Conflict):
        desk.do(self_tests.start, box.admin, box.id)

    assert box.row.self_test is SelfTest.NEVER
