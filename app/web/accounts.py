"""Everything that compares or hashes a password: slow work, outside every transaction.

Two at a time in a thread of their own; whoever comes while many wait is sent away, so that a
flood of sign-ins cannot take the machine.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from fastapi import Request

from app.core import passwords
from app.core.errors import Invalid, TooMany
from app.services import agents, sessions
from app.services.access import Actor
from app.services.agents import NewAgent
from app.store.database import Database
from app.web.deps import House
from app.web.origin import network_of

AT_ONCE = 2
WAITING = 16

Result = TypeVar("Result")


def make_limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(AT_ONCE)


async def _slowly(request: Request, work: Callable[[], Result]) -> Result:
    limiter: anyio.CapacityLimiter = request.app.state.password_limiter
    if limiter.statistics().tasks_waiting >= WAITING:
        raise TooMany("Too many people sign in at this moment.", seconds=5)
    return await anyio.to_thread.run_sync(work, limiter=limiter)


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def _write(request: Request, work: Callable[[Database], Result]) -> Result:
    return await anyio.to_thread.run_sync(work, _house(request).database)


def _browser(request: Request) -> str:
    return request.headers.get("user-agent", "")


async def sign_in(request: Request, email: str, password: str) -> str:
    """The token of a new session, for `security.set_session`. Raises `Invalid` or `TooMany`."""

    def begin(database: Database) -> sessions.Candidate:
        with database.transaction() as session:
            return sessions.begin(session, email, network_of(request))

    candidate = await _write(request, begin)
    right = await _slowly(request, partial(passwords.is_right, password, candidate.password_hash))
    if not right:
        raise Invalid("The address or the password is not right.")

    def succeed(database: Database) -> str:
        with database.transaction() as session:
            return sessions.succeed(session, candidate, _browser(request))

    return await _write(request, succeed)


async def accept_invitation(
    request: Request, token: str, name: str, email: str, password: str, language: str = ""
) -> str:
    """Make the account of a one-time link, or its new password, and sign it in: the token.

    Raises `NotFound` for a link that does not work, before any slow work.
    """

    def look(database: Database) -> agents.InvitationView:
        with database.reading() as session:
            return agents.open_invitation(session, token)

    invitation = await _write(request, look)
    address = invitation.email or email
    hashed = await _slowly(request, partial(passwords.make_hash, password, address))

    def accept(database: Database) -> str:
        with database.transaction() as session:
            agent = agents.accept_invitation(
                session, token, NewAgent(name or invitation.name, address, hashed, language)
            )
            return sessions.open_for(session, agent.id, _browser(request))

    return await _write(request, accept)


async def change_password(request: Request, actor: Actor, old: str, new: str) -> None:
    """Raises `Invalid` when `old` is not right; guessing it is slowed like signing in."""

    def begin(database: Database) -> tuple[str, sessions.Candidate]:
        with database.transaction() as session:
            email = agents.own(session, actor).email
            return email, sessions.begin(session, email, network_of(request))

    email, candidate = await _write(request, begin)
    if not await _slowly(request, partial(passwords.is_right, old, candidate.password_hash)):
        raise Invalid("The old password is not right.", field="old")
    hashed = await _slowly(request, partial(passwords.make_hash, new, email))

    def change(database: Database) -> None:
        with database.transaction() as session:
            agents.change_password(session, actor, candidate.password_hash, hashed)
            sessions.forgive(session, email)

    await _write(request, change)
