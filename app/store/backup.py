"""All there is in one file: every row of one moment, the files rows name, and the key.

A tar file of `manifest.json`, `secret.key`, `tables/NAME.jsonl` with a JSON object a row, and
`blobs/SHA256`. It knows no database kind, so what was written from one can be loaded into the
other. The job engine's tables and the search index are not in it: both are made anew from the
rows.
"""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Column, Connection, LargeBinary, Table, delete, func, text, union
from sqlalchemy import select as sql_select
from sqlmodel import Session

from app.core import clock
from app.core.errors import Invalid
from app.core.key_file import is_whole
from app.store import schema
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Arrival, Attachment, DraftFile, Message, metadata
from app.store.types import UtcDateTime

FORMAT = 1
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the file says of itself; `tables` is rows and SHA-256 of each."""

    format: int
    version: str
    schema: str
    made_at: str
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    blobs: int = 0
    missing: int = 0  # files that rows named and that were not there

    @property
    def rows(self) -> int:
        return sum(rows for rows, _ in self.tables.values())


def write(database: Database, blobs: Blobs, key: bytes, version: str, target: Path) -> Manifest:
    """Copy everything as it is at one moment, while others go on working.

    The file appears under its name when it is complete and durable, readable by its owner only.
    """
    draft = target.with_name(f".{target.name}.part")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".setten-backup-") as folder:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                with blobs.all_staying(), _snapshot(database) as connection:
                    manifest = _write(connection, blobs, key, version, (file, Path(folder)))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    return manifest


def _snapshot(database: Database) -> Connection:
    connection = database.reader.connect()
    if not database.is_sqlite:  # there a transaction that reads has one view anyway
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _write(
    connection: Connection, blobs: Blobs, key: bytes, version: str, place: tuple[BinaryIO, Path]
) -> Manifest:
    file, folder = place
    tables = {name: _dump(connection, metadata.tables[name], folder) for name in _names()}
    named = _named_blobs()
    there = missing = 0
    for sha256 in connection.execute(named).scalars():
        found = blobs.path(sha256).exists()
        there, missing = there + found, missing + (not found)
    manifest = Manifest(
        FORMAT, version, schema.HEAD, clock.now().isoformat(), tables, there, missing
    )
    with tarfile.open(fileobj=file, mode="w|") as tar:
        about = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
        _add(tar, "manifest.json", io.BytesIO(about), len(about))
        _add(tar, "secret.key", io.BytesIO(key), len(key))
        for name in tables:
            path = folder / name
            with path.open("rb") as rows:
                _add(tar, f"tables/{name}.jsonl", rows, path.stat().st_size)
        for sha256 in connection.execute(named).yield_per(_BATCH).scalars():
            path = blobs.path(sha256)
            if path.exists():
                with path.open("rb") as blob:
                    _add(tar, f"blobs/{sha256}", blob, path.stat().st_size)
    return manifest


def _add(tar: tarfile.TarFile, name: str, content: Any, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    member.mtime = int(clock.now().timestamp())
    tar.addfile(member, content)
    tar.members.clear()  # type: ignore[attr-defined] # it would remember a million of them


def _names() -> list[str]:
    return sorted(metadata.tables)


def _named_blobs() -> Any:
    columns = (
        Arrival.sha256,
        Arrival.original_sha256,
        Message.rendered_sha256,
        Attachment.sha256,
        DraftFile.sha256,
    )
    each = union(*(sql_select(column.label("sha256")) for column in columns)).subquery()  # type: ignore[attr-defined]
    return sql_select(each.c.sha256).where(each.c.sha256 != "").order_by(each.c.sha256)


def _dump(connection: Connection, table: Table, folder: Path) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    with (folder / table.name).open("wb") as file:
        rows = connection.execution_options(stream_results=True).execute(
            sql_select(table).order_by(table.c.id)
        )
        for row in rows.yield_per(_BATCH).mappings():
            line = json.dumps(
                {name: _plain(value) for name, value in row.items()}, ensure_ascii=False
            ).encode()
            file.write(line + b"\n")
            digest.update(line + b"\n")
            count += 1
    return count, digest.hexdigest()


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode()
        case _:
            return value


class Archive:
    """An opened backup: its tables are laid out in `folder`, its files are in the blob store."""

    def __init__(self, manifest: Manifest, key: bytes, folder: Path) -> None:
        self.manifest = manifest
        self.key = key
        self.folder = folder

    def rows(self, table: Table) -> Iterator[dict[str, Any]]:
        columns = {column.name: column for column in table.columns}
        with (self.folder / table.name).open("rb") as file:
            for line in file:
                row: dict[str, Any] = json.loads(line)
                yield {name: _read(columns[name], value) for name, value in row.items()}


def _read(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return b64decode(value)
    return value


def unpack(source: Path, blobs: Blobs, folder: Path) -> Archive:
    """Check every byte of a backup and put its files into the blob store, where more than is
    needed does no harm. Raises `Invalid` for what is no complete backup; no row is touched."""
    try:
        with tarfile.open(source, "r|") as tar:
            return _unpack(tar, blobs, folder)
    except OSError as problem:
        raise Invalid(f"{source} cannot be read: {problem.strerror or problem}.") from problem
    except (tarfile.TarError, ValueError, KeyError, TypeError) as problem:
        raise Invalid(f"{source} is no complete backup of Setten: {problem}.") from problem


def _unpack(tar: tarfile.TarFile, blobs: Blobs, folder: Path) -> Archive:
    manifest: Manifest | None = None
    key, found = b"", 0
    for member in tar:
        kind, _, name = member.name.partition("/")
        body = tar.extractfile(member)
        if body is None:
            raise ValueError(f"{member.name} is no file")
        if kind == "manifest.json":
            manifest = _manifest(json.load(body))
        elif kind == "secret.key":
            key = body.read()
        elif kind == "tables":
            _lay_out(body, folder / name.removesuffix(".jsonl"), manifest)
        elif kind == "blobs":
            if blobs.put(body.read()) != name:
                raise ValueError(f"the file {name[:12]}… is damaged")
            found += 1
        tar.members.clear()  # type: ignore[attr-defined] # see _add
    if manifest is None or not is_whole(key) or found != manifest.blobs:
        raise ValueError("its end is missing")
    return Archive(manifest, key, folder)


def _manifest(found: Mapping[str, Any]) -> Manifest:
    tables = {name: (rows, sha256) for name, (rows, sha256) in found["tables"].items()}
    manifest = Manifest(**{**found, "tables": tables})
    if manifest.format != FORMAT or manifest.schema != schema.HEAD:
        raise Invalid(
            f"This backup was made by Setten {manifest.version}, whose tables are others: restore "
            "it with that version, then upgrade.",
            found=manifest.schema,
            wanted=schema.HEAD,
        )
    if sorted(tables) != _names():
        raise ValueError("it has other tables than its version")
    return manifest


def _lay_out(body: Any, path: Path, manifest: Manifest | None) -> None:
    if manifest is None or path.name not in manifest.tables:
        raise ValueError(f"nobody announced the table {path.name}")
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while piece := body.read(1 << 20):
            file.write(piece)
            digest.update(piece)
    if digest.hexdigest() != manifest.tables[path.name][1]:
        raise ValueError(f"the table {path.name} is damaged")


def load(session: Session, archive: Archive) -> None:
    """Put the archive's rows in the place of all that are there, in the caller's transaction."""
    connection = session.connection()
    order, late = _order()
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    connection.execute(text("DELETE FROM search"))
    for table in reversed(order):
        for column in late.get(table.name, ()):
            connection.execute(table.update().values({column: None}))
    for table in reversed(order):
        connection.execute(delete(table))
    for table in order:
        early = _without(late.get(table.name, ()), archive.rows(table))
        for batch in _batches(early if is_sqlite else map(_without_nul, early)):
            connection.execute(table.insert(), batch)
    for table in order:
        for column in late.get(table.name, ()):
            _point(connection, table, column, archive.rows(table))
    if not is_sqlite:
        for table in order:
            _go_on_counting(connection, table)


def _order() -> tuple[list[Table], dict[str, tuple[str, ...]]]:
    """Tables so that a row comes after those it names, and columns that close a circle: these
    are filled in at the end."""
    order: list[Table] = []
    late: dict[str, list[str]] = {}
    under_way: set[str] = set()

    def visit(table: Table) -> None:
        if table in order or table.name in under_way:
            return
        under_way.add(table.name)
        for column in table.columns:
            for key in column.foreign_keys:
                target = key.column.table
                if target.name in under_way:
                    late.setdefault(table.name, []).append(column.name)
                else:
                    visit(target)
        under_way.discard(table.name)
        order.append(table)

    # From the other end of the alphabet, so that what closes a circle is the copies of arrivals,
    # of which there are few.
    for name in reversed(_names()):
        visit(metadata.tables[name])
    return order, {name: tuple(columns) for name, columns in late.items()}


def _without(columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        row.update(dict.fromkeys(columns))
        yield row


def _without_nul(row: dict[str, Any]) -> dict[str, Any]:
    """PostgreSQL has no text with a NUL in it; SQLite has."""
    return {
        name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
        for name, value in row.items()
    }


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        yield batch


def _point(
    connection: Connection, table: Table, column: str, rows: Iterable[dict[str, Any]]
) -> None:
    named = ({"row": row["id"], "target": row[column]} for row in rows if row[column] is not None)
    statement = text(f"UPDATE {table.name} SET {column} = :target WHERE id = :row")  # noqa: S608
    for batch in _batches(named):
        connection.execute(statement, batch)


def _go_on_counting(connection: Connection, table: Table) -> None:
    highest = connection.execute(sql_select(func.max(table.c.id))).scalar()
    connection.execute(
        text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :highest, :used)"),
        {"table": table.name, "highest": highest or 1, "used": highest is not None},
    )
