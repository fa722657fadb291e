"""What reading a mail takes to know of its inbox; nothing of it is secret."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word on a sender is taken."""

    servers: tuple[str, ...] = ()  # in lower case
    exchange: bool = False  # Exchange Online writes results without a name

    def __bool__(self) -> bool:
        return bool(self.servers) or self.exchange


NOBODY = Trust()


@dataclass(frozen=True, slots=True)
class Known:
    address: str
    trust: Trust = NOBODY
    writers: tuple[str, ...] = ()  # addresses that write for others, in lower case
