"""The order of the measurements: the machine first, then each database."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.store.blobs import Blobs
from bench import anchors, bulk, ingest, mail, pages, reading, start
from bench.rig import House, Sizes, house
from bench.table import Table
from classifier import train

PARTS = ("reading", "ingest", "mail", "pages", "start")


@dataclass(frozen=True, slots=True)
class Plan:
    sizes: Sizes
    kinds: Sequence[str]
    parts: Sequence[str]


def all_rows(table: Table, plan: Plan, folder: Path) -> None:
    """Measure into `table`. What this machine lacks is skipped with a sentence."""
    anchors.parse(table, plan.sizes.mails)
    anchors.commit(table, folder)
    if "reading" in plan.parts:
        reading.measure(table, plan.sizes.mails)
    if "pages" in plan.parts:
        anchors.bare_list(table, folder, plan.sizes)
    model = None
    if plan.sizes.triage and {"ingest", "mail", "start"} & set(plan.parts):
        model = folder / "triage"
        table.note("teaching the classifier")
        train.fit_default(model)
    for kind in plan.kinds if plan.parts != ("reading",) else ():
        try:
            with house(kind, folder, model) as here:
                table.note(f"{kind}: filling the house")
                bulk.fill(here.database, plan.sizes, Blobs(here.setten.data / "blobs"))
                _measure(table, here, plan, folder)
        except pytest.skip.Exception as lacking:  # a server that is not installed
            table.skip(f"{kind}: not measured: {lacking.msg}.")


def _measure(table: Table, here: House, plan: Plan, folder: Path) -> None:
    # Starting comes first: later there are mail servers gone that would be knocked at.
    if "start" in plan.parts:
        start.measure(table, here, plan.sizes)
    if "pages" in plan.parts:
        pages.measure(table, here, plan.sizes)
    if not {"ingest", "mail"} & set(plan.parts):
        return
    with ingest.street_of(here, folder / here.kind) as street:
        with table.under_way(f"{here.kind}: warming up"):
            answered = ingest.warm_up(street, plan.sizes)
        if "ingest" in plan.parts:
            ingest.measure(table, street, answered, plan.sizes)
        if "mail" in plan.parts:
            mail.measure(table, street, answered, plan.sizes)
        here.quiet()
        here.setten.check()
