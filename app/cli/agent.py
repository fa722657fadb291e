"""`agent add | reset | list`: accounts, without a browser."""

import argparse

from app.cli import console
from app.cli.console import say
from app.core import passwords
from app.core.errors import Invalid
from app.core.settings import Settings
from app.domain.words import Role
from app.services import agents
from app.services.access import SYSTEM
from app.services.agents import NewAgent


def add(asked: argparse.Namespace, settings: Settings) -> int:
    role = Role(asked.role)
    if asked.password:
        return _add_with_password(asked, settings, role)
    with console.opened(settings) as house, house.database.transaction() as session:
        token = agents.invite(session, SYSTEM, asked.email, role)
    say(f"This link makes {asked.email} a member ({role}). It works once, for 7 days:")
    say(f"  {settings.link_base}/invitation/{token}")
    return 0


def _add_with_password(asked: argparse.Namespace, settings: Settings, role: Role) -> int:
    with console.opened(settings) as house:
        password = console.ask_secret(f"Password of {asked.email}")
        hashed = passwords.make_hash(password, asked.email)
        wanted = NewAgent(asked.name or asked.email.partition("@")[0], asked.email, hashed)
        with house.database.transaction() as session:
            made = agents.add(session, SYSTEM, wanted, role)
    say(f"{made.name} <{made.email}> can sign in at {settings.link_base}.")
    return 0


def reset(asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house, house.database.transaction() as session:
        token = agents.reset(session, asked.email)
    say(f"With this link {asked.email} chooses a new password. It works once, for an hour:")
    say(f"  {settings.link_base}/invitation/{token}")
    return 0


def show(_asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house, house.database.reading() as session:
        found = agents.listed(session)
        invited = agents.pending(session, SYSTEM)
    if not found and not invited:
        raise Invalid("Nobody has an account yet. “setten serve” prints the first link.")
    rows = [
        (one.name, one.email, str(one.role), "" if one.active else "switched off") for one in found
    ]
    rows += [("", one.email, str(one.role), "invited") for one in invited]
    console.table(("NAME", "EMAIL", "ROLE", ""), rows)
    return 0
