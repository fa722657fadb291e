"""What goes with every answer, errors and files included: the security headers, a request's id."""

import logging
import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logs

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'"
)
_ALWAYS = {
    "content-security-policy": POLICY,  # a route may bring a stricter one of its own
    "x-content-type-options": "nosniff",
    # Addresses of feedback pages are keys and must not travel on to another site. To our own they
    # do: without a referrer a browser says on plain HTTP that a form comes from nowhere.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_A_YEAR = "max-age=31536000"


class Dressed:
    """Gives a request its id and its answer the headers no answer may lack."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(6)
        scope.setdefault("state", {})["request_id"] = number
        mark, began, status = logs.request_id.set(number), time.perf_counter(), 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(MutableHeaders(scope=message), scope, number)
            await send(message)

        try:
            await self.app(scope, receive, dressed)
        finally:
            # The route's pattern, not the path: paths hold the tokens of links.
            log.debug(
                "request answered",
                extra={
                    "method": scope["method"],
                    "route": getattr(scope.get("route"), "path", ""),
                    "status": status,
                    "ms": round((time.perf_counter() - began) * 1000),
                },
            )
            logs.request_id.reset(mark)


def _dress(headers: MutableHeaders, scope: Scope, number: str) -> None:
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    framed = "frame-ancestors 'self'" in headers["content-security-policy"]
    headers.setdefault("x-frame-options", "SAMEORIGIN" if framed else "DENY")
    # Pages show what customers wrote, and their addresses hold tokens: nobody keeps a copy.
    headers.setdefault("cache-control", "no-store")
    headers["x-request-id"] = number
    if scope["scheme"] == "https":
        headers.setdefault("strict-transport-security", _A_YEAR)
