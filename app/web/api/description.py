"""The description of this interface, for those who may use it."""

from typing import Any

from fastapi import Request

from app.web import routes
from app.web.deps import CurrentActor

router = routes.api("")


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request, _: CurrentActor) -> dict[str, Any]:
    found: dict[str, Any] = request.app.openapi()
    return found
