"""Access tokens instead of passwords: got with a refresh token, renewed before they expire."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import SecretStr

from channels.contract import Consent, Misconfigured, SignInRefused, TryLater
from channels.email.config import Auth, EmailConfig
from channels.email.tls import with_public_authorities, words_of_system

SECONDS = 30.0
EARLY = 300.0  # seconds before its end at which a token is renewed
USUAL_LIFE = 3600.0  # where the answer names none

# Only a person can cure these (RFC 6749, 5.2); all else may pass.
_FINAL = {
    "invalid_grant",
    "invalid_client",
    "invalid_scope",
    "invalid_request",
    "unauthorized_client",
    "unsupported_grant_type",
    "interaction_required",
    "consent_required",
}


@dataclass(slots=True)
class _Granted:
    token: str
    until: float  # by the clock of the event loop
    refresh_token: str  # providers may replace it each time
    handed_out: int = 0


_granted: dict[bytes, _Granted] = {}


async def access_token(config: EmailConfig) -> str:
    """A token that is valid for some minutes yet. Raises as `Pulls.open` does."""
    _complete(config)
    key = _key(config)
    known = _granted.get(key)
    if known is None or asyncio.get_running_loop().time() >= known.until:
        refresh_token = known.refresh_token if known else _secret(config)
        known = _granted[key] = await _refreshed(config, refresh_token)
    known.handed_out += 1
    return known.token


def forget(config: EmailConfig, token: str) -> bool:
    """Renew this token before its next use. Whether it had served before it was refused."""
    known = _granted.get(_key(config))
    if known is None or known.token != token:
        return True  # it was renewed meanwhile
    known.until = 0.0
    return known.handed_out > 1


def renewed(config: EmailConfig) -> EmailConfig | None:
    """The configuration with the refresh token the provider has put in the place of the old."""
    known = _granted.get(_key(config))
    if known is None or known.refresh_token == _secret(config):
        return None
    changed = SecretStr(known.refresh_token)
    fresh = config.model_copy(update={"oauth_refresh_token": changed})
    _granted[_key(fresh)] = known
    return fresh


def ask_consent(config: EmailConfig, redirect: str) -> Consent | None:
    """Authorisation code with PKCE (RFC 7636); None where the form does not ask for OAuth."""
    if config.auth is not Auth.OAUTH or not (config.oauth_consent_url and config.oauth_client_id):
        return None
    state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": config.oauth_client_id,
        "redirect_uri": redirect,
        "scope": config.oauth_scopes,
        "state": state,
        "code_challenge": challenge.rstrip(b"=").decode("ascii"),
        "code_challenge_method": "S256",
        "login_hint": config.imap_username or config.address,
        # Without these two some providers give access for an hour only.
        "access_type": "offline",
        "prompt": "consent",
    }
    url = httpx2.URL(config.oauth_consent_url).copy_merge_params(asked)
    return Consent(str(url), f"{state} {verifier}")


async def consented(
    config: EmailConfig, redirect: str, proof: str, answer: Mapping[str, str]
) -> EmailConfig:
    """The configuration with the access that was granted. Raises `Misconfigured`, `TryLater`."""
    host = httpx2.URL(config.oauth_consent_url).host
    state, _, verifier = proof.partition(" ")
    if not hmac.compare_digest(state.encode(), answer.get("state", "").encode()):
        raise Misconfigured("This answer belongs to no question of ours. Start again.")
    if not (code := answer.get("code", "")):
        words = answer.get("error_description") or answer.get("error") or "nothing"
        raise Misconfigured(f"{host} did not grant access: {words[:300]}")
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "client_id": config.oauth_client_id,
        "code_verifier": verifier,
    }
    granted = await _granted_by(config, form, "")
    if not granted.refresh_token:
        raise Misconfigured(f"{host} granted no lasting access: it gave no refresh token.")
    renewed = config.model_copy(update={"oauth_refresh_token": SecretStr(granted.refresh_token)})
    _granted[_key(renewed)] = granted
    return renewed


def saying(user: str, token: str) -> str:
    """What XOAUTH2 says first."""
    return base64.b64encode(f"user={user}\1auth=Bearer {token}\1\1".encode()).decode("ascii")


def _secret(config: EmailConfig) -> str:
    return config.oauth_refresh_token.get_secret_value()


def _key(config: EmailConfig) -> bytes:
    parts = (
        config.oauth_token_url,
        config.oauth_client_id,
        config.oauth_client_secret.get_secret_value(),
        config.oauth_scopes,
        _secret(config),
    )
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _complete(config: EmailConfig) -> None:
    if not (config.oauth_token_url and config.oauth_client_id and _secret(config)):
        raise Misconfigured(
            "To sign in with OAuth, the token address, the client id and the refresh token "
            "must be filled in."
        )


async def _refreshed(config: EmailConfig, refresh_token: str) -> _Granted:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": config.oauth_client_id,
    }
    if config.oauth_scopes:
        form["scope"] = config.oauth_scopes
    return await _granted_by(config, form, refresh_token)


async def _granted_by(config: EmailConfig, form: dict[str, str], refresh_token: str) -> _Granted:
    """`refresh_token` stays the one where the answer brings no other."""
    url = httpx2.URL(config.oauth_token_url)
    if secret := config.oauth_client_secret.get_secret_value():
        form["client_secret"] = secret
    answer = await _post(url, form, with_public_authorities(config))
    life = answer.get("expires_in", USUAL_LIFE)
    try:
        seconds = max(0.0, float(life))
    except (TypeError, ValueError):
        seconds = USUAL_LIFE
    now = asyncio.get_running_loop().time()
    return _Granted(
        str(answer["access_token"]),
        now + seconds - min(EARLY, seconds / 2),
        str(answer.get("refresh_token") or refresh_token),
    )


async def _post(url: httpx2.URL, form: dict[str, str], trust: ssl.SSLContext) -> dict[str, Any]:
    host = url.host
    try:
        async with (
            asyncio.timeout(SECONDS),
            httpx2.AsyncClient(verify=trust, trust_env=False, timeout=SECONDS) as client,
        ):
            answer = await client.post(url, data=form, headers={"accept": "application/json"})
    except (OSError, TimeoutError, httpx2.HTTPError) as error:
        words = words_of_system(error) or "no answer"
        raise TryLater(f"The token server {host} cannot be reached: {words}", 30) from error
    told = _told(answer)
    if answer.status_code == 200 and isinstance(told.get("access_token"), str):
        return told
    code = str(told.get("error", ""))[:60]
    words = str(told.get("error_description") or code or f"status {answer.status_code}")[:300]
    if code == "invalid_grant":
        raise SignInRefused(
            f"{host} says that the access that was granted is not valid any more: {words}. "
            "Grant it anew and store the new refresh token."
        )
    if code in _FINAL:
        raise SignInRefused(f"{host} refuses the client id or its secret: {words}")
    raise TryLater(f"The token server {host} gives no token at the moment: {words}", 60)


def _told(answer: httpx2.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
