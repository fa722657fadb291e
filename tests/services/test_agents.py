"""Accounts: one-time links, roles, and the last administrator."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from app.core import clock
from app.core.errors import Conflict, Invalid, NotAllowed, NotFound
from app.domain.words import Role
from app.services import agents, api_keys, sessions
from app.services.access import SYSTEM, Actor
from app.services.agents import AgentView, InvitationView, NewAgent
from app.store.database import Database
from app.store.tables import Agent, Change, Invitation, Login

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make(db: Database, name: str, role: Role = Role.AGENT) -> Actor:
    """An agent with a signed-in browser."""
    with db.transaction() as session:
        wanted = NewAgent(name, f"{name}@hoshi.example", password_hash=f"hash of {name}")
        agent = agents.add(session, SYSTEM, wanted, role)
        token = sessions.open_for(session, agent.id, "Firefox")
    known = known_by(db, token)
    assert known is not None
    return known


def known_by(db: Database, token: str) -> Actor | None:
    with db.reading() as session:
        known = sessions.actor_of_login(session, token)
    return known.actor if known else None


def first_link(db: Database) -> str:
    with db.transaction() as session:
        token = agents.first_link(session)
    assert token is not None
    return token


def test_first_link_makes_the_first_administrator_once(db: Database) -> None:
    token = first_link(db)

    with db.transaction() as session:
        seen = agents.open_invitation(session, token)
        made = agents.accept_invitation(
            session, token, NewAgent("  Ann  Becker ", "Ann@Hoshi.example ", "hash", "de")
        )
    with db.transaction() as session:
        again = agents.first_link(session)

    assert seen == InvitationView(email="", role=Role.ADMIN, first=True, reset=False)
    assert (made.name, made.email, made.role, made.language) == (
        "Ann Becker", "ann@hoshi.example", Role.ADMIN, "de",
    )  # fmt: skip
    assert again is None
    with pytest.raises(NotFound), db.transaction() as session:
        agents.accept_invitation(session, token, NewAgent("Eve", "eve@evil.example", "hash"))


def test_later_start_replaces_the_first_link(db: Database) -> None:
    old, new = first_link(db), first_link(db)

    with db.reading() as session:
        assert agents.open_invitation(session, new).first
        with pytest.raises(NotFound):
            agents.open_invitation(session, old)


def test_only_the_digest_of_a_link_is_stored(db: Database) -> None:
    token = first_link(db)

    with db.reading() as session:
        row = session.exec(select(Invitation)).one()
    assert token not in str(row.model_dump())


def test_second_first_link_is_dead_once_an_administrator_exists(db: Database) -> None:
    token = first_link(db)
    make(db, "boss", Role.ADMIN)

    with pytest.raises(NotFound), db.transaction() as session:
        agents.accept_invitation(session, token, NewAgent("Eve", "eve@evil.example", "hash"))

    with db.reading() as session:
        assert [agent.name for agent in agents.listed(session)] == ["boss"]


def test_invitation_fixes_address_and_role_and_works_once(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)

    with db.transaction() as session:
        token = agents.invite(session, boss, "Lea@Hoshi.example", Role.LEAD)
    with db.transaction() as session:
        made = agents.accept_invitation(session, token, NewAgent("Lea", "eve@evil.example", "h"))

    assert (made.email, made.role) == ("lea@hoshi.example", Role.LEAD)
    with pytest.raises(NotFound), db.transaction() as session:
        agents.accept_invitation(session, token, NewAgent("Eve", "eve@evil.example", "h"))


def test_second_invitation_replaces_the_first(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)

    with db.transaction() as session:
        old = agents.invite(session, boss, "lea@hoshi.example", Role.LEAD)
        agents.invite(session, boss, "lea@hoshi.example", Role.AGENT)

    with db.reading() as session:
        assert [(i.email, i.role) for i in agents.pending(session, boss)] == [
            ("lea@hoshi.example", Role.AGENT)
        ]
        with pytest.raises(NotFound):
            agents.open_invitation(session, old)


def test_withdrawn_or_old_invitation_does_not_work(db: Database) -> None:
    with clock.at(NOON) as forward:
        boss = make(db, "boss", Role.ADMIN)
        with db.transaction() as session:
            withdrawn = agents.invite(session, boss, "lea@hoshi.example", Role.LEAD)
            agents.withdraw(session, boss, agents.pending(session, boss)[0].id)
            old = agents.invite(session, boss, "mia@hoshi.example", Role.LEAD)
        forward(timedelta(days=7))

        with db.reading() as session:
            for token in (withdrawn, old, "", "*"):
                with pytest.raises(NotFound):
                    agents.open_invitation(session, token)


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD])
def test_only_administrators_manage_people(db: Database, role: Role) -> None:
    someone = make(db, "someone", role)
    other = make(db, "other")
    assert other.agent_id is not None

    with db.transaction() as session:
        for act in (
            lambda: agents.invite(session, someone, "x@hoshi.example", Role.AGENT),
            lambda: agents.set_role(session, someone, someone.agent_id or 0, Role.ADMIN),
            lambda: agents.deactivate(session, someone, other.agent_id or 0),
            lambda: agents.activate(session, someone, other.agent_id or 0),
            lambda: agents.pending(session, someone),
            lambda: agents.withdraw(session, someone, 1),
            lambda: api_keys.create(session, someone, "key"),
            lambda: api_keys.listed(session, someone),
            lambda: api_keys.revoke(session, someone, 1),
        ):
            with pytest.raises(NotAllowed):
                act()


@pytest.mark.parametrize(
    "email",
    ["", "nobody", "a b@x.example", "a@b@c", "a@x.example\r\nBcc: e@evil.example", "<a@x.example>"],
)
def test_what_is_no_address_is_refused(db: Database, email: str) -> None:
    boss = make(db, "boss", Role.ADMIN)

    with pytest.raises(Invalid), db.transaction() as session:
        agents.invite(session, boss, email, Role.AGENT)


def test_address_with_an_account_is_not_invited(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)

    with pytest.raises(Conflict), db.transaction() as session:
        agents.invite(session, boss, "BOSS@hoshi.example", Role.AGENT)


def test_reset_gives_a_new_password_and_ends_every_session(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)

    with db.transaction() as session:
        token = agents.reset(session, "boss@HOSHI.example")
        seen = agents.open_invitation(session, token)
    with db.transaction() as session:
        agents.accept_invitation(session, token, NewAgent("ignored", "ignored", "new hash"))

    assert seen == InvitationView("boss@hoshi.example", Role.ADMIN, False, True, "boss")
    with db.reading() as session:
        assert session.get_one(Agent, boss.agent_id).password_hash == "new hash"
        assert session.exec(select(Login)).all() == []


def test_reset_link_dies_after_an_hour_and_with_any_new_password(db: Database) -> None:
    with clock.at(NOON) as forward:
        boss = make(db, "boss", Role.ADMIN)
        with db.transaction() as session:
            first = agents.reset(session, "boss@hoshi.example")
        with db.transaction() as session:
            agents.change_password(session, boss, "hash of boss", "new hash")
        with db.transaction() as session:
            second = agents.reset(session, "boss@hoshi.example")
        forward(timedelta(hours=1))

        with db.reading() as session:
            for token in (first, second):
                with pytest.raises(NotFound):
                    agents.open_invitation(session, token)


def test_changing_the_password_keeps_this_browser_only(db: Database) -> None:
    ann = make(db, "ann")
    assert ann.agent_id is not None
    with db.transaction() as session:
        elsewhere = sessions.open_for(session, ann.agent_id, "Safari")

    with db.transaction() as session:
        agents.change_password(session, ann, "hash of ann", "new hash")

    assert known_by(db, elsewhere) is None
    with db.reading() as session:
        assert [row.id for row in session.exec(select(Login))] == [ann.login_id]


def test_password_changed_meanwhile_is_a_conflict(db: Database) -> None:
    ann = make(db, "ann")

    with pytest.raises(Conflict), db.transaction() as session:
        agents.change_password(session, ann, "what it was before", "new hash")


def test_last_administrator_stays(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)
    assert boss.agent_id is not None

    with pytest.raises(Conflict), db.transaction() as session:
        agents.deactivate(session, boss, boss.agent_id)
    with pytest.raises(Conflict), db.transaction() as session:
        agents.set_role(session, boss, boss.agent_id, Role.LEAD)

    with db.reading() as session:
        agent = session.get_one(Agent, boss.agent_id)
        assert (agent.role, agent.active) == (Role.ADMIN, True)


def test_one_of_two_administrators_may_go(db: Database) -> None:
    boss, other = make(db, "boss", Role.ADMIN), make(db, "other", Role.ADMIN)
    assert boss.agent_id is not None
    assert other.agent_id is not None

    with db.transaction() as session:
        agents.deactivate(session, boss, other.agent_id)
    with pytest.raises(Conflict), db.transaction() as session:
        agents.deactivate(session, boss, boss.agent_id)


def test_deactivated_agent_loses_sessions_and_keys_at_once(db: Database) -> None:
    boss, other = make(db, "boss", Role.ADMIN), make(db, "other", Role.ADMIN)
    assert other.agent_id is not None
    with db.transaction() as session:
        token = sessions.open_for(session, other.agent_id, "Safari")
        _, key = api_keys.create(session, other, "exporter")

    with db.transaction() as session:
        agents.deactivate(session, boss, other.agent_id)

    with db.reading() as session:
        assert sessions.actor_of_login(session, token) is None
        assert api_keys.actor_of_key(session, key) is None


def test_new_role_ends_the_sessions_of_the_old_one(db: Database) -> None:
    boss, ann = make(db, "boss", Role.ADMIN), make(db, "ann")
    assert ann.agent_id is not None
    with db.transaction() as session:
        token = sessions.open_for(session, ann.agent_id, "Safari")

    with db.transaction() as session:
        made = agents.set_role(session, boss, ann.agent_id, Role.LEAD)

    assert made.role is Role.LEAD
    assert known_by(db, token) is None


def test_listed_shows_everybody_by_name(db: Database) -> None:
    with clock.at(NOON):
        boss, ann = make(db, "boss", Role.ADMIN), make(db, "ann")
    assert boss.agent_id is not None
    assert ann.agent_id is not None

    with db.reading() as session:
        found = agents.listed(session)

    assert found == (
        AgentView(ann.agent_id, "ann", "ann@hoshi.example", Role.AGENT, "", True, NOON),
        AgentView(boss.agent_id, "boss", "boss@hoshi.example", Role.ADMIN, "", True, NOON),
    )


def test_what_was_done_with_accounts_is_written_down_without_addresses(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)
    with db.transaction() as session:
        agents.invite(session, boss, "lea@hoshi.example", Role.LEAD)

    with db.reading() as session:
        rows = session.exec(select(Change)).all()

    assert [row.what for row in rows] == ["agent_added", "agent_invited"]
    assert "lea@hoshi.example" not in str([row.data for row in rows])


def test_api_key_acts_with_its_agents_rights_until_revoked(db: Database) -> None:
    boss = make(db, "boss", Role.ADMIN)
    with db.transaction() as session:
        number, key = api_keys.create(session, boss, " exporter ")

    with db.reading() as session:
        known = api_keys.actor_of_key(session, key)
        shown = api_keys.listed(session, boss)
    with db.transaction() as session:
        api_keys.revoke(session, boss, number)

    assert known is not None
    assert (known.actor.agent_id, known.actor.role, known.actor.login_id) == (
        boss.agent_id, Role.ADMIN, None,
    )  # fmt: skip
    assert [(row.id, row.name, row.agent) for row in shown] == [(number, "exporter", "boss")]
    with db.reading() as session:
        assert api_keys.actor_of_key(session, key) is None
