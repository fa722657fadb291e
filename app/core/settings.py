"""Every setting of a Setten process; each is an environment variable `SETTEN_…`."""

import difflib
import ipaddress
import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.errors import Invalid

_NAME = re.compile(r"[^\s%/@\\<>\"'`{}|^]+")  # of a host, letters of any language
_GAP = re.compile(r"[\s\x00-\x1f\x7f\\]")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SETTEN_", env_file=".env", extra="ignore")

    data_dir: Path = Field(
        Path("data"), description="Where the database, raw mails, attachments and the key live."
    )
    database_url: str = Field(
        "", description="PostgreSQL address (postgresql://…). Empty: SQLite in the data folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "", description="Address customers reach this program by, https://…; links in mails use it."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Proxies whose X-Forwarded-For and -Proto are believed, comma-separated."
    )
    secret_key_file: Path | None = Field(
        None, description="The installation's key; made in the data folder when not given."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="What is logged: DEBUG, INFO, WARNING or ERROR."
    )
    mail_port: int = Field(
        8025, ge=0, le=65535,
        description="Loopback port that takes mail until a real inbox exists; 0 switches it off.",
    )  # fmt: skip
    poll_seconds: float = Field(
        60.0, ge=1, le=3600, description="How often a mailbox is looked at when it does not push."
    )
    triage: Literal["on", "plain", "off"] = Field(
        "on",
        description="Whether new inquiries are classified; plain: by their words only, "
        "without the encoder that understands them across languages.",
    )
    worker_name: str = Field(
        "", description="Name of this worker among several; made from host and process when empty."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            ipaddress.ip_network(part)
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            named = parts.port != 0 and _NAME.fullmatch(parts.hostname or "")
        except ValueError:  # of a port that is none, and of brackets around no address
            parts, named = urlsplit(""), None
        if value and (not named or parts.scheme not in {"http", "https"} or _GAP.search(value)):
            raise ValueError("must look like https://support.example.com")
        if parts.query or parts.fragment:
            raise ValueError("must not have a ? or # part")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _database(self) -> Self:
        if self.database_url and not self.database_url.startswith(
            ("postgresql", "postgres", "sqlite")
        ):
            raise ValueError("database_url must start with postgresql:// (or be empty for SQLite)")
        return self

    @property
    def triage_profile(self) -> Literal["encoder", "plain"]:
        return "plain" if self.triage == "plain" else "encoder"

    @property
    def sqlite_file(self) -> Path:
        return self.data_dir / "setten.sqlite3"

    @property
    def key_file(self) -> Path:
        return self.secret_key_file or self.data_dir / "secret.key"

    @property
    def blob_dir(self) -> Path:
        return self.data_dir / "blobs"

    @property
    def reachable(self) -> bool:
        """Whether customers can open a link of ours: a public address that is not this machine."""
        host = (urlsplit(self.public_url).hostname or "").rstrip(".")
        return not (
            not host or host == "localhost" or host.endswith(".localhost") or _is_here(host)
        )

    @property
    def link_base(self) -> str:
        """What links start with. Never taken from a request."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def _is_here(host: str) -> bool:
    """Whether it is a number for this machine, in any of the ways such numbers are written."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            found = ipaddress.ip_address(socket.inet_aton(host))  # 127.1, 0x7f000001, 0
        except OSError:
            return False
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or found.is_unspecified


def _no_slip_of_the_pen(variables: Iterable[str]) -> None:
    """Raise `Invalid` for what is nearly the name of a setting: it would be passed over."""
    known = [f"SETTEN_{name.upper()}" for name in Settings.model_fields]
    for name in variables:
        if name.startswith("SETTEN_") and name not in known:
            for meant in difflib.get_close_matches(name, known, 1, 0.85):
                raise Invalid(f"Setten cannot start. {name}: no such setting; {meant} is one.")


def load(**given: object) -> Settings:
    """Settings from the environment, `given` first. Raises `Invalid` naming each wrong one."""
    _no_slip_of_the_pen(os.environ)
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        sentences = [
            f"SETTEN_{'_'.join(str(part) for part in problem['loc']).upper() or 'DATABASE_URL'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        ]
        raise Invalid("Setten cannot start. " + "; ".join(sentences)) from error
