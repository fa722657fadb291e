"""Write a migration: `python -m app.store.migrations.new "what it does"`. See README.md here."""

import argparse
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateTableOp,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
)
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, ForeignKeyConstraint
from typing_extensions import override

from app.store import schema
from app.store.database import Database

VERSIONS = Path(__file__).parent / "versions"
BASELINE = "0001"


class OnlyWhereTablesAlter(MigrateOperation):
    """A step that SQLite neither needs nor knows."""

    def __init__(self, step: MigrateOperation) -> None:
        self.step = step

    @override
    def reverse(self) -> "OnlyWhereTablesAlter":
        return OnlyWhereTablesAlter(self.step.reverse())


@renderers.dispatch_for(OnlyWhereTablesAlter)
def _render(context: AutogenContext, step: OnlyWhereTablesAlter) -> list[str]:
    # The empty line ends the block.
    return [
        'if op.get_bind().dialect.name != "sqlite":',
        *render_op(context, step.step),
        "",
    ]


def in_order(_context: Any, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Make tables before those that point to them; where two point to each other, one of the
    links is made at the end, where the database wants it so; Alembic does not care."""
    ops = scripts[0].upgrade_ops
    assert ops is not None
    made: dict[str, CreateTableOp] = {
        step.table_name: step for step in ops.ops if isinstance(step, CreateTableOp)
    }
    rest: dict[str, list[MigrateOperation]] = {}
    for step in ops.ops:
        if not isinstance(step, CreateTableOp):
            name = step.table_name if isinstance(step, ModifyTableOps) else ""
            rest.setdefault(name, []).append(step)
    sorted_ops: list[MigrateOperation] = []
    later: list[MigrateOperation] = []
    under_way: set[str] = set()
    done: set[str] = set()

    def make(name: str) -> None:
        if name in done:
            return
        under_way.add(name)
        step = made[name]
        for link in [part for part in step.columns if isinstance(part, ForeignKeyConstraint)]:
            target = link.elements[0].target_fullname.split(".")[0]
            if target in under_way and target != name:
                link.use_alter = True  # SQLite still makes it with the table
                later.append(OnlyWhereTablesAlter(CreateForeignKeyOp.from_constraint(link)))
            elif target in made and target != name:
                make(target)
        under_way.discard(name)
        done.add(name)
        sorted_ops.extend([step, *rest.pop(name, [])])

    for name in sorted(made):
        make(name)
    ops.ops = [*sorted_ops, *later, *(step for steps in rest.values() for step in steps)]
    assert scripts[0].downgrade_ops is not None
    ops.reverse_into(scripts[0].downgrade_ops)


@contextmanager
def _database(*, upto: str | None) -> Iterator[Connection]:
    """An empty SQLite database, or one migrated up to a revision."""
    with TemporaryDirectory() as folder:
        database = Database("", Path(folder) / "scratch.sqlite3")
        try:
            with schema.connected(database) as connection:
                if upto:
                    command.upgrade(schema.alembic_config(connection), upto)
                yield connection
        finally:
            database.close()


def write(message: str, revision: str, folder: Path, upto: str | None) -> Path:
    with _database(upto=upto) as connection:
        config = schema.alembic_config(connection)
        if upto is None:
            config.set_main_option("version_locations", str(folder).replace("%", "%%"))
        with warnings.catch_warnings():
            # Of the tables that point to each other: `in_order` is the answer to it.
            warnings.filterwarnings("ignore", "Cannot correctly sort tables")
            command.revision(
                config,
                message,
                autogenerate=True,
                rev_id=revision,
                process_revision_directives=in_order,
            )
    (path,) = folder.glob(f"{revision}_*.py")
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line), "utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(path)], check=True)  # noqa: S603
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentence", nargs="?", help="what it does")
    parser.add_argument("--baseline", action="store_true", help="write 0001 anew from the tables")
    given = parser.parse_args()
    if given.baseline:
        with TemporaryDirectory() as folder:
            path = write("All tables but the search index.", BASELINE, Path(folder), None)
            (VERSIONS / f"{BASELINE}_baseline.py").write_text(path.read_text("utf-8"), "utf-8")
        return
    if not given.sentence:
        parser.error("say what it does")
    with _database(upto=None) as connection:
        scripts = ScriptDirectory.from_config(schema.alembic_config(connection))
        head = scripts.get_current_head() or "0000"
    write(given.sentence, f"{int(head) + 1:04}", VERSIONS, head)


if __name__ == "__main__":
    main()
