"""What hangs on messages: attachments, and a mail's own layout inside its frame."""

import base64
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from app.domain import text
from app.services.queries import message
from app.web import routes
from app.web.deps import CurrentActor, Id, TheHouse

router = routes.pages()

PICTURES_UP_TO = 5_000_000  # bytes of attached pictures shown inside one mail
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

# The frame may show what is in the mail and nothing from anywhere else. Styles are the mail's
# own and stay in the frame; there is no script, form or plugin.
_FRAME_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)
_FRAME = """<!doctype html><meta charset="utf-8"><base target="_blank"><style>
html{{color-scheme:light;background:#fff;color:#1c2423;font:14px/1.6 sans-serif}}
body{{margin:12px;overflow-wrap:anywhere}}img{{max-width:100%;height:auto}}
table{{max-width:100%}}blockquote{{margin:8px 0;padding-left:12px;border-left:2px solid #c5cfcd}}
</style><body>{body}</body>"""


@router.get("/attachments/{ref}")
def attachment(ref: str, actor: CurrentActor, house: TheHouse) -> Response:
    """Always a download, under the declared type only when that cannot run anything."""
    with house.database.reading() as session:
        file = message.attachment(session, actor, ref)
    safe = file.content_type in _PICTURES | {"application/pdf", "text/plain", "text/csv"}
    return Response(
        house.blobs.get(file.sha256),
        media_type=file.content_type if safe else "application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=3600",
        },
    )


@router.get("/messages/{message_id}/text")
def whole(message_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    """Everything somebody wrote, and what they quoted, as it stands in the mail."""
    with house.database.reading() as session:
        text = message.whole_text(session, actor, message_id)
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


@router.get("/messages/{message_id}/html")
def laid_out(
    request: Request, message_id: Id, actor: CurrentActor, house: TheHouse
) -> HTMLResponse:
    with house.database.reading() as session:
        found = message.laid_out(session, actor, message_id)
    pictures, left = {}, PICTURES_UP_TO
    for picture in found.pictures:
        if picture.content_type in _PICTURES and picture.size <= left:
            left -= picture.size
            body = base64.b64encode(house.blobs.get(picture.sha256)).decode()
            pictures[f"cid:{picture.content_id}"] = f"data:{picture.content_type};base64,{body}"
    named = urlsplit(house.settings.public_url).hostname
    own = {host for host in (request.url.hostname, named) if host}
    return HTMLResponse(
        _FRAME.format(body=text.mail_html(found.html, pictures, own)),
        headers={
            "Content-Security-Policy": _FRAME_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "private, no-store",
        },
    )
