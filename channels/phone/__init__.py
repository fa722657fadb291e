"""Phone: calls written down by an agent, sent by an exchange, or read from its log."""

from channels.phone.channel import PhoneChannel

__all__ = ["channel"]

channel = PhoneChannel()
