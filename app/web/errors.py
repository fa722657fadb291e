"""What went wrong, as an answer: the one place where kinds of error become HTTP."""

import html
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import Conflict, Invalid, NotAllowed, NotFound, SettenError, TooMany
from app.web.deps import SignInNeeded
from app.web.origin import SAFE_METHODS, local_path
from app.web.stored_words import stored

log = logging.getLogger(__name__)

Render = Callable[[Request, int, str], Response]

STATUS: dict[type[SettenError], int] = {
    Invalid: 422,
    NotFound: 404,
    NotAllowed: 403,
    Conflict: 409,
    TooMany: 429,
}
_FAILED = "Something went wrong on our side. It was written down under the number below."
_BUSY = stored("The database does not answer at the moment. Try again in a few seconds.")
_WORDS = {
    400: ("unreadable", stored("This request cannot be read.")),
    401: ("sign_in", "Sign in first, or send an API key."),
    403: ("not_allowed", stored("This is not allowed.")),
    404: ("not_found", "There is nothing here."),
    405: ("method", "This address does not take such a request."),
    413: ("too_large", "This is too large."),
    415: ("media_type", stored("This kind of content is not taken here.")),
    503: ("busy", _BUSY),
}
_ALWAYS_JSON = ("/api/", "/hooks/", "/live", "/healthz", "/readyz", "/metrics")


@dataclass(frozen=True, slots=True)
class Problem:
    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)


def register(app: FastAPI) -> None:
    for kind in (
        SettenError, SignInNeeded, RequestValidationError, HTTPException, DBAPIError, PoolTimeout,
    ):  # fmt: skip
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    return answer_to(request, error)


class LastResort:
    """Answers what nobody expected, once, with a number under which the log explains it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the top of everything a request does
            response = answer_to(Request(scope), error)
            if not begun:
                await response(scope, receive, send)


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to any error, as JSON or as a page. Logs what somebody must look at."""
    if isinstance(error, SignInNeeded) and not wants_json(request):
        return _to_sign_in(request)
    problem = _problem(error)
    if problem.status == 500:
        log.error("request failed", exc_info=error)
    elif problem.status == 503:
        log.warning("database does not answer", extra={"error": type(error).__name__})
    return answer(request, problem)


def answer(request: Request, problem: Problem) -> Response:
    if wants_json(request):
        response: Response = JSONResponse(
            {
                "error": problem.code,
                "message": problem.message,
                "request": getattr(request.state, "request_id", ""),
                **problem.more,
            },
            problem.status,
        )
    else:
        render: Render = getattr(request.app.state, "render_error", None) or _bare_page
        response = render(request, problem.status, problem.message)
    response.headers.update(problem.headers)
    return response


def wants_json(request: Request) -> bool:
    if request.url.path.startswith(_ALWAYS_JSON) or request.url.path == "/api":
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def _bare_page(request: Request, status: int, message: str) -> Response:
    number = html.escape(getattr(request.state, "request_id", ""))
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{status}</title>'
        f'<main><h1>{html.escape(message)}</h1><p>{number}</p><p><a href="/">Setten</a></p></main>',
        status,
    )


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = local_path(wanted) if request.method in SAFE_METHODS else "/"
    follow = "" if target == "/" else f"?next={quote(target, safe='/')}"
    return RedirectResponse(f"/sign-in{follow}", 303)


def _problem(error: Exception) -> Problem:
    match error:
        case SettenError():
            return _ours(error)
        case SignInNeeded():
            return Problem(401, *_WORDS[401], {"www-authenticate": "Bearer"})
        case RequestValidationError():
            return _validation(error.errors())
        case HTTPException():
            code, words = _WORDS.get(error.status_code, ("error", "This did not work."))
            words = error.detail if error.status_code == 413 else words
            headers = {"retry-after": "2"} if error.status_code == 503 else {}
            return Problem(error.status_code, code, words, {**headers, **(error.headers or {})})
        case DataError():
            return Problem(422, "invalid", stored("This holds something that cannot be stored."))
        case OperationalError() | InterfaceError() | PoolTimeout():
            return Problem(503, "busy", _BUSY, {"retry-after": "2"})
        case _:
            return Problem(500, "failed", _FAILED)


def _ours(error: SettenError) -> Problem:
    status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
    headers = {}
    if status == 429:
        headers["retry-after"] = str(error.data.get("seconds", 60))
    more = {"details": error.data} if error.data else {}
    return Problem(status, error.code, error.message, headers, more)


_MISTAKES = {
    "missing": "is needed",
    "extra_forbidden": "is not known here",
    "string_unicode": "holds half a character, which cannot be stored",
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
}


def _validation(mistakes: Sequence[Any]) -> Problem:
    """In our words, by the name of the field. What was sent is never repeated."""
    if any(mistake["type"] == "json_invalid" for mistake in mistakes):
        return Problem(400, "unreadable", "The body is not JSON.")
    fields = [
        {
            "field": ".".join(str(part)[:80] for part in mistake["loc"][1:]) or "body",
            "message": _MISTAKES.get(mistake["type"])
            or mistake["msg"].removeprefix("Value error, "),
        }
        for mistake in mistakes[:20]
    ]
    words = "; ".join(f"{one['field']}: {one['message']}" for one in fields[:3])
    return Problem(422, "invalid", words, more={"fields": fields})
