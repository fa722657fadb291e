"""Has a new version of the model trained on what people said, when there is reason to."""

import asyncio
import hashlib
import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from app.core import clock, secrets
from app.domain.words import TAGS, ModelState
from app.services import called, leases, lessons, models, occasions
from app.services.called import Called
from app.services.lessons import Curriculum
from app.services.models import Answer, Trained
from app.store.tables import ModelVersion
from app.worker.trainer import WITHIN, Made, NotTrained
from app.worker.triage import Version
from app.worker.works import Works

log = logging.getLogger(__name__)

_LASTS = timedelta(seconds=WITHIN) + timedelta(minutes=5)


_alone = threading.Lock()


async def train(works: Works) -> None:
    """Train if there is reason to. One at a time, here and in the whole organisation."""
    if not works.triage.switched_on or not _alone.acquire(blocking=False):
        return
    try:
        await _under_lease(works)
    finally:
        _alone.release()


async def _under_lease(works: Works) -> None:
    if not await works.read(occasions.due):
        return  # somebody was quicker
    async with works.under(models.LEASE, _LASTS) as mine:
        if mine:
            await asyncio.to_thread(train_now, works)


def by_hand(works: Works) -> ModelVersion | None:
    """Train whether there is reason to or not; None while it is done elsewhere."""
    holder = f"by hand {secrets.new_ref()}"
    if works.do(leases.take, models.LEASE, holder, _LASTS) is None:
        return None
    try:
        return train_now(works)
    finally:
        works.do(leases.take, models.LEASE, holder, timedelta(0))


def train_now(works: Works) -> ModelVersion | None:
    """The new version, or one that says why there is none. None when the worker ends."""
    began = clock.now()
    with works.database.reading() as session:
        curriculum = lessons.gather(session)
        names = called.of_tickets(session, [one.ticket_id for one in curriculum.lessons])
        agents = called.agents(session)
        champion = models.in_state(session, ModelState.CHAMPION)
        beside = models.file_of(session, champion.name) if champion else None
    name = f"own-{began:%Y%m%d}-{secrets.new_ref(5)}"
    try:
        made = works.trainer.learn(_asked(name, curriculum, names, agents), beside)
    except NotTrained as problem:
        if works.triage.closed:
            return None  # the next worker begins anew
        log.warning("no new version of the model", extra={"reason": str(problem)})
        return works.do(models.failed, curriculum, began, str(problem))
    compared = champion.name if champion and beside and not made.said["skipped"] else ""
    trained = _trained(name, made, curriculum, compared)
    version = works.do(models.keep, trained, curriculum, began)
    log.info("model trained", extra={"model": name, "state": version.state})
    return version


def _asked(
    name: str, curriculum: Curriculum, names: Mapping[int, Called], agents: frozenset[str]
) -> dict[str, Any]:
    """The names are to be left out of the texts, which takes a while for many: not in here."""
    return {
        "name": name,
        "agents": sorted(agents),
        "topics": {key: dict(labels) for key, labels in curriculum.topics.items()},
        "merged": dict(curriculum.merged),
        "lessons": [
            {
                "key": str(lesson.message_id),
                "text": lesson.text,
                "names": sorted(names[lesson.ticket_id].names),
                "firms": sorted(names[lesson.ticket_id].firms),
                "customer": f"customer-{lesson.customer_id}",
                "language": lesson.language,
                "labels": {
                    head.value: [label.label, label.weight] for head, label in lesson.labels.items()
                },
                "weak": [head.value for head, label in lesson.labels.items() if label.weak],
            }
            for lesson in curriculum.lessons
        ],
    }


def _trained(name: str, made: Made, curriculum: Curriculum, compared: str) -> Trained:
    said = made.said
    return Trained(
        name=name,
        weights=made.weights,
        card=made.card,
        sha256=hashlib.sha256(made.weights).hexdigest(),
        learned={
            "samples": int(said["samples"]),
            **{head.value: curriculum.count(head) for head in TAGS},
        },
        answers={
            head: {
                int(key): Answer(one["label"], one["probability"], one["given"])
                for key, one in said["answers"][head.value].items()
            }
            for head in TAGS
        },
        beside=compared,
        former={
            head: {int(key): one["label"] for key, one in said["former"][head.value].items()}
            for head in TAGS
        },
        refused=said["refused"],
    )


async def serve(works: Works) -> None:
    """Have the versions answer that are meant to, wherever they were trained."""
    if not works.triage.switched_on:
        return
    for name, readable in works.triage.news():
        await works.in_transaction(models.opened, name, readable=readable)
    wanted = await works.read(models.in_force)
    if wanted != works.triage.serving:
        works.triage.serve(*[await works.read(version_of, name) for name in wanted])


def version_of(session: Session, name: str) -> Version | None:
    found = models.file_of(session, name) if name else None
    return Version(name, found.weights, found.card, found.sha256) if found else None
