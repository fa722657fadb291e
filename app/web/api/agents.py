"""Who answers, their sessions, and the keys of programs."""

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from app.domain.words import Role
from app.services import agents, api_keys, sessions
from app.services.agents import AgentView, PendingInvitation
from app.services.api_keys import KeyView
from app.services.sessions import OpenSession
from app.web import routes
from app.web.api.fields import Input, Line
from app.web.deps import CurrentActor, Db, Id, TheHouse

router = routes.api("agents")


class Me(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    role: Role
    agent_id: int | None
    language: str


class AgentState(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    role: Role
    active: bool


class NewInvitation(Input):
    email: Line
    role: Role = Role.AGENT


class Link(BaseModel):
    """Shown once: whoever has it makes the account."""

    link: str


class NewRole(Input):
    role: Role


class KeyName(Input):
    name: Line


class NewKey(BaseModel):
    """The key is shown once; only its digest is kept."""

    id: int
    key: str


@router.get("/me")
def me(actor: CurrentActor) -> Me:
    return Me.model_validate(actor)


@router.get("/me/sessions")
def own_sessions(actor: CurrentActor, db: Db) -> list[OpenSession]:
    with db.reading() as session:
        return list(sessions.listed(session, actor))


@router.delete("/me/sessions/{login}", status_code=204)
def revoke_session(login: Id, actor: CurrentActor, db: Db) -> Response:
    with db.transaction() as session:
        sessions.revoke(session, actor, login)
    return Response(status_code=204)


@router.get("/agents")
def listed(_: CurrentActor, db: Db) -> list[AgentView]:
    with db.reading() as session:
        return list(agents.listed(session))


@router.put("/agents/{agent}/role")
def set_role(agent: Id, body: NewRole, actor: CurrentActor, db: Db) -> AgentState:
    with db.transaction() as session:
        found = agents.set_role(session, actor, agent, body.role)
    return AgentState.model_validate(found)


@router.post("/agents/{agent}/deactivate")
def deactivate(agent: Id, actor: CurrentActor, db: Db) -> AgentState:
    with db.transaction() as session:
        found = agents.deactivate(session, actor, agent)
    return AgentState.model_validate(found)


@router.post("/agents/{agent}/activate")
def activate(agent: Id, actor: CurrentActor, db: Db) -> AgentState:
    with db.transaction() as session:
        found = agents.activate(session, actor, agent)
    return AgentState.model_validate(found)


@router.get("/invitations")
def pending(actor: CurrentActor, db: Db) -> list[PendingInvitation]:
    with db.reading() as session:
        return list(agents.pending(session, actor))


@router.post("/invitations", status_code=201)
def invite(body: NewInvitation, actor: CurrentActor, db: Db, house: TheHouse) -> Link:
    """The link to hand over; Setten sends no mail of its own accord."""
    with db.transaction() as session:
        token = agents.invite(session, actor, body.email, body.role)
    return Link(link=f"{house.settings.link_base}/invitation/{token}")


@router.delete("/invitations/{invitation}", status_code=204)
def withdraw(invitation: Id, actor: CurrentActor, db: Db) -> Response:
    with db.transaction() as session:
        agents.withdraw(session, actor, invitation)
    return Response(status_code=204)


@router.get("/keys")
def keys(actor: CurrentActor, db: Db) -> list[KeyView]:
    with db.reading() as session:
        return list(api_keys.listed(session, actor))


@router.post("/keys", status_code=201)
def create_key(body: KeyName, actor: CurrentActor, db: Db) -> NewKey:
    with db.transaction() as session:
        number, key = api_keys.create(session, actor, body.name)
    return NewKey(id=number, key=key)


@router.delete("/keys/{key}", status_code=204)
def revoke_key(key: Id, actor: CurrentActor, db: Db) -> Response:
    with db.transaction() as session:
        api_keys.revoke(session, actor, key)
    return Response(status_code=204)
