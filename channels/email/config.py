"""What one mail inbox must be told; the descriptions are the words of its settings form."""

import ipaddress
import re
from enum import StrEnum
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr, field_validator, model_validator

from channels.email.folds import FOLDS
from channels.email.known import Known, Trust
from channels.email.providers import copies_by_itself
from channels.email.signing_settings import Signing
from channels.form import Fold


class Security(StrEnum):
    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Auth(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    OAUTH = "oauth"


class AfterFiling(StrEnum):
    LEAVE = "leave"
    SEEN = "seen"
    KEYWORD = "keyword"
    MOVE = "move"
    DELETE = "delete"


class ImportSince(StrEnum):
    NOW = "now"
    DAYS = "days"
    ALL = "all"


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _one_line(value: str) -> str:
    if re.search(r"[\r\n\x00]", value):
        raise ValueError("this must be one line")
    return value.strip()


def _names(value: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.split(r"[\s,;]+", value.strip(" \t,;").lower()) if value else ()))


def _encrypted(value: str) -> str:
    address = urlsplit(value)
    local = address.scheme == "http" and is_loopback(address.hostname or "")
    if value and not (local or (address.scheme == "https" and address.hostname)):
        raise ValueError("this must be an address that begins with https://")
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Names = Annotated[
    str, AfterValidator(_one_line), AfterValidator(lambda value: ", ".join(_names(value)))
]
Encrypted = Annotated[Line, AfterValidator(_encrypted)]


class Fetching(BaseModel):
    """The address, who signs in for it, and what is fetched."""

    address: str = Field(
        title="Mail address",
        description="The address customers write to, such as support@example.com.",
    )
    sender_name: Line = Field(
        default="",
        title="Sender name",
        description="The name customers see on your answers, such as Example Support.",
    )
    imap_username: Line = Field(
        default="",
        title="User name",
        description="Leave it empty where it is the mail address, as it mostly is.",
    )
    imap_password: SecretStr = Field(
        default=SecretStr(""),
        title="Password",
        description="With many providers an app password, made in their account settings.",
    )
    imap_host: Line = Field(
        default="",
        title="Incoming server (IMAP)",
        description="Where mail is fetched from. Leave it empty to fetch nothing.",
    )
    imap_port: int = Field(
        default=993,
        ge=1,
        le=65535,
        title="IMAP port",
        description="993 with TLS, 143 with STARTTLS.",
    )
    imap_security: Security = Field(
        default=Security.TLS,
        title="IMAP encryption",
        description="TLS from the start, STARTTLS, or none (only for a server on this machine).",
    )
    folder: Line = Field(
        default="INBOX",
        min_length=1,
        title="Folder",
        description="The folder that is fetched.",
        json_schema_extra={"list": "folders"},
    )
    after_filing: AfterFiling = Field(
        default=AfterFiling.LEAVE,
        title="After filing",
        description="What is done to a mail on the server once it is filed here: nothing, mark it "
        "as read, mark it with the keyword $Setten, move it to the folder for filed mails, "
        "or delete it.",
    )
    after_folder: Line = Field(
        default="",
        title="Folder for filed mails",
        description="Only for moving: a folder that exists on the server.",
        json_schema_extra={"list": "folders"},
    )
    import_since: ImportSince = Field(
        default=ImportSince.NOW,
        title="First import",
        description="Start with mails that arrive from now on, or bring in those of the last days "
        "or all of the folder. Imported mails get no automatic answers.",
    )
    import_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        title="Days to import",
        description="How far back the first import goes, if it brings in the last days.",
    )

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        value = value.strip()
        if not re.fullmatch(r"[^\s<>\"(),;:\\@]+@[^\s<>\"(),;:\\@]+", value):
            raise ValueError("this is not a mail address, such as support@example.com")
        return value

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.after_filing is AfterFiling.MOVE and not self.after_folder:
            raise ValueError("after_folder: to move filed mails, name the folder they are moved to")
        if self.after_filing is AfterFiling.MOVE and self.after_folder == self.folder:
            raise ValueError(
                "after_folder: filed mails cannot be moved to the folder they are fetched from"
            )
        return self


class SentMail(Signing, Fetching):
    """What is done with the folder in which the provider keeps what was sent."""

    sent_copy: bool = Field(
        default=False,
        title="Put a copy of each answer into the Sent folder",
        description="Not for providers that do so by themselves: Gmail and Microsoft 365.",
    )
    sent_watch: bool = Field(
        default=False,
        title="Show answers that were written in a mail program",
        description="What colleagues send with this account from elsewhere is put on its ticket, "
        "from now on. Conversations that they begin there are left alone.",
    )
    sent_folder: Line = Field(
        default="",
        title="Sent folder",
        description="Leave it empty for the one that the server marks as such.",
        json_schema_extra={"list": "folders"},
    )

    @model_validator(mode="after")
    def _has_a_sent_folder(self) -> Self:
        if (self.sent_copy or self.sent_watch) and not self.imap_host:
            raise ValueError("imap_host: the Sent folder is on the incoming server: name that")
        if self.sent_folder and self.sent_folder == self.folder:
            raise ValueError("sent_folder: this is the folder that is fetched: choose another")
        return self


class EmailConfig(SentMail):
    """Without any server it is a local inbox: it receives on this machine and sends nothing."""

    folds: ClassVar[tuple[Fold, ...]] = FOLDS

    auth: Auth = Field(
        default=Auth.PASSWORD,
        title="Sign in with",
        description="A password, or OAuth, which Microsoft 365 asks for.",
    )
    oauth_client_id: Line = Field(
        default="",
        title="OAuth client id",
        description="Of the application you registered with your provider.",
    )
    oauth_client_secret: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth client secret",
        description="Leave it empty if your application has none.",
    )
    oauth_consent_url: Encrypted = Field(
        default="",
        title="OAuth consent address",
        description="Where access is granted, such as https://accounts.google.com/o/oauth2/v2/auth.",
    )
    oauth_token_url: Encrypted = Field(
        default="",
        title="OAuth token address",
        description="Where access is renewed, such as https://oauth2.googleapis.com/token.",
    )
    oauth_refresh_token: SecretStr = Field(
        default=SecretStr(""),
        title="OAuth refresh token",
        description="What the provider gave when access to this mailbox was granted.",
    )
    oauth_scopes: Line = Field(
        default="",
        title="OAuth scopes",
        description="What is asked for, separated by blanks; empty for what was granted.",
    )
    smtp_host: Line = Field(
        default="",
        title="Outgoing server (SMTP)",
        description="Where answers are handed in. Leave it empty to send nothing.",
    )
    smtp_port: int = Field(
        default=465,
        ge=1,
        le=65535,
        title="SMTP port",
        description="465 with TLS, 587 with STARTTLS.",
    )
    smtp_security: Security = Field(
        default=Security.TLS,
        title="SMTP encryption",
        description="TLS from the start, STARTTLS, or none (only for a server on this machine).",
    )
    smtp_sign_in: bool = Field(
        default=True,
        title="Sign in to send",
        description="Untick it for an outgoing server that wants no password for this inbox.",
    )
    smtp_username: Line = Field(
        default="",
        title="User name for sending",
        description="Leave it empty if it is the same as for fetching.",
    )
    smtp_password: SecretStr = Field(
        default=SecretStr(""),
        title="Password for sending",
        description="Leave it empty if it is the same as for fetching.",
    )
    reply_tokens: bool = Field(
        default=False,
        title="Replies may carry a plus-address",
        description="Switched on by the self-test, when the provider delivers such mail. "
        "You can only switch it off here.",
    )
    body_marks: bool = Field(
        default=True,
        title="Reference below answers",
        description="A small signed line at the end of each mail. Answers that quote it find their "
        "ticket even where a mail program loses everything else.",
    )
    subject_tags: bool = Field(
        default=False,
        title="Reference in the subject",
        description="The same signed reference in the subject, as many help desks have it. "
        "It is long; most installations do without.",
    )
    trusted_servers: Names = Field(
        default="",
        title="Servers whose checks count",
        description="Names that your own mail server puts first in Authentication-Results, such as "
        "mx.google.com, separated by commas. Leave it empty to believe nobody.",
    )
    exchange_online: bool = Field(
        default=False,
        title="Checks of Exchange Online count",
        description="Microsoft 365 writes them without a name. Only for a mailbox that is there.",
    )
    senders_for_others: Names = Field(
        default="",
        title="Senders that write for others",
        description="Addresses of web forms and of groups such as Google Groups, separated by "
        "commas. Their mails are from whom X-Original-From or Reply-To names.",
    )
    catch_tls_ca: str = Field(
        default="",
        title="Certificate authority",
        description="Path of a PEM file, if your mail server's certificate is from your own one.",
    )

    @model_validator(mode="after")
    def _makes_no_second_copy(self) -> Self:
        if self.sent_copy and copies_by_itself(self.smtp_host):
            raise ValueError("sent_copy: this provider puts a copy there by itself")
        return self

    @property
    def is_local(self) -> bool:
        """Whether no server is set up at all."""
        return not self.imap_host and not self.smtp_host

    @property
    def known(self) -> Known:
        """What whoever reads a mail of this inbox has to know."""
        trust = Trust(_names(self.trusted_servers), self.exchange_online)
        return Known(self.address, trust, _names(self.senders_for_others))

    @property
    def smtp_login(self) -> tuple[str, str] | None:
        """Who signs in to send, and the password; None where nobody does."""
        user = self.smtp_username or self.imap_username or self.address
        password = self.smtp_password.get_secret_value() or self.imap_password.get_secret_value()
        return (user, password) if self.smtp_sign_in and password else None

    @property
    def smtp_login_is_borrowed(self) -> bool:
        """Whether nothing is said of sending, so that it is taken to be as for fetching."""
        return not (self.smtp_username or self.smtp_password.get_secret_value())

    @model_validator(mode="after")
    def _has_passwords_encrypted(self) -> Self:
        for host, security in (
            (self.imap_host, self.imap_security),
            (self.smtp_host, self.smtp_security),
        ):
            if host and security is Security.NONE and not is_loopback(host):
                raise ValueError(
                    f"{host} is another machine: choose TLS or STARTTLS, "
                    "otherwise the password and every mail could be read on the way"
                )
        return self
