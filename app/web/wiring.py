"""Puts the web half together: middlewares, error handlers, every router."""

import importlib
import pkgutil
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from typing_extensions import override

from app.web import accounts, api, errors, health, hooks, live, pages, templating
from app.web.headers import Dressed
from app.web.limits import Limits, Strangers
from app.web.origin import Proxies
from app.web.pages.shell import NotSetUp
from app.web.security import SameOrigin, SignedIn

_OFTEN = frozenset({"inbox", "tickets"})
"""Asked for all day. A request is compared with one route after the other, so these come first."""


class Assets(StaticFiles):
    """Our stylesheets and scripts. Addresses that change with their content are kept for ever."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope["query_string"].startswith(b"v=")
        response.headers["cache-control"] = (
            "public, max-age=31536000, immutable" if versioned else "no-cache"
        )
        return response


def wire(app: FastAPI) -> None:
    """Make `app` answer. It needs `app.state.house` from the first request on.

    `app.state.live.close()` ends its streams; call it before a server waits for open requests.
    """
    app.state.password_limiter = accounts.make_limiter()
    app.state.strangers = Strangers()
    app.state.live = live.Live(lambda: app.state.house.database)
    app.state.render_error = getattr(templating, "render_error", None)
    errors.register(app)
    app.add_exception_handler(NotSetUp, _to_welcome)
    # The last added is the first to see a request.
    for layer in (Limits, SignedIn, SameOrigin, errors.LastResort, Dressed, Proxies):
        app.add_middleware(layer)
    for often in (True, False):
        for router in _routers(api, often=often) + _routers(pages, often=often):
            app.router.routes.extend(router.routes)
    for module in (hooks, live, health):
        app.router.routes.extend(module.router.routes)
    app.mount("/static", Assets(directory=templating.STATIC), name="static")


def _routers(package: ModuleType, *, often: bool) -> list[APIRouter]:
    """The `router` of every module in the package that has one."""
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
        if (found.name in _OFTEN) is often
    ]
    return [module.router for module in modules if hasattr(module, "router")]


async def _to_welcome(_request: Request, _error: Exception) -> Response:
    """There is no organisation yet: the first page asks for it."""
    return RedirectResponse("/welcome", 303)
