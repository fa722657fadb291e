"""Log lines: a constant message, fields, and the request or job they belong to."""

import json
import logging

from app.core import logs


def record(**extra: object) -> logging.LogRecord:
    made = logging.LogRecord("setten", logging.WARNING, "x.py", 1, "arrival kept", None, None)
    made.__dict__.update(extra)
    return made


def test_a_line_for_a_person() -> None:
    line = logs.Plain().format(record(inbox=3, arrival=91))

    assert line.endswith("warning arrival kept  inbox=3 arrival=91")


def test_a_line_for_a_machine_names_request_and_job() -> None:
    tokens = logs.request_id.set("r1"), logs.job_id.set("file 3")
    try:
        line = json.loads(logs.Json().format(record(inbox=3)))
    finally:
        logs.request_id.reset(tokens[0])
        logs.job_id.reset(tokens[1])

    line.pop("at")
    assert line == {
        "level": "warning",
        "logger": "setten",
        "message": "arrival kept",
        "inbox": 3,
        "request": "r1",
        "job": "file 3",
    }


def test_a_traceback_is_one_line_too() -> None:
    error = RuntimeError("broken\nin two")

    line = logs.Json().format(record(exc_info=(RuntimeError, error, None)))

    assert "\n" not in line
    assert "broken\\nin two" in line
