"""Looks for topics nobody has thought of: groups of inquiries the model gave none."""

import asyncio
import logging
from datetime import timedelta

from app.services import proposals
from app.services.proposals import Group, Unsure
from app.worker.works import Works

log = logging.getLogger(__name__)

_LASTS = timedelta(minutes=5)


async def propose(works: Works) -> None:
    """Look if there is reason to. One at a time in the whole organisation."""
    if not await works.read(proposals.due):
        return  # somebody was quicker
    async with works.under(proposals.LEASE, _LASTS) as mine:
        if mine:
            await asyncio.to_thread(_look, works)


def _look(works: Works) -> None:
    from classifier import clusters  # noqa: PLC0415 - numpy costs memory where nothing is asked

    with works.database.reading() as session:
        unsure = proposals.unsure(session, clusters.MOST)
    groups, largest = _groups(unsure) if unsure.inquiries else ([], 0)
    works.do(proposals.keep, len(unsure.inquiries), largest, groups)
    log.info("looked for topics", extra={"texts": len(unsure.inquiries), "groups": len(groups)})


def _groups(unsure: Unsure) -> tuple[list[Group], int]:
    from classifier import clusters, masking, meaning  # noqa: PLC0415 - see above

    all_of_them = unsure.inquiries
    found = clusters.find(
        [
            clusters.Inquiry(one.text, str(one.customer_id), one.language, one.customer)
            for one in all_of_them
        ],
        meaning.unpacked([one.vector for one in all_of_them]),
        clusters.apart_in(unsure.space),
        masking.Names(
            own=frozenset(),
            firms=frozenset({unsure.house} - {""}),
            others=frozenset(unsure.agents),
        ),
    )
    groups = [
        Group(
            refs=[all_of_them[place].ref for place in group.places],
            typical=[all_of_them[place].ref for place in group.typical],
            customers=len({all_of_them[place].customer_id for place in group.places}),
            names=group.names,
        )
        for group in found.groups
    ]
    return groups, found.largest
