"""Every route there is, found by walking the router: its headers, and who may not use it."""

import re

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from app.web.headers import POLICY

PUBLIC = {
    "GET /healthz",
    "GET /readyz",
    "HEAD /healthz",
    "HEAD /readyz",
    "POST /hooks/{kind}/{token}",  # signed
    "GET /sign-in",
    "POST /sign-in",
    "GET /invitation/{token}",
    "POST /invitation/{token}",
    "GET /f/{token}",
    "POST /f/{token}",
    "GET /f/{token}/stop",
    "POST /f/{token}/stop",
}

ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}


def routes(app: FastAPI) -> list[str]:
    found = []
    for route in iter_route_contexts(app.routes):
        methods = getattr(route, "methods", None)
        found += [f"{method} {route.path}" for method in sorted(methods or ())]
    return found


def visit(client: TestClient, route: str) -> tuple[int, dict[str, str]]:
    method, _, path = route.partition(" ")
    path = re.sub(r"\{(ref|token|kind|head|stage|segment)\}", "stage", path)
    answer = client.request(method, re.sub(r"\{\w+\}", "1", path))
    return answer.status_code, dict(answer.headers)


def test_every_answer_to_a_stranger_has_the_security_headers(
    app: FastAPI, client: TestClient
) -> None:
    for route in [
        *routes(app),
        "GET /nowhere",
        "DELETE /",
        "GET /static/base.css",
        "GET /static/x",
    ]:
        _, headers = visit(client, route)

        expected = ALWAYS | ({"cache-control": "no-cache"} if "base.css" in route else {})
        assert {name: headers.get(name) for name in expected} == expected, route
        assert re.fullmatch("[0-9a-f]{12}", headers["x-request-id"]), route


def test_stranger_is_refused_everywhere_but_where_the_public_may_go(
    app: FastAPI, client: TestClient
) -> None:
    refused = set()
    for route in routes(app):
        status, headers = visit(client, route)
        to_sign_in = status == 303 and headers["location"].startswith("/sign-in")
        if status == 401 or to_sign_in:
            refused.add(route)

    # A hook is refused as well, but for want of an inbox.
    assert set(routes(app)) - refused == PUBLIC


def test_routes_that_change_something_are_never_get(app: FastAPI) -> None:
    verbs = ("try-again", "discard", "again", "cancel", "resolve", "reopen", "spam", "sign-out")

    changing = [route for route in routes(app) if route.rpartition("/")[2] in verbs]

    assert {route.partition(" ")[0] for route in changing} == {"POST"}


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"])
def test_no_description_of_the_interface_for_strangers(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_secure_connection_is_kept_for_a_year(app: FastAPI) -> None:
    with TestClient(app, base_url="https://support.hoshi.example") as client:
        answer = client.get("/healthz")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
