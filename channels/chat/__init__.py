"""Chat: any widget, app or messenger bridge that speaks one signed webhook in each direction."""

from channels.chat.channel import ChatChannel

__all__ = ["channel"]

channel = ChatChannel()
