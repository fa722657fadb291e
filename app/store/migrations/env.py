"""How Alembic compares and changes our tables; `app.store.schema` calls it, never a person."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from app.store.tables import metadata
from app.store.types import UtcDateTime

# Made by hand in a migration, or by the job engine: not ours to compare.
_FOREIGN = frozenset(
    {
        "search", "search_config", "search_content", "search_data", "search_docsize", "search_idx",
        "application_versions", "datasource_outputs", "dbos_migrations", "event_dispatch_kv",
        "notifications", "operation_outputs", "queues", "streams", "workflow_events",
        "workflow_events_history", "workflow_input", "workflow_output", "workflow_schedules",
        "workflow_status",
    }
)  # fmt: skip


def include_object(_thing: object, name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:
    return kind != "table" or name not in _FOREIGN


def render_item(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations import nothing of ours: what a table meant then must not change with it."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and type(thing).__name__ == "AutoString":
        return f"sa.String(length={thing.length})" if thing.length else "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can hardly alter a table: a batch makes a new one and copies the rows.
    render_as_batch=True,
    include_object=include_object,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
