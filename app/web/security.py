"""Who is asking: session cookie or API key, and whether a page of ours sent the request."""

import anyio.to_thread
from fastapi import Request
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import NotAllowed
from app.services import api_keys, sessions
from app.services.access import Actor
from app.services.sessions import SLIDING, Known
from app.store.database import Database
from app.web import origin
from app.web.deps import House

_NEVER_SIGNED_IN = ("/static/", "/hooks/", "/healthz", "/readyz")
_LONGEST_TOKEN = 200


def cookie_name(connection: HTTPConnection) -> str:
    """On plain HTTP a browser refuses the prefix that ties a cookie to this very host."""
    return "__Host-setten" if connection.scope["scheme"] == "https" else "setten"


def set_session(request: Request, response: Response, token: str) -> None:
    """Have the browser keep the session; the server decides how long it is good for."""
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(SLIDING.total_seconds()) * 3,
        httponly=True,
        secure=request.scope["scheme"] == "https",
        samesite="lax",
    )


def clear_session(request: Request, response: Response) -> None:
    response.delete_cookie(
        cookie_name(request),
        httponly=True,
        secure=request.scope["scheme"] == "https",
        samesite="lax",
    )


def _house(connection: HTTPConnection) -> House:
    house: House = connection.app.state.house
    return house


class SameOrigin:
    """Refuses what another site has a signed-in browser send."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in origin.SAFE_METHODS:
            self._check(HTTPConnection(scope))
        await self.app(scope, receive, send)

    def _check(self, connection: HTTPConnection) -> None:
        # Hooks are signed, and no page can set the header of an API key.
        if connection.url.path.startswith("/hooks/") or _bearer(connection):
            return
        ours = origin.is_from_our_pages(connection, _house(connection).settings)
        # Every browser says where a form comes from. A program that does not has no cookie that
        # somebody could abuse, and mail providers unsubscribe with such a request.
        if ours is None:
            ours = cookie_name(connection) not in connection.cookies
        if not ours:
            raise NotAllowed("This came from another site. Open the page here and try again.")


def _bearer(connection: HTTPConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip()[:_LONGEST_TOKEN] if scheme.lower() == "bearer" else ""


class SignedIn:
    """Puts the actor on the request, or None. Routes that need one ask for `CurrentActor`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            connection = HTTPConnection(scope)
            connection.state.plain_http = origin.is_plain_http(connection)
            connection.state.actor = await self._actor(connection)
        await self.app(scope, receive, send)

    async def _actor(self, connection: HTTPConnection) -> Actor | None:
        if connection.scope["path"].startswith(_NEVER_SIGNED_IN):
            return None
        key = _bearer(connection)
        if key:
            known = await anyio.to_thread.run_sync(_by_key, _house(connection).database, key)
            return known.actor if known else None
        token = connection.cookies.get(cookie_name(connection), "")
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        known = await anyio.to_thread.run_sync(_by_login, _house(connection).database, token)
        return known.actor if known else None


def _by_login(database: Database, token: str) -> Known | None:
    with database.reading() as session:
        known = sessions.actor_of_login(session, token)
    if known and known.stale and known.actor.login_id:
        with database.transaction() as session:
            sessions.touch(session, known.actor.login_id)
    return known


def _by_key(database: Database, key: str) -> Known | None:
    with database.reading() as session:
        known = api_keys.actor_of_key(session, key)
    if known and known.stale:
        with database.transaction() as session:
            api_keys.touch(session, key)
    return known
