"""How long a start takes, and what a process holds that has nothing to do."""

import socket
import statistics
import subprocess
import sys
import time
from contextlib import suppress

from bench import usage
from bench.rig import House, Sizes, settled
from bench.table import Aim, Table

_CEILING = 120.0


def measure(table: Table, house: House, sizes: Sizes) -> None:
    """The program as it is shipped: nothing counts along here."""
    with table.under_way(f"{house.kind}: starting"):
        walls, cpus = zip(*(_start(house) for _ in range(sizes.starts)), strict=True)
        aim = Aim(at_most=1.5, stretch=0.6)
        table.add(f"{house.kind}: cold start", statistics.median(walls), "s", aim)
        table.add(f"{house.kind}: cold start, CPU", statistics.median(cpus), "CPU ms")
        table.add(f"{house.kind}: cold start, quickest", min(walls), "s")
        _idle(table, house, sizes)


def _start(house: House) -> tuple[float, float]:
    """Seconds and CPU time until the sign-in page is there."""
    setten = house.setten
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        env=setten.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(setten.port):
            if process.poll() is not None or time.perf_counter() - began > _CEILING:
                raise RuntimeError("Setten does not start; run `setten serve` to see why")
        return time.perf_counter() - began, usage.cpu_ms(process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as talk:
        talk.settimeout(_CEILING)
        talk.sendall(b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return talk.recv(12) == b"HTTP/1.1 200"
    time.sleep(0.005)
    return False


def _idle(table: Table, house: House, sizes: Sizes) -> None:
    process = house.setten.serve()
    try:
        settled(house, sizes.rest)
        aim = Aim(at_most=107) if house.kind == "sqlite" else None
        table.add(f"{house.kind}: memory idle", usage.pss_mib(process.pid), "MiB PSS", aim)
        before, began = house.cpu_ms(), time.perf_counter()
        time.sleep(sizes.rest)
        spent = house.cpu_ms() - before
        table.add(f"{house.kind}: idle", spent / (time.perf_counter() - began), "CPU ms/s")
    finally:
        house.setten.stop()
