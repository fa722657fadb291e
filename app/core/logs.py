"""Logging: one line an event, ids only, request and job on every line."""

import json
import logging
import sys
from contextvars import ContextVar
from typing import Any

from typing_extensions import override

request_id: ContextVar[str] = ContextVar("request_id", default="")
job_id: ContextVar[str] = ContextVar("job_id", default="")

_OURS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {key: value for key, value in record.__dict__.items() if key not in _OURS}
    for name, variable in (("request", request_id), ("job", job_id)):
        if variable.get():
            fields[name] = variable.get()
    return fields


class Plain(logging.Formatter):
    """For a person at a terminal."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        pairs = " ".join(f"{key}={value}" for key, value in _fields(record).items())
        line = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():7} "
        line += record.getMessage() + (f"  {pairs}" if pairs else "")
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


class Json(logging.Formatter):
    """For a machine that collects."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str) -> None:
    """Log to standard error: plain at a terminal, JSON lines otherwise."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(Plain() if sys.stderr.isatty() else Json())
    logging.basicConfig(level=level, handlers=[stream], force=True)
    # The IMAP library writes whole mails at DEBUG, the others greet at INFO.
    for noisy in ("aioimaplib", "mail.log", "httpx2", "httpcore2", "dbos", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
