"""Does the provider deliver mail to an address with a plus? The inbox writes to itself to see."""

from datetime import datetime

from channels.contract import OutboundMessage, Party, Rendered
from channels.email import compose
from channels.email.config import EmailConfig

# Where mail arrives is decided by these: with another one nothing is proved any more.
_DECIDING = ("address", "imap_host", "imap_username", "folder")


def probe(config: EmailConfig, token: str, sent_at: datetime) -> tuple[Rendered, str]:
    """Marked as our own automatic mail, so that no other program answers it or files it."""
    recipient = compose.plus_address(config, token)
    message = OutboundMessage(
        token=token,
        number=int(sent_at.timestamp()),
        sent_at=sent_at,
        sender_name="Setten",
        to=(Party("email", recipient),),
        subject="Self-test of this mailbox",
        text=(
            "Setten wrote this to itself, to see whether mail to an address with a plus arrives. "
            "You can delete it once Setten has seen it."
        ),
        language="en",
        automatic=True,
    )
    return compose.render(config, message), recipient


def confirmed(config: EmailConfig) -> EmailConfig:
    return config.model_copy(update={"reply_tokens": True})


def unproved(config: EmailConfig, was: EmailConfig | None) -> EmailConfig:
    proved = (
        was is not None
        and was.reply_tokens
        and all(getattr(config, name) == getattr(was, name) for name in _DECIDING)
    )
    return config if proved else config.model_copy(update={"reply_tokens": False})
