"""An OAuth provider on loopback: renews access, says whose a token is, or fails as it is told."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, Mapping[str, Any] | str]


@dataclass
class TokenServer:
    """`scripted` answers come first, in their order; then it gives out what it should."""

    lifetime: int = 3600
    rotates: bool = False  # a new refresh token with each access token
    scripted: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)  # the forms it was sent
    refresh_tokens: set[str] = field(default_factory=lambda: {"refresh-0"})
    access_tokens: set[str] = field(default_factory=set)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")
            fields = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines[1:])
            }
            body = await reader.readexactly(int(fields.get("content-length", "0")))
            status, said = self._answer(lines[0].split()[1], fields, body.decode())
            text = said if isinstance(said, str) else json.dumps(said)
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
                f"Content-Length: {len(text.encode())}\r\n\r\n{text}".encode()
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, fields: Mapping[str, str], body: str) -> Answer:
        if path.startswith("/introspect"):
            token = fields.get("authorization", "").removeprefix("Bearer ")
            return 200, {
                "active": token in self.access_tokens,
                "username": token.partition("~")[0],
            }
        form = dict(parse_qsl(body))
        self.asked.append(form)
        if self.scripted:
            return self.scripted.pop(0)
        if form.get("grant_type") == "authorization_code":
            return self._exchanged(form)
        if form.get("refresh_token") not in self.refresh_tokens:
            return 400, {"error": "invalid_grant", "error_description": "Token was revoked"}
        token = f"{form.get('client_id')}~access-{len(self.asked)}"
        self.access_tokens.add(token)
        given: dict[str, Any] = {"access_token": token, "expires_in": self.lifetime}
        if self.rotates:
            given["refresh_token"] = f"refresh-{len(self.asked)}"
            self.refresh_tokens.add(given["refresh_token"])
        return 200, given

    def consent(self, url: str) -> dict[str, str]:
        """What a browser brings back when the person at this address agrees."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def _exchanged(self, form: Mapping[str, str]) -> Answer:
        asked = self.codes.pop(form["code"], {})  # good for once
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = all(form[name] == asked.get(name) for name in ("client_id", "redirect_uri"))
        if proof != asked.get("code_challenge") or not same:
            return 400, {"error": "invalid_grant", "error_description": "Bad code"}
        given = f"refresh-{len(self.asked)}"
        self.refresh_tokens.add(given)
        token = f"{form['client_id']}~access-{len(self.asked)}"
        self.access_tokens.add(token)
        return 200, {"access_token": token, "expires_in": self.lifetime, "refresh_token": given}


@asynccontextmanager
async def token_server() -> AsyncIterator[TokenServer]:
    provider = TokenServer()
    server = await asyncio.start_server(provider.talk, "127.0.0.1", 0)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        await server.wait_closed()
