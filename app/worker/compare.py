"""Compares what was tagged lately with what came before it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from app.services import neighbours
from app.services.neighbours import Found, Known, Side
from app.worker.works import Works

KEPT = 4  # tickets that were answered, and as many others
_LOOKED_AT = 40  # before it is known which of them count
_READ = 20  # whose texts are compared


@dataclass(frozen=True, slots=True)
class _Near:
    """A ticket that came before, and how like it the later one is."""

    known: Known
    cosine: float
    side: Side


async def compare(works: Works) -> None:
    """Until nothing is left to compare."""
    async with works.turn("compare") as mine:
        if mine:
            while await asyncio.to_thread(_some, works):
                pass


def _some(works: Works) -> bool:
    """Whether there was anything to do."""
    with works.database.reading() as session:
        if not neighbours.waiting(session):
            return False
        asked = neighbours.uncompared(session)
        near = _near(session, asked)
        may = [_may_be_copies(one, them) for one, them in zip(asked, near, strict=True)]
        read = {one.message_id for one, them in zip(asked, may, strict=True) if them}
        read |= {each.known.message_id for them in may for each in them}
        texts = neighbours.texts(session, read)
    found = [_found(*each, texts) for each in zip(asked, near, may, strict=True)]
    if found:
        works.do(neighbours.keep, found)
    return bool(found)


def _near(session: Session, asked: Sequence[Known]) -> list[list[_Near]]:
    if not asked:
        return []
    from classifier import meaning  # noqa: PLC0415 - numpy costs memory where nothing is asked

    shelf = {one.id: one for one in neighbours.shelf(session)}
    before = meaning.nearest(
        [meaning.Stored(one.id, one.space, one.vector) for one in asked],
        [meaning.Stored(one.id, one.space, one.vector) for one in shelf.values()],
        _LOOKED_AT,
    )
    sides = neighbours.sides(session, {shelf[at].ticket_id for them in before for at in them})
    return [
        [
            _Near(shelf[at], cosine, sides[shelf[at].ticket_id])
            for at, cosine in them.items()
            if shelf[at].ticket_id in sides
        ]
        for them in before
    ]


def _may_be_copies(one: Known, near: Sequence[_Near]) -> list[_Near]:
    from classifier import meaning  # noqa: PLC0415 - see above

    least = meaning.maybe_copy(one.space)
    return [each for each in near if each.side.lately and each.cosine >= least][:_READ]


def _found(
    one: Known, near: Sequence[_Near], may: Sequence[_Near], texts: Mapping[int, str]
) -> Found:
    from classifier import likeness, meaning  # noqa: PLC0415 - see above

    close = [each for each in near if each.cosine >= meaning.close(one.space)]
    kept = [each for each in close if each.side.answered][:KEPT]
    kept += [each for each in close if not each.side.answered][:KEPT]
    copied = (
        likeness.copies(texts[one.message_id], [texts[each.known.message_id] for each in may])
        if may
        else []
    )
    return Found(
        one.ticket_id,
        {each.known.ticket_id: each.cosine for each in kept},
        [may[place].known.ticket_id for place in copied],
    )
