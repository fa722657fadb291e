"""What a channel may raise on purpose, and what becomes of it.

ChannelError
├── BadSignature   accept   answered 401, nothing stored
├── Unreadable     parse    the arrival is set aside with the reason, visible, can be retried
├── TryLater       pull     backed off, no sooner than `after` seconds
├── Withheld       fetch    this item waits and is said to be missing, those behind it go on
├── NotSettled     settle   the server refuses the mark: fetching goes on, and it is said
└── Misconfigured  pull     the inbox stops and says why: a person has to change a setting
    └── SignInRefused       and is not tried again for an hour: accounts get locked
"""


class ChannelError(Exception):
    """Anything a channel may raise on purpose."""


class BadSignature(ChannelError):
    """Whoever sent this does not know the shared secret."""


class Unreadable(ChannelError):
    """The bytes cannot be understood; the words say what is wrong, for a person."""


class Misconfigured(ChannelError):
    """Trying again does not help until a person changes something; the words say what."""


class SignInRefused(Misconfigured):
    """The account was refused: to knock again and again would lock it."""


class Withheld(ChannelError):
    """The server lists this item and does not hand it out; the words say so, for a person."""


class NotSettled(ChannelError):
    """The server refuses the mark that was to be left; the words say why, for a person."""


class TryLater(ChannelError):
    """The provider is busy or away: retry, no sooner than `after` seconds."""

    def __init__(self, words: str, after: float = 0.0) -> None:
        super().__init__(words)
        self.after = after
