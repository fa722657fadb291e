"""`serve` and `web`: the processes that answer browsers."""

import argparse
import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
import tempfile
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from typing_extensions import override

from app import __version__
from app.cli import console, starters, work
from app.cli.console import Installation, say
from app.core.errors import Conflict, Invalid
from app.core.settings import Settings
from app.services import agents

if TYPE_CHECKING:
    from fastapi import FastAPI


def serve(asked: argparse.Namespace, settings: Settings) -> int:
    if asked.demo:
        return _serve_demo(settings)
    return _serve(settings, with_worker=True)


def web(_asked: argparse.Namespace, settings: Settings) -> int:
    return _serve(settings, with_worker=False)


def _serve(settings: Settings, *, with_worker: bool, sign_in: str = "") -> int:
    with _bind(settings) as door:
        work.bring_up_to_date(settings)
        from app.main import create_app
        from app.worker.listen import LOOPBACK
        from app.worker.works import alone

        if with_worker and (lock := alone(settings)):
            lock.close()  # the worker takes it once the first page could be served
        # Looked at before our own worker listens there.
        mail_taken = with_worker and not _is_free(LOOPBACK, settings.mail_port)
        app = create_app(settings, with_worker=with_worker)
        greeting = _Greeting(settings, with_worker, sign_in, mail_taken=mail_taken)
        server = _Server(app, settings, greeting)
        server.run(sockets=[door])
    return 0


def _bind(settings: Settings) -> socket.socket:
    try:
        return _listening(settings.host, settings.port)
    except OSError as problem:
        match problem.errno:
            case errno.EADDRINUSE:
                free = _free_port(settings)
                raise Conflict(
                    f"Port {settings.port} on {settings.host} is taken by another program. "
                    f"Port {free} is free: set SETTEN_PORT={free}, or add --port {free}."
                ) from problem
            case errno.EACCES:
                raise Invalid(
                    f"SETTEN_PORT: this user may not listen on port {settings.port}; "
                    "choose one above 1023."
                ) from problem
            case _:
                raise Invalid(
                    f"SETTEN_HOST: {settings.host} is no address of this machine "
                    f"({problem.strerror})."
                ) from problem


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    door = socket.socket(family, kind, protocol)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        # Two that start together: binding alone does not tell the second one.
        door.listen(2048)
    except OSError:
        door.close()
        raise
    return door


def _is_free(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), _listening(host, port):
        return True
    return False


def _free_port(settings: Settings) -> int:
    for port in (*range(settings.port + 1, min(settings.port + 100, 65_536)), 0):
        with contextlib.suppress(OSError), _listening(settings.host, port) as door:
            found: int = door.getsockname()[1]
            return found
    return settings.port


class _Greeting:
    """What is said once the first page can be served."""

    def __init__(
        self, settings: Settings, with_worker: bool, sign_in: str, *, mail_taken: bool
    ) -> None:
        self.settings = settings
        self.with_worker = with_worker
        self.sign_in = sign_in
        self.mail_taken = mail_taken

    def say_where(self) -> None:
        say(f"Setten {__version__} serves on {self.settings.link_base}")
        if self.sign_in:
            say(self.sign_in)
        elif self.with_worker:
            with console.opened(self.settings) as house:
                _say_first_link(house)

    def say_more(self) -> None:
        """Needs every channel, which a first page should not wait for."""
        if self.with_worker:
            with console.opened(self.settings) as house:
                starters.make(house)
                _say_where_mail_goes(house, taken=self.mail_taken)
        say("Ctrl-C stops it.")


def _say_first_link(house: Installation) -> None:
    with house.database.transaction() as session:
        token = agents.first_link(session)
    if token:
        say("There is no administrator yet. Whoever opens this link becomes one; it works once:")
        say(f"  {house.settings.link_base}/invitation/{token}")


def _say_where_mail_goes(house: Installation, *, taken: bool) -> None:
    addresses = starters.taking_test_mail(house)
    if not addresses or not house.settings.mail_port:
        return
    if taken:
        say(
            f"Test mail cannot come in: port {house.settings.mail_port} on 127.0.0.1 is taken by "
            "another program. Set SETTEN_MAIL_PORT to a free one."
        )
    else:
        say(
            f"Test mail: send it to {', '.join(addresses)} by SMTP at "
            f"127.0.0.1:{house.settings.mail_port}, or run “setten try”."
        )


class _Server(uvicorn.Server):
    """Says where it is once it is there, and is gone in time."""

    def __init__(self, app: "FastAPI", settings: Settings, greeting: _Greeting) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # app.web.origin knows whom to believe
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        self._app, self._greeting = app, greeting
        self._greeted: asyncio.Task[None] | None = None

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.freeze()  # what a start makes stays for good: no collection need look at it again
        gc.enable()
        self._greeted = asyncio.create_task(self._greet())

    async def _greet(self) -> None:
        from app.main import first_answer

        await asyncio.to_thread(self._greeting.say_where)
        await first_answer(self._app)
        if not self.should_exit:
            await asyncio.to_thread(self._greeting.say_more)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if live := getattr(self._app.state, "live", None):
            live.close()  # streams never end by themselves
        await super().shutdown(sockets)
        if self._greeted:
            await asyncio.wait([self._greeted])

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        work.be_gone_in_time()
        # Not noted for later, as uvicorn does: a stop that was asked for is not a failure.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _serve_demo(settings: Settings) -> int:
    from app.cli import demo

    with tempfile.TemporaryDirectory(prefix="setten-demo-") as folder:
        shown = settings.model_copy(update={"data_dir": Path(folder), "database_url": ""})
        shown = shown.model_copy(update={"secret_key_file": None, "public_url": ""})
        work.bring_up_to_date(shown)
        with console.opened(shown) as house:
            starters.make(house)
            sign_in = demo.furnish(house)
        return _serve(shown, with_worker=True, sign_in=sign_in)
