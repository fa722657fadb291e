import re
import sqlite3
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, inspect, text
from sqlmodel import col, select

from app.core.errors import Invalid
from app.store import schema, seeds
from app.store.database import Database
from app.store.tables import Segment, Stage, StageVocabulary, Topic, metadata
from classifier.taxonomy import TOPICS

Open = Callable[[], Database]


def _tables(connection: Connection) -> dict[str, object]:
    """Everything that is declared of our tables, as the database tells it."""
    found = inspect(connection)
    kinds: dict[str, Callable[[str], object]] = {
        "columns": lambda t: {
            c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(t)
        },
        "indexes": lambda t: {
            (i["name"], tuple(i["column_names"]), bool(i["unique"])) for i in found.get_indexes(t)
        },
        "unique": lambda t: {
            (u["name"], tuple(u["column_names"])) for u in found.get_unique_constraints(t)
        },
        "checks": lambda t: {
            (c["name"], re.sub(r"[\s()]", "", c["sqltext"])) for c in found.get_check_constraints(t)
        },
        "links": lambda t: {
            (f["name"], tuple(f["constrained_columns"]), f["referred_table"])
            for f in found.get_foreign_keys(t)
        },
    }
    return {
        name: {kind: look(name) for kind, look in kinds.items()} for name in sorted(metadata.tables)
    }


def _set_version(database: Database, version: str) -> None:
    with database.transaction() as session:
        session.connection().execute(
            text("UPDATE alembic_version SET version_num = :version"), {"version": version}
        )


def test_head_is_the_newest_file_of_the_migrations() -> None:
    files = sorted(Path(schema.__file__).parent.glob("migrations/versions/[0-9]*.py"))

    assert files[-1].name[:4] == schema.HEAD


def test_migrations_import_nothing_of_the_program() -> None:
    files = sorted(Path(schema.__file__).parent.glob("migrations/versions/*.py"))

    found = {line for file in files for line in file.read_text().splitlines() if "import" in line}

    assert found == {"import sqlalchemy as sa", "from alembic import op"}


def test_migrations_make_what_the_tables_declare(db: Database, empty_database: Open) -> None:
    declared = empty_database()
    with declared.engine.begin() as connection, warnings.catch_warnings():
        # Two tables point to each other; which is made first does not matter here.
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")
        metadata.create_all(connection)

    with declared.reader.connect() as wanted, db.reader.connect() as found:
        assert _tables(found) == _tables(wanted)


def test_autogenerate_finds_nothing_to_do(db: Database) -> None:
    with schema.connected(db) as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Cannot correctly sort tables")
        command.check(schema.alembic_config(connection))


def test_migrations_can_be_taken_back(db: Database) -> None:
    with schema.connected(db) as connection:
        command.downgrade(schema.alembic_config(connection), "base")
        left = set(inspect(connection).get_table_names())
        command.upgrade(schema.alembic_config(connection), schema.HEAD)
        again = set(inspect(connection).get_table_names())

    assert left & set(metadata.tables) == set()
    assert again >= {*metadata.tables, "search"}


def test_migrate_makes_everything_and_then_nothing_more(empty_database: Open) -> None:
    database = empty_database()

    schema.migrate(database)
    with database.reading() as session:
        once = [session.exec(select(t)).all() for t in (StageVocabulary, Stage, Topic, Segment)]
    schema.migrate(database)
    with database.reading() as session:
        twice = [session.exec(select(t)).all() for t in (StageVocabulary, Stage, Topic, Segment)]

    assert [len(rows) for rows in once] == [1, 7, 13, 4]
    assert [[row.model_dump() for row in rows] for rows in twice] == [
        [row.model_dump() for row in rows] for rows in once
    ]
    schema.check_current(database)


def test_migrate_keeps_what_people_made_of_the_seeds(db: Database) -> None:
    with db.transaction() as session:
        for segment in session.exec(select(Segment).where(col(Segment.key) != "others")):
            session.delete(segment)
        topic = session.exec(select(Topic).where(col(Topic.key) == "delivery")).one()
        topic.labels = {"en": "Parcels"}
        session.add(topic)

    schema.migrate(db)

    with db.reading() as session:
        topic = session.exec(select(Topic).where(col(Topic.key) == "delivery")).one()
        assert session.exec(select(Segment.key)).all() == ["others"]
        assert topic.labels == {"en": "Parcels"}


def test_several_migrations_at_once_are_one(empty_database: Open) -> None:
    databases = [empty_database() for _ in range(3)]
    failed: list[Exception] = []

    def migrate(database: Database) -> None:
        try:
            schema.migrate(database)
        except Exception as error:  # noqa: BLE001 - handed to the test
            failed.append(error)

    threads = [threading.Thread(target=migrate, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)

    with databases[0].reading() as session:
        keys = session.exec(select(Topic.key).order_by(col(Topic.position))).all()
    assert failed == []
    assert keys == [topic.key for topic in TOPICS]


def test_an_empty_database_is_not_current(empty_database: Open) -> None:
    with pytest.raises(Invalid) as caught:
        schema.check_current(empty_database())

    assert caught.value.message == (
        "The tables are missing or older than this program: run setten migrate."
    )


def test_older_tables_are_not_current(db: Database) -> None:
    _set_version(db, "0001")

    with pytest.raises(Invalid) as caught:
        schema.check_current(db)

    assert caught.value.data == {"found": "0001", "wanted": schema.HEAD}


def test_newer_tables_are_left_alone(db: Database) -> None:
    _set_version(db, "9999")

    with pytest.raises(Invalid) as checked:
        schema.check_current(db)
    with pytest.raises(Invalid) as migrated:
        schema.migrate(db)

    assert checked.value.message == migrated.value.message
    assert checked.value.message.startswith("This data was written by a newer Setten")
    assert schema.version(db) == "9999"


def test_sqlite_is_copied_before_it_is_changed(sqlite_db: Database, tmp_path: Path) -> None:
    with schema.connected(sqlite_db) as connection:
        command.downgrade(schema.alembic_config(connection), "0001")
    with sqlite_db.transaction() as session:
        session.add(Topic(key="own", position=99, labels={"en": "Our own"}))

    schema.migrate(sqlite_db, tmp_path / "backups")
    schema.migrate(sqlite_db, tmp_path / "backups")

    (copy,) = (tmp_path / "backups").iterdir()
    with sqlite3.connect(copy) as kept:
        rows = [
            kept.execute("SELECT version_num FROM alembic_version").fetchone(),
            kept.execute("SELECT position FROM topic WHERE key = 'own'").fetchone(),
            kept.execute("PRAGMA integrity_check").fetchone(),
        ]
    kept.close()
    assert rows == [("0001",), (99,), ("ok",)]
    assert schema.version(sqlite_db) == schema.HEAD


def test_a_failed_migration_changes_nothing(sqlite_db: Database) -> None:
    with schema.connected(sqlite_db) as connection:
        command.downgrade(schema.alembic_config(connection), "0001")
    raw = sqlite3.connect(str(sqlite_db.engine.url.database))
    raw.execute("INSERT INTO membership (team_id, agent_id) VALUES (41, 42)")
    raw.commit()
    raw.close()

    with pytest.raises(Invalid) as caught:
        schema.migrate(sqlite_db)

    assert caught.value.message == "Nothing was changed: rows of membership point nowhere."
    assert schema.version(sqlite_db) == "0001"


def test_the_job_engines_tables_are_made(db: Database) -> None:
    schema_name = None if db.is_sqlite else "dbos"

    with db.reader.connect() as connection:
        found = set(inspect(connection).get_table_names(schema_name))

    assert {"workflow_status", "operation_outputs"} <= found


def test_seeded_topics_are_the_classifiers() -> None:
    found = [(key, ja, de, en) for key, ja, de, en in seeds.TOPICS]

    assert found == [(t.key, t.label.ja, t.label.de, t.label.en) for t in TOPICS]


def test_seeded_stages_hold_every_anchor_once() -> None:
    assert [anchor for _, anchors, *_ in seeds.STAGES for anchor in anchors] == list("ABCDEFGHL")


def test_checking_loads_neither_alembic_nor_the_job_engine(sqlite_db: Database) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from app.store import schema; from app.store.database import Database\n"
        "schema.check_current(Database('', Path(sys.argv[1])))\n"
        "print(sorted({'alembic', 'dbos', 'pyphen'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(sqlite_db.engine.url.database)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"
