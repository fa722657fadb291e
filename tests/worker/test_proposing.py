"""The job that looks for topics: on what has none, once, and whatever there is to find."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import numpy as np

from app.services import leases, proposals
from app.services.access import SYSTEM
from app.store.tables import TopicProposal, TopicSearch
from app.worker.proposing import propose
from classifier import meaning
from tests.inquiries import guess, inquiry
from tests.worker.conftest import Plant


def arrive(plant: Plant, number: int, matter: int, text: str) -> None:
    vector = np.zeros(8, dtype=np.float32)
    vector[matter] = 1.0
    said = replace(guess("D", None), vector=meaning.packed(vector), space="s")
    for n in range(number):
        plant.desk.ticket(inquiry(f"{matter}{n}@customers.test", f"{text} {n}"), prediction=said)


def test_group_becomes_a_proposal(plant: Plant) -> None:
    arrive(plant, 9, 0, "Gift wrapping, please")
    arrive(plant, 4, 1, "Something else")
    asyncio.run(propose(plant.works))
    asyncio.run(propose(plant.works))

    [one] = plant.desk.all(TopicProposal)
    [search] = plant.desk.all(TopicSearch)
    assert (len(one.refs), len(one.typical), one.customers) == (9, 5, 9)
    assert one.names == {"en": "Gift wrapping"}
    assert (search.texts, search.largest) == (13, 9)


def test_nothing_to_look_at_is_said_as_well(plant: Plant) -> None:
    plant.desk.do(proposals.ask, SYSTEM)

    asyncio.run(propose(plant.works))

    [search] = plant.desk.all(TopicSearch)
    assert (search.texts, search.largest, search.looked_at) == (0, 0, search.asked_at)


def test_while_another_worker_looks_this_one_does_not(plant: Plant) -> None:
    arrive(plant, 8, 0, "Gift wrapping, please")
    plant.desk.do(leases.take, proposals.LEASE, "another", timedelta(minutes=1))

    asyncio.run(propose(plant.works))

    assert plant.desk.all(TopicProposal) == []
