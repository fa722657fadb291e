"""How much a caller may send, and how often strangers may try something."""

from collections import deque

import anyio
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import TooMany
from app.web.origin import network_of

MB = 1024 * 1024
ORDINARY = 1 * MB  # JSON and forms
HOOK = 5 * MB
UPLOAD = 26 * MB  # 25 MB of files, and what a form wraps around them
LINKS = "60/minute"  # an office behind one address answers no more; guessing needs 2^255
_SECRET_LINKS = ("/f/", "/invitation/")
_DRAINED = 32 * MB
_DRAINED_SECONDS = 5.0


class Limits:
    """Refuses bodies that are too large while they arrive, whatever length they claim; addresses
    that hold what no database can; and strangers who try one secret link after the other."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
            raise HTTPException(400)
        if scope["path"].startswith(_SECRET_LINKS):
            connection = HTTPConnection(scope)
            strangers: Strangers = scope["app"].state.strangers
            strangers.allow("link", network_of(connection), LINKS)
        limit = _limit_for(scope)
        left, declared, read = limit, _declared(scope), False

        async def limited() -> Message:
            nonlocal left, read
            if declared > limit:
                await _drain(receive)
                raise _too_large(limit)
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                if message.get("more_body"):
                    await _drain(receive)
                raise _too_large(limit)
            read = not message.get("more_body")
            return message

        async def parting(message: Message) -> None:
            # What nobody read would be taken in for nothing: no more of it on this connection.
            if message["type"] == "http.response.start" and sends and not read:
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        chunked = "transfer-encoding" in Headers(scope=scope)
        sends = chunked or declared > 0
        given: Receive = limited
        # Who is asked may not read it at all and would then accept any size. A hook reads
        # whatever comes, and counts what it turns away.
        if not scope["path"].startswith("/hooks/"):
            if declared > limit:
                await limited()
            elif chunked and limit == ORDINARY:
                given = await _whole(limited)
        await self.app(scope, given, parting)


async def _whole(receive: Receive) -> Receive:
    """The same, once everything has arrived."""
    arrived: deque[Message] = deque()
    more = True
    while more:
        arrived.append(await receive())
        more = arrived[-1].get("more_body", False)

    async def again() -> Message:
        return arrived.popleft() if arrived else await receive()

    return again


def _limit_for(scope: Scope) -> int:
    if scope["path"].startswith("/hooks/"):
        return HOOK
    form = Headers(scope=scope).get("content-type", "").lower()
    if form.startswith("multipart/form-data") and scope.get("state", {}).get("actor"):
        return UPLOAD
    return ORDINARY


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0


async def _drain(receive: Receive) -> None:
    """Throw away what still comes, within reason: who is cut off while sending reads no answer."""
    taken = 0
    with anyio.move_on_after(_DRAINED_SECONDS):
        while taken < _DRAINED:
            message = await receive()
            taken += len(message.get("body", b""))
            if not message.get("more_body"):
                return


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"Too large: at most {limit // MB} MB can be sent here.")


class Strangers:
    """Counts what callers without an account do, by network, in this process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._rules: dict[str, RateLimitItem] = {}

    def allow(self, what: str, network: str, rule: str = "30/minute") -> None:
        """Count one more. Raises `TooMany` when it is one too many."""
        item = self._rules.setdefault(rule, parse(rule))
        if not self._limiter.hit(item, what, network):
            raise TooMany("Too many requests. Wait a minute.", seconds=60)

    def check(self, what: str, network: str, rule: str = "30/minute") -> None:
        """The same without counting."""
        item = self._rules.setdefault(rule, parse(rule))
        if not self._limiter.test(item, what, network):
            raise TooMany("Too many requests. Wait a minute.", seconds=60)
