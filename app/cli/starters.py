"""The inboxes a fresh installation gets, so that everything can be tried without an account."""

from collections.abc import Sequence

from sqlmodel import select

from app.cli.console import Installation
from app.services import inboxes
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.store.tables import Inbox


def make(house: Installation) -> None:
    """One for every channel that offers one and has no inbox at all. Loads every channel."""
    from channels.contract import Sends, Starts
    from channels.registry import all_channels

    with house.database.reading() as session:
        taken = set(session.exec(select(Inbox.kind).distinct()).all())
    for kind, channel in all_channels().items():
        if kind in taken or not isinstance(channel, Starts):
            continue
        starter = channel.starter()
        new = NewInbox(
            kind=kind,
            name=starter.name,
            config=starter.config,
            address=starter.address,
            writes_to=channel.writes_to if isinstance(channel, Sends) else "",
            built_in=True,
        )
        with house.database.transaction() as session:
            if session.exec(select(Inbox.id).where(Inbox.kind == kind)).first() is None:
                inboxes.create(session, SYSTEM, house.keys, new)


def taking_test_mail(house: Installation) -> Sequence[str]:
    """Addresses that take mail on the loopback port while no real inbox exists."""
    from channels.contract import Listens
    from channels.registry import all_channels

    with house.database.reading() as session:
        found = inboxes.enabled(session)
    kinds = {kind for kind, channel in all_channels().items() if isinstance(channel, Listens)}
    real = {inbox.kind for inbox in found if not inbox.built_in}
    return [i.address for i in found if i.address and i.kind in kinds - real]
