"""What routes ask for: the database, who is signed in, where things are kept."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from app.core.secrets import Keys
from app.core.settings import Settings
from app.services.access import Actor
from app.store.blobs import Blobs
from app.store.database import Database


class SignInNeeded(Exception):
    """Nobody is signed in. Pages lead to the sign-in page, JSON answers 401."""


@dataclass(frozen=True, slots=True)
class House:
    """The parts a request may need, made once at start."""

    settings: Settings
    database: Database
    blobs: Blobs
    keys: Keys


# Coroutines, although they wait for nothing: the framework sends plain functions to a thread.


async def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def _database(request: Request) -> Database:
    return (await _house(request)).database


async def _actor(request: Request) -> Actor:
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None:
        raise SignInNeeded
    return actor


BIGGEST = 2**63 - 1  # number a row can have

Id = Annotated[int, Path(ge=1, le=BIGGEST)]
TheHouse = Annotated[House, Depends(_house)]
Db = Annotated[Database, Depends(_database)]
CurrentActor = Annotated[Actor, Depends(_actor)]
"""Who is signed in; `app.web.security` puts them on the request."""
