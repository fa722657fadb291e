"""The description of this interface, for those who may use it."""

from typing import Any

from fastapi import APIRouter, Request

from app.web.deps import CurrentActor

router = APIRouter()


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: CurrentActor) -> dict[str, Any]:
    found: dict[str, Any] = request.app.openapi()
    return found
