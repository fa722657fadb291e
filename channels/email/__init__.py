"""Email: mailboxes by IMAP, sending by SMTP, and a listener for a machine without a provider."""

from channels.email.channel import channel

__all__ = ["channel"]
