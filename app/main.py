"""Puts the program together: one process serves pages, does the waiting work, or both."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __version__
from app.core.settings import Settings
from app.store import keeping, schema
from app.store.blobs import Blobs
from app.store.database import Database
from app.web import wiring
from app.web.deps import House
from app.worker.answering import Answering
from app.worker.trainer import Apart
from app.worker.triage import Triage
from app.worker.works import Works, worker_name

if TYPE_CHECKING:
    from app.worker.engine import Engine

log = logging.getLogger(__name__)

PAGES_FIRST = 1.0  # seconds the worker waits for a first page to be asked for


def build_house(settings: Settings) -> House:
    """The parts every process has. Raises `Invalid` when something is wrong with them."""
    database = Database(settings.database_url, settings.sqlite_file)
    schema.check_current(database)
    keys = keeping.open_keys(database, settings.key_file)
    return House(settings, database, Blobs(settings.blob_dir), keys)


def build_works(house: House) -> Works:
    """The parts of a worker in this process."""
    from channels.registry import all_channels  # noqa: PLC0415 - all of them cost half a second

    settings = house.settings
    answering = Answering(settings.triage_profile)
    return Works(
        settings=settings,
        database=house.database,
        blobs=house.blobs,
        keys=house.keys,
        channels=all_channels(),
        triage=Triage(
            settings.data_dir / "triage",
            switched_on=settings.triage != "off",
            load=answering.samples,
            load_own=answering.own,
            stop=answering.stop,
        ),
        name=worker_name(settings, house.database),
        trainer=Apart(settings.data_dir / "triage", settings.triage_profile),
    )


def _build_engine(house: House) -> "Engine":
    from app.worker.engine import Engine  # noqa: PLC0415 - pages come first

    return Engine(build_works(house))


def create_app(settings: Settings, *, with_worker: bool) -> FastAPI:
    """The web application; `with_worker` also runs the worker in this process."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.house = house = await asyncio.to_thread(build_house, settings)
        starting = asyncio.create_task(_run_worker(app, house)) if with_worker else None
        try:
            yield
        finally:
            if starting:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
            house.database.close()

    app = FastAPI(
        title="Setten",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    wiring.wire(app)
    app.state.answered = answered = asyncio.Event()
    if with_worker:
        app.add_middleware(Answered, answered)
    return app


async def first_answer(app: FastAPI) -> None:
    """Wait until a page was served, or PAGES_FIRST is over: loading the rest of the program takes
    a second of the one thread that runs Python."""
    with suppress(TimeoutError):
        await asyncio.wait_for(app.state.answered.wait(), PAGES_FIRST)


class Answered:
    """Says when the first answer has left."""

    def __init__(self, app: ASGIApp, answered: asyncio.Event) -> None:
        self.app = app
        self.answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            self.answered.set()


async def _run_worker(app: FastAPI, house: House) -> None:
    """Begin once the first page was served, end when cancelled."""
    await first_answer(app)
    engine = await asyncio.to_thread(_build_engine, house)
    app.state.engine = engine
    try:
        await engine.start()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("the worker could not start; nothing comes in or goes out")
        app.state.engine = None
        raise
    finally:
        await engine.stop()
