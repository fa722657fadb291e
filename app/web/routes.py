"""Where the routes of a module come from: pages for people, JSON for programs.

A router says all about its routes itself, so that the application takes them as they are. To
include a router makes each of its routes a second time, and a route takes milliseconds to make.
"""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse


def pages(prefix: str = "") -> APIRouter:
    """Routes for people; the description of the API does not show them."""
    return APIRouter(prefix=prefix, include_in_schema=False, default_response_class=HTMLResponse)


def api(tag: str, prefix: str = "") -> APIRouter:
    """Routes for programs, below `/api`; `tag` is their chapter in the description."""
    return APIRouter(prefix=f"/api{prefix}", tags=[tag] if tag else None)
