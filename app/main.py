"""Puts the program together: one process serves pages, does the waiting work, or both."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import __version__
from app.core.settings import Settings
from app.store import keeping, schema
from app.store.blobs import Blobs
from app.store.database import Database
from app.web import wiring
from app.web.deps import House
from app.worker.triage import Triage
from app.worker.works import Works, worker_name

log = logging.getLogger(__name__)


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
    return Works(
        settings=settings,
        database=house.database,
        blobs=house.blobs,
        keys=house.keys,
        channels=all_channels(),
        triage=Triage(settings.data_dir / "triage", switched_on=settings.triage == "on"),
        name=worker_name(settings, house.database),
    )


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
    return app


async def _run_worker(app: FastAPI, house: House) -> None:
    """Begin once the first page could be served, end when cancelled."""
    from app.worker.engine import Engine  # noqa: PLC0415 - pages come first

    engine = Engine(await asyncio.to_thread(build_works, house))
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
