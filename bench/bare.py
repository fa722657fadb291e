"""The least that could list tickets: FastAPI and SQLite, no accounts, no joins, nothing of Setten.

`BENCH_SQLITE=FILE uvicorn bench.bare:app`
"""

import os
import sqlite3
import threading
from typing import Any

from fastapi import FastAPI

app = FastAPI(openapi_url=None)
_ROWS = """
SELECT ref, subject, preview, channel, status, language, assignee_id, waiting_since, due_at,
    last_activity_at, stage, has_files, version
FROM ticket WHERE status = 'open' ORDER BY last_activity_at DESC LIMIT 50
"""
_opened = threading.local()


def _connection() -> sqlite3.Connection:
    if not hasattr(_opened, "connection"):
        made = sqlite3.connect(os.environ["BENCH_SQLITE"])
        made.row_factory = sqlite3.Row
        made.execute("PRAGMA cache_size = -16000")
        _opened.connection = made
    found: sqlite3.Connection = _opened.connection
    return found


@app.get("/")
def listed() -> dict[str, Any]:
    connection = _connection()
    rows = [dict(row) for row in connection.execute(_ROWS)]
    count = connection.execute("SELECT count(*) FROM ticket WHERE status = 'open'").fetchone()
    return {"count": count[0], "rows": rows}
