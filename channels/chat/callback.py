"""The signed callback: one POST per attempt, and what its answer means."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext

import httpx2

from channels.chat import addresses
from channels.chat.config import ChatConfig
from channels.contract import InDoubt, Later, Outcome, Phase, Progress, Refused, Rendered, Sent
from channels.signature import sign

WHOLE_ATTEMPT = 15.0
CONNECT = 5.0
MOST_ADDRESSES = 4  # a name with more is tried again later anyway
MOST_ANSWER = 64 * 1024
LONGEST_SPEECH = 3.0
MOST_WORDS = 200
LONGEST_WAIT = 24 * 3600.0

_NOT_YET = {408, 425, 429}
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ufffd]+")


@cache
def _trust(*, verify: bool) -> SSLContext:
    # Reading the certificates takes tens of milliseconds; every attempt opens a new connection.
    return httpx2.create_ssl_context(verify=verify, trust_env=False)


@dataclass
class _Attempt:
    """How far one attempt got. The headers alone do nothing at the other side; the body does."""

    body: bytes
    progress: Progress
    began: bool = False

    async def content(self) -> AsyncIterator[bytes]:
        self.began = True
        await self.progress(Phase.AMBIGUOUS)
        yield self.body


@dataclass(frozen=True)
class Callback:
    """Posts to callback addresses. What it needs of the world can be replaced."""

    resolve: addresses.Resolve = addresses.resolve
    trust: SSLContext | None = None
    clock: Callable[[], float] = field(default=time.time)
    seconds: float = WHOLE_ATTEMPT

    async def post(self, config: ChatConfig, rendered: Rendered, progress: Progress) -> Outcome:
        url = httpx2.URL(config.callback_url)
        host = url.raw_host.decode("ascii")
        attempt = _Attempt(rendered.body, progress)
        await progress(Phase.TALKING)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._to_first_reachable(config, url, rendered, attempt)
        except addresses.Forbidden as refusal:
            return Refused(
                f"The callback address {host} leads to {refusal}, "
                "which is inside and not on the internet."
            )
        except (OSError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            return _unanswered(attempt, host, error)

    async def _to_first_reachable(
        self, config: ChatConfig, url: httpx2.URL, rendered: Rendered, attempt: _Attempt
    ) -> Outcome:
        port = url.port or (443 if url.scheme == "https" else 80)
        # Resolved once and then called by number: asked twice, a name may answer differently.
        found = await self.resolve(url.raw_host.decode("ascii"), port)
        pinned = addresses.allowed(found, allow_loopback=config.allow_loopback)[:MOST_ADDRESSES]
        if not pinned:
            raise OSError("the name has no address")
        headers = sign(config.keys(), rendered.external_id, int(self.clock()), rendered.body)
        trust = self.trust or _trust(verify=config.verify_tls)
        async with _client(trust) as client:
            for address in pinned[:-1]:
                try:
                    return await self._once(client, url, address, headers, attempt)
                except (httpx2.ConnectError, httpx2.ConnectTimeout):
                    continue
            return await self._once(client, url, pinned[-1], headers, attempt)

    async def _once(
        self,
        client: httpx2.AsyncClient,
        url: httpx2.URL,
        address: str,
        headers: Mapping[str, str],
        attempt: _Attempt,
    ) -> Outcome:
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=attempt.content(),
            headers={
                **headers,
                "host": url.netloc.decode("ascii"),
                "content-type": "application/json",
                "content-length": str(len(attempt.body)),
                "accept-encoding": "identity",  # nothing that grows when unpacked
                "user-agent": "Setten",
            },
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await client.send(request, stream=True)
        try:
            if response.is_success:
                return Sent()
            return self._meaning(response.status_code, response.headers, await _words(response))
        finally:
            await response.aclose()

    def _meaning(self, status: int, headers: Mapping[str, str], words: str) -> Outcome:
        said = f"The callback answered {status}" + (f": {words}" if words else ".")
        if status in _NOT_YET or status >= 500:
            return Later(said, self._wait(headers.get("retry-after", "")), away=True)
        if 300 <= status < 400:
            return Refused(f"The callback answered {status}, and redirects are not followed.")
        return Refused(said)

    def _wait(self, retry_after: str) -> float:
        """Seconds or a date, as HTTP allows; nonsense is no wish at all."""
        try:
            if retry_after.strip().isdecimal():
                seconds = float(retry_after[:12])
            else:
                seconds = parsedate_to_datetime(retry_after).timestamp() - self.clock()
        except (ValueError, OverflowError):
            return 0.0
        return min(max(seconds, 0.0), LONGEST_WAIT)


def _client(trust: SSLContext) -> httpx2.AsyncClient:
    # A proxy or a .netrc of the environment would undo the pinned address.
    return httpx2.AsyncClient(
        verify=trust,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(WHOLE_ATTEMPT, connect=CONNECT),
    )


async def _words(response: httpx2.Response) -> str:
    """What the other side says about its no, on one line. Its status counts without them too."""
    read = b""
    try:
        async with asyncio.timeout(LONGEST_SPEECH):
            async for piece in response.aiter_raw():
                read += piece
                if len(read) >= MOST_ANSWER:
                    break
    except (TimeoutError, httpx2.HTTPError):
        return ""
    return _CONTROL.sub(" ", read[:MOST_ANSWER].decode("utf-8", "replace")).strip()[:MOST_WORDS]


def _unanswered(attempt: _Attempt, host: str, error: Exception) -> Outcome:
    why = str(error) or type(error).__name__
    if attempt.began:
        return InDoubt(f"{host} took the message and did not answer in order: {why}.")
    return Later(f"{host} cannot be reached: {why}.", away=True)
