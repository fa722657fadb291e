"""Signed-in browsers: how one becomes so, how long it stays so, and how guessing is slowed.

Signing in has three steps, because comparing a password takes a third of a second and no
transaction may be open meanwhile: `begin` looks up and counts the attempt as a failure,
`app.core.passwords.is_right` compares, `succeed` takes the failure back and opens the session.
Counting first means that a thousand attempts at the same moment are a thousand failures.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.core import clock, secrets
from app.core.errors import NotAllowed, NotFound, TooMany
from app.services import changes
from app.services.access import Actor
from app.store.tables import Agent, Attempt, Login

SLIDING = timedelta(days=30)
ABSOLUTE = timedelta(days=90)
TOUCH_EVERY = timedelta(hours=1)  # a write for every page would be a write too many
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures are free, and how long the wait after them can get, in seconds."""

    free: int
    longest: int


# An address: short, so that nobody can lock its owner out for long. A network: many people may
# share one, and whoever tries one password on many addresses comes from it.
ADDRESS = Patience(free=5, longest=300)
NETWORK = Patience(free=20, longest=900)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who wants to sign in. An address nobody has looks just the same."""

    agent_id: int | None
    password_hash: str
    attempts: tuple[str, str]  # names of the two counters


@dataclass(frozen=True, slots=True)
class Known:
    """Whose session or key this is."""

    actor: Actor
    stale: bool = False  # not noted as seen for a while: `touch` it


@dataclass(frozen=True, slots=True)
class OpenSession:
    id: int
    browser: str
    created_at: datetime
    seen_at: datetime
    current: bool


def begin(session: Session, email: str, network: str) -> Candidate:
    """Look the address up and count the attempt. Raises `TooMany` with `seconds` to wait."""
    address = normal_email(email)
    names = (secrets.digest(f"address {address}"), secrets.digest(f"network {network}"))
    counters = [_counter(session, name) for name in names]
    now = clock.now()
    wait = max((c.until - now).total_seconds() if c.until else 0.0 for c in counters)
    if wait > 0:
        raise TooMany(
            "Too many attempts. Wait a moment before the next one.", seconds=int(wait) + 1
        )
    for counter, patience in zip(counters, (ADDRESS, NETWORK), strict=True):
        if counter.until and counter.until < now - FORGOTTEN_AFTER:
            counter.failures = 0
        counter.failures += 1
        beyond = counter.failures - patience.free
        seconds = min(2 ** min(beyond, 20), patience.longest) if beyond > 0 else 0
        counter.until = now + timedelta(seconds=seconds)
        session.add(counter)
    agent = session.exec(select(Agent).where(Agent.email == address)).one_or_none()
    if agent is None or not agent.active:
        return Candidate(None, "", names)
    return Candidate(agent.id, agent.password_hash, names)


def _counter(session: Session, name: str) -> Attempt:
    found = session.exec(
        select(Attempt).where(Attempt.name == name).with_for_update()
    ).one_or_none()
    if found:
        return found
    try:
        with session.begin_nested():
            made = Attempt(name=name)
            session.add(made)
    except IntegrityError:  # somebody else tried the same at this very moment
        return session.exec(select(Attempt).where(Attempt.name == name).with_for_update()).one()
    return made


def succeed(session: Session, candidate: Candidate, browser: str) -> str:
    """The password was right: take the failures back and open a session. Its token.

    Raises `NotAllowed` if the account changed while the password was compared.
    """
    agent = session.get(Agent, candidate.agent_id) if candidate.agent_id else None
    if agent is None or not agent.active or agent.password_hash != candidate.password_hash:
        raise NotAllowed("This account changed just now; sign in again.")
    address, network = (_counter(session, name) for name in candidate.attempts)
    # Only this attempt is forgiven to the network: one account of their own must not let
    # somebody try all others.
    address.failures, address.until = 0, None
    network.failures, network.until = max(0, network.failures - 1), clock.now()
    session.add_all([address, network])
    _forget(session)
    changes.record(session, _as_actor(agent), None, "signed_in")
    return open_for(session, agent.id, browser)


def _forget(session: Session) -> None:
    now = clock.now()
    session.execute(delete(Login).where(col(Login.expires_at) < now))
    session.execute(delete(Attempt).where(col(Attempt.until) < now - FORGOTTEN_AFTER))


def open_for(session: Session, agent_id: int, browser: str) -> str:
    """A new session, always with a token of its own. Only the digest is stored."""
    token, now = secrets.new_token(), clock.now()
    session.add(
        Login(
            digest=secrets.digest(token),
            agent_id=agent_id,
            browser=browser[:200],
            created_at=now,
            seen_at=now,
            expires_at=now + SLIDING,
        )
    )
    session.flush()
    return token


# Made once: every request asks this, and making it costs as much as running it.
_WHOSE = (
    sql_select(
        col(Login.id),
        col(Login.seen_at),
        col(Agent.id),
        col(Agent.name),
        col(Agent.role),
        col(Agent.language),
        col(Agent.theme),
    )
    .join(Agent, col(Agent.id) == col(Login.agent_id))
    .where(
        col(Login.digest) == bindparam("digest"),
        col(Login.expires_at) > bindparam("now"),
        col(Agent.active).is_(True),
    )
)


def actor_of_login(session: Session, token: str) -> Known | None:
    """Whose session it is; one statement."""
    now = clock.now()
    found = (
        session.connection()
        .execute(_WHOSE, {"digest": secrets.digest(token), "now": now})
        .one_or_none()
    )
    if found is None:
        return None
    login_id, seen_at, agent_id, name, role, language, theme = found
    actor = Actor(
        name=name, role=role, agent_id=agent_id, language=language, login_id=login_id, theme=theme
    )
    return Known(actor, stale=seen_at < now - TOUCH_EVERY)


def touch(session: Session, login_id: int) -> None:
    """Note that the browser was here, and let its session live on up to the absolute limit."""
    login = session.get(Login, login_id)
    if login:
        login.seen_at = clock.now()
        login.expires_at = min(login.seen_at + SLIDING, login.created_at + ABSOLUTE)
        session.add(login)


def sign_out(session: Session, actor: Actor) -> None:
    session.execute(delete(Login).where(col(Login.id) == actor.login_id))


def listed(session: Session, actor: Actor) -> tuple[OpenSession, ...]:
    """The actor's own sessions, the one used last first."""
    rows = session.exec(
        select(Login)
        .where(Login.agent_id == actor.agent_id, col(Login.expires_at) > clock.now())
        .order_by(col(Login.seen_at).desc(), col(Login.id).desc())
    ).all()
    return tuple(
        OpenSession(row.id, row.browser, row.created_at, row.seen_at, row.id == actor.login_id)
        for row in rows
    )


def revoke(session: Session, actor: Actor, login_id: int) -> None:
    """End one of the actor's own sessions. Raises `NotFound` for anybody else's."""
    login = session.get(Login, login_id)
    if login is None or login.agent_id != actor.agent_id:
        raise NotFound("There is no such session.")
    session.delete(login)


def revoke_others(session: Session, actor: Actor) -> None:
    session.execute(
        delete(Login).where(
            col(Login.agent_id) == actor.agent_id, col(Login.id) != (actor.login_id or 0)
        )
    )


def alive(session: Session, login_ids: set[int]) -> set[int]:
    """Which of these sessions may still be spoken to."""
    return set(
        session.exec(
            select(Login.id)
            .join(Agent, col(Agent.id) == col(Login.agent_id))
            .where(
                col(Login.id).in_(login_ids),
                col(Login.expires_at) > clock.now(),
                col(Agent.active).is_(True),
            )
        ).all()
    )


def forgive(session: Session, email: str) -> None:
    """Forget the failures of an address: its owner chose a new password."""
    name = secrets.digest(f"address {normal_email(email)}")
    session.execute(delete(Attempt).where(col(Attempt.name) == name))


def normal_email(email: str) -> str:
    return email.strip().lower()


def _as_actor(agent: Agent) -> Actor:
    return Actor(name=agent.name, role=agent.role, agent_id=agent.id)
