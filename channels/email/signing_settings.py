"""What one mail inbox must be told to sign its mail (DKIM)."""

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from channels.email import dkim_key
from channels.email.dkim_key import Kind


def _selector(value: str) -> str:
    return dkim_key.checked_selector(value.strip()) if value.strip() else ""


Selector = Annotated[str, AfterValidator(_selector)]


class Signing(BaseModel):
    """What proves to others that a mail is from this domain."""

    dkim_sign: bool = Field(
        default=False,
        title="Sign outgoing mail (DKIM)",
        description="Tick it once the record below is published. Most providers sign by "
        "themselves: then leave it.",
    )
    dkim_selector: Selector = Field(
        default="",
        title="Name of the key (selector)",
        description="Part of the record's name; small letters, digits and hyphens.",
    )
    dkim_key: SecretStr = Field(
        default=SecretStr(""),
        title="Private key",
        description="An RSA key as text, which begins with -----BEGIN PRIVATE KEY-----. "
        "Setten can make one once the inbox is saved.",
    )
    dkim_second_sign: bool = Field(
        default=False,
        title="Sign a second time (Ed25519)",
        description="Only together with the first, which is the one that all servers understand. "
        "Tick it once the second record below is published.",
    )
    dkim_second_selector: Selector = Field(
        default="",
        title="Name of the second key (selector)",
        description="Another than that of the first.",
    )
    dkim_second_key: SecretStr = Field(
        default=SecretStr(""),
        title="Second private key",
        description="An Ed25519 key as text. Setten can make one once the first is there.",
    )

    @field_validator("dkim_key", "dkim_second_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr, about: ValidationInfo) -> SecretStr:
        text = value.get_secret_value()
        kind = Kind.RSA if about.field_name == "dkim_key" else Kind.ED25519
        return SecretStr(dkim_key.checked(text, kind)) if text else value

    @model_validator(mode="after")
    def _has_keys_to_sign_with(self) -> Self:
        first = self.dkim_selector and self.dkim_key.get_secret_value()
        second = self.dkim_second_selector and self.dkim_second_key.get_secret_value()
        if self.dkim_sign and not first:
            raise ValueError(
                "dkim_sign: to sign, a key and its name are needed: save, and make one below"
            )
        if self.dkim_second_sign and not second:
            raise ValueError(
                "dkim_second_sign: to sign, a key and its name are needed: save, and make one below"
            )
        if self.dkim_selector and self.dkim_selector == self.dkim_second_selector:
            raise ValueError("dkim_second_selector: each key needs a name of its own")
        return self
