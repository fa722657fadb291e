"""The mail balance: what servers hold, and what became of every mail."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.services.queries import mailboxes
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import shell

router = routes.pages("/mail-balance")


@router.get("")
def shown(request: Request, actor: CurrentActor, db: Db) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        folders = mailboxes.balances(session, actor)
        imports = mailboxes.imports(session, actor)
    return shell.page(request, "work/mail_balance.html", around, folders=folders, imports=imports)
