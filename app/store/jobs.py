"""Work to do later, written in the caller's own transaction.

The job is only a wake-up: the row it names is the truth, and a reconciler wakes rows that
are due and have no job. So losing every job costs a minute, and running one twice nothing.
"""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, text
from sqlmodel import Session
from typing_extensions import override

from app.store.database import Database, engine_of

if TYPE_CHECKING:
    from dbos import DBOSClient

APP = "setten"
WORKFLOW = "run_job"
QUEUES = {  # job → queue; the number is how often a worker looks, in seconds
    "file": ("intake", 0.4),
    "file_slow": ("slow", 2.0),  # apart: what takes long takes no place in the others' queue
    "deliver": ("outbox", 0.5),
    "self_test": ("outbox", 0.5),
    "copy": ("timers", 2.0),
    "ask": ("timers", 2.0),
    "tag": ("timers", 2.0),
    "train": ("timers", 2.0),
    "propose": ("timers", 2.0),
    "compare": ("timers", 2.0),
}

_clients: "WeakKeyDictionary[Engine, DBOSClient]" = WeakKeyDictionary()


def serializer() -> Any:
    """JSON in place of the engine's default: a pickle in a database is code waiting to run."""
    from dbos import Serializer  # noqa: PLC0415 - a process that only reads never loads the engine

    class Json(Serializer):
        @override
        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=str)

        @override
        def deserialize(cls, serialized_data: str) -> Any:  # noqa: N805 - the base names it so
            return json.loads(serialized_data)

        @override
        def name(self) -> str:
            return "setten_json"

    return Json()


def _client(session: Session) -> "DBOSClient":
    return _client_of(engine_of(session))


def _client_of(engine: Engine) -> "DBOSClient":
    if engine not in _clients:
        from dbos import DBOSClient  # noqa: PLC0415 - see above

        _clients[engine] = DBOSClient(
            system_database_engine=engine, serializer=serializer(), application_name=APP, lazy=True
        )
    return _clients[engine]


def enqueue(session: Session, name: str, *, delay: float = 0.0, **args: object) -> None:
    """Have a worker run job `name` after `delay` seconds, if this transaction commits."""
    queue, _ = QUEUES[name]
    options: dict[str, Any] = {
        "workflow_name": WORKFLOW,
        "queue_name": queue,
        "app_version": APP,
        "application_name": APP,
    }
    if delay > 0:
        options["delay_seconds"] = delay
    _client(session).enqueue_in_transaction(session.connection(), options, name, args)  # type: ignore[arg-type]


def prepare(database: Database) -> None:
    """Make or update the job engine's own tables. Idempotent."""
    from dbos import DBOSClient  # noqa: PLC0415 - see above

    engine = database.engine_for_jobs()
    client = DBOSClient(
        system_database_engine=engine, serializer=serializer(), application_name=APP, lazy=True
    )
    client._sys_db.run_migrations()  # only a launched worker offers it publicly
    if engine is not database.engine:
        engine.dispose()


def abandon(database: Database, living: Collection[str]) -> int:
    """End jobs that a worker began which is not there any more; how many.

    Nobody else would: the row each of them was about is woken by a new job.
    """
    client = _client_of(database.engine)
    begun = client.list_workflows(status="PENDING", limit=1000, load_input=False, load_output=False)
    left = [job.workflow_id for job in begun if job.executor_id not in living]
    if left:
        client.cancel_workflows(left)
    return len(left)


def waiting(session: Session) -> int:
    """How many jobs are not done yet."""
    table = (
        "workflow_status" if session.get_bind().dialect.name == "sqlite" else "dbos.workflow_status"
    )
    count = session.connection().execute(
        text(f"SELECT count(*) FROM {table} WHERE status IN ('ENQUEUED', 'PENDING', 'DELAYED')")  # noqa: S608
    )
    return int(count.scalar_one())
