"""Runs the worker: the job engine, pulling, listening and the clock.

The one importer of the job engine beside `app.store.jobs`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core import clock
from app.core.logs import job_id
from app.services import intake, late_names, leases, outbox, surges, surveys, upkeep
from app.store import jobs
from app.worker import listen, pull
from app.worker.compare import compare
from app.worker.copies import copy
from app.worker.deliver import deliver
from app.worker.file import file, file_slow, tag
from app.worker.proposing import propose
from app.worker.retain import retain
from app.worker.self_test import self_test
from app.worker.training import serve, train
from app.worker.works import Works, alone
from channels.contract import Lingers

log = logging.getLogger(__name__)

TICK = 5.0
RECONCILE = timedelta(seconds=60)
KEEP_JOBS = timedelta(hours=1)
STOP_WITHIN = 8  # seconds


async def _ask(works: Works, survey_id: int) -> None:
    await works.in_transaction(
        surveys.ask, works.keys, survey_id, reachable=works.settings.reachable
    )


KINDS: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
    "file": file,
    "file_slow": file_slow,
    "deliver": deliver,
    "copy": copy,
    "self_test": self_test,
    "ask": _ask,
    "tag": tag,
    "train": train,
    "propose": propose,
    "compare": compare,
}


class Engine:
    """One worker in this process."""

    def __init__(self, works: Works) -> None:
        self.works = works
        self._tasks: list[asyncio.Task[None]] = []
        self._lock: Any = None
        self._began = False
        self._launching: asyncio.Task[None] | None = None
        self._retained = ""  # how far raw sources were looked at

    async def start(self) -> None:
        """Take over what a predecessor of the same name left, then begin."""
        self._lock = await asyncio.to_thread(alone, self.works.settings)
        self._began = True
        # Before it begins anything: what an unknown worker began is taken for left behind.
        await self.works.in_transaction(upkeep.alive, self.works.name)
        await self.works.in_transaction(outbox.recover, self.works.name)
        await self.works.in_transaction(intake.after_upgrade)
        await self.works.in_transaction(upkeep.reconcile, timedelta(0))
        await serve(self.works)
        for channel in self.works.channels.values():
            if isinstance(channel, Lingers):
                channel.linger()
        # Not to be cut short: the job engine cannot be ended before it has begun.
        self._launching = asyncio.create_task(asyncio.to_thread(self._launch))
        await asyncio.shield(self._launching)
        self._tasks = [
            asyncio.create_task(_for_ever(part))
            for part in (
                partial(pull.supervise, self.works),
                partial(listen.supervise, self.works),
                self._ticking,
            )
        ]
        log.info("worker ready", extra={"worker": self.works.name})

    def _launch(self) -> None:
        from dbos import DBOS  # noqa: PLC0415 - takes a second; the pages do not wait for it

        database = self.works.database
        DBOS(
            config={
                "name": jobs.APP,
                "system_database_engine": database.engine_for_jobs(),
                "system_database_url": "sqlite:///unused"
                if database.is_sqlite
                else "postgresql://unused/unused",
                "serializer": jobs.serializer(),
                "application_version": jobs.APP,
                "executor_id": self.works.name,
                "enable_otlp": False,
                "log_level": "WARNING",
                "run_migrations": False,
                "use_listen_notify": False,
            }
        )

        @DBOS.workflow(name=jobs.WORKFLOW)
        async def run_job(name: str, args: dict[str, Any]) -> None:
            await _run(self.works, name, args)

        DBOS.launch()
        for queue, seconds in sorted(set(jobs.QUEUES.values())):
            DBOS.register_queue(queue, worker_concurrency=8, polling_interval_sec=seconds)

    async def _ticking(self) -> None:
        reconciled = clock.now()
        while True:
            self.works.reader.tidy()
            self.works.slow_reader.tidy()
            await self._tick(reconciled)
            if clock.now() - reconciled >= RECONCILE:
                reconciled = clock.now()
            await asyncio.sleep(TICK)

    async def _tick(self, reconciled: Any) -> None:
        works = self.works
        await works.in_transaction(upkeep.alive, works.name)
        await serve(works)
        token = await works.in_transaction(leases.take, "tick", works.name, timedelta(seconds=30))
        if token is None:
            return
        await works.in_transaction(upkeep.tick, reachable=works.settings.reachable)
        if clock.now() - reconciled < RECONCILE:
            return
        dead = await works.in_transaction(upkeep.bury_dead)
        await asyncio.to_thread(self._abandon_jobs)
        woken = await works.in_transaction(upkeep.reconcile)
        for _ in range(late_names.AT_ONCE):
            if await works.in_transaction(late_names.resolve) is None:
                break
        await works.in_transaction(surges.watch)
        if works.triage.switched_on and not works.triage.loading:
            woken += await works.in_transaction(upkeep.retag)
            await works.in_transaction(upkeep.learn)
        if dead or woken:
            log.warning("took over what was left", extra={"dead": len(dead), "woken": woken})
        await asyncio.to_thread(works.blobs.sweep)
        await asyncio.to_thread(self._forget_done_jobs)
        self._retained = await retain(works, self._retained)

    def _abandon_jobs(self) -> None:
        living = self.works.do(upkeep.living)
        jobs.abandon(self.works.database, living)

    def _forget_done_jobs(self) -> None:
        from dbos import DBOS  # noqa: PLC0415 - see above

        before = (clock.now() - KEEP_JOBS).isoformat()
        done = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"], completed_before=before, limit=1000
        )
        if done:
            DBOS.delete_workflows([job.workflow_id for job in done])

    async def stop(self) -> None:
        """Finish or give back what is under way, within STOP_WITHIN seconds."""
        self.works.triage.close()  # first: a job may be waiting for the model
        self.works.trainer.close()
        if not self._began:
            return  # what bears our name belongs to the one that was here first
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._launching:
            await asyncio.gather(self._launching, return_exceptions=True)
            from dbos import DBOS  # noqa: PLC0415 - see above

            await asyncio.to_thread(
                partial(DBOS.destroy, workflow_completion_timeout_sec=STOP_WITHIN)
            )
        for channel in self.works.channels.values():
            if isinstance(channel, Lingers):
                channel.hang_up()
        with contextlib.suppress(DBAPIError):
            await self.works.in_transaction(leases.drop, self.works.name)
        if self._lock:
            self._lock.close()


async def _for_ever(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A part of the worker that ends, ends by mistake: begin it again."""
    while True:
        try:
            await part()
        except SQLAlchemyError:
            log.warning("the database does not answer; trying again")
        except Exception:
            log.exception("a part of the worker failed; beginning it again")
        await asyncio.sleep(TICK)


async def _run(works: Works, name: str, args: dict[str, Any]) -> None:
    """One job. Its row says what is left to do, so it may end in any way without loss."""
    token = job_id.set(f"{name} {' '.join(str(value) for value in args.values())}")
    wait = 1.0
    try:
        while True:
            try:
                await KINDS[name](works, **args)
            except (OperationalError, InterfaceError, PoolTimeout, OSError) as problem:
                # The database went away or the disk is full: that ends no job.
                log.warning("the job waits", extra={"problem": type(problem).__name__})
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30.0)
            else:
                return
    except Exception:
        log.exception("job failed; the reconciler wakes its row again")
    finally:
        job_id.reset(token)
