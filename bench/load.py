"""Asks a server over and over, in a process of its own, so that asking is not counted as answering.

`python -m bench.load PORT CLIENTS COUNT SECONDS` reads a cookie and then paths from standard
input, one a line, and writes one JSON object: requests, seconds, p50 and p95 in milliseconds.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import uvloop


@dataclass(frozen=True, slots=True)
class Asked:
    requests: int
    seconds: float
    p50: float
    p95: float
    size: int  # bytes of the last body

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """Ends after `count` requests of all clients together, or after `seconds`."""

    port: int
    clients: int = 1
    count: int = 1_000_000
    seconds: float = 3600.0


def ask(plan: Plan, paths: Sequence[str], cookie: str = "") -> Asked:
    """Run it in a process of its own. Raises `RuntimeError` when any answer is not 200."""
    command = [sys.executable, "-m", "bench.load", *map(str, _numbers(plan))]
    given = "\n".join([cookie, *paths])
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])
    return Asked(**json.loads(done.stdout))


def _numbers(plan: Plan) -> tuple[float, ...]:
    return plan.port, plan.clients, plan.count, plan.seconds


async def _asked(plan: Plan, paths: Sequence[str], cookie: str) -> Asked:
    times: list[float] = []
    sizes = [0]
    left = iter(range(plan.count))
    began = time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", plan.port, limit=1 << 22)
        for number in left:
            if time.perf_counter() - began > plan.seconds:
                break
            start = time.perf_counter()
            sizes[0] = await _one(reader, writer, paths[number % len(paths)], cookie)
            times.append((time.perf_counter() - start) * 1000)
        writer.close()

    await asyncio.gather(*(client() for _ in range(plan.clients)))
    spent = time.perf_counter() - began
    times.sort()
    return Asked(len(times), spent, times[len(times) // 2], times[int(len(times) * 0.95)], sizes[0])


async def _one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, cookie: str
) -> int:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
    writer.write(head.encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        raise RuntimeError(f"{path}: {answer.partition(bytes([13, 10]))[0].decode()}")
    length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return length


def main() -> None:
    port, clients, count, seconds = sys.argv[1:]
    plan = Plan(int(port), int(clients), int(count), float(seconds))
    cookie, *paths = sys.stdin.read().split("\n")
    print(json.dumps(asdict(uvloop.run(_asked(plan, paths, cookie)))))


if __name__ == "__main__":
    main()
