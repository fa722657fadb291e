"""The installation's key belongs to its database: a mark of it is kept there, never the key."""

from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session, col, delete, select

from app.core.errors import Invalid
from app.core.key_file import load_key, read_key
from app.core.secrets import Keys
from app.store.database import Database
from app.store.tables import KeyMark

_WAY_OUT = (
    "Put the right key there; every backup holds it, and “setten restore” brings it back. If it is "
    "lost for good, “setten migrate --new-key” goes on with another one: then inboxes have to be "
    "told their passwords anew, and links sent before lead nowhere."
)


def open_keys(database: Database, path: Path) -> Keys:
    """What the key in `path` makes. A database that knows no key yet takes this one, which is made
    where there is none. Raises `Invalid` when the database knows another."""
    if marked(database):
        keys = _right_keys(database, path)
    else:
        keys = Keys(load_key(path))
        with database.transaction() as session:
            # Of two processes that start together one is first; the other one compares.
            statement = "INSERT INTO key_mark (id, mark) VALUES (1, :mark) ON CONFLICT DO NOTHING"
            session.execute(text(statement), {"mark": keys.mark})
        keys = _right_keys(database, path)
    return keys


def check_key(database: Database, path: Path) -> None:
    """Raises `Invalid` when the database knows a key and it is not the one in `path`."""
    if marked(database):
        _right_keys(database, path)


def marked(database: Database) -> str:
    """The mark of the key this database was begun with; "" where there is none yet."""
    with database.reading() as session:
        return session.exec(select(KeyMark.mark).where(KeyMark.id == 1)).first() or ""


def mark(session: Session, keys: Keys) -> None:
    """From now on this is the key that belongs to the database."""
    session.execute(delete(KeyMark).where(col(KeyMark.id) == 1))
    session.add(KeyMark(id=1, mark=keys.mark))


def _right_keys(database: Database, path: Path) -> Keys:
    try:
        keys = Keys(read_key(path))
    except FileNotFoundError:
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: there is no key in {path}, and this database was begun with "
            f"one. {_WAY_OUT}"
        ) from None
    # Any of them: a change of keys may have been cut off between the file and the database.
    if not keys.has_mark(marked(database)):
        raise Invalid(
            f"SETTEN_SECRET_KEY_FILE: the key in {path} is not the one this database was begun "
            f"with. {_WAY_OUT}"
        )
    return keys
