"""Whom we believe about where a request comes from."""

import pytest
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send

from app.core.settings import Settings
from app.web.origin import (
    Proxies,
    is_plain_http,
    is_this_machine,
    local_path,
    network_of,
)

Headers = dict[str, str]


class State:
    """Stands for the application: all that is asked of it is the settings."""

    def __init__(self, *trusted: str) -> None:
        self.state = self
        self.house = self
        self.settings = Settings(_env_file=None, trusted_proxies=trusted)


def scope_of(client: str, headers: Headers, scheme: str = "http") -> dict[str, object]:
    given = {"host": "setten:8000"} | headers
    return {
        "type": "http",
        "scheme": scheme,
        "client": (client, 1234),
        "path": "/",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }


async def through(client: str, headers: Headers, *trusted: str) -> tuple[str, str, str]:
    """What the program sees of a request: caller, scheme and host."""
    seen: list[HTTPConnection] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(HTTPConnection(scope))

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        pass

    scope = scope_of(client, headers) | {"app": State(*trusted)}
    await Proxies(app)(scope, receive, send)
    found = seen[0]
    assert found.client is not None
    return found.client.host, found.scope["scheme"], found.headers["host"]


FORWARDED = {
    "x-forwarded-for": "203.0.113.9",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "support.hoshi.example",
}
AS_IS = ("setten:8000",)


@pytest.mark.parametrize(
    ("client", "headers", "trusted", "expected"),
    [
        ("10.0.0.2", FORWARDED, ("10.0.0.0/8",), ("203.0.113.9", "https", "support.hoshi.example")),
        ("10.0.0.2", FORWARDED, (), ("10.0.0.2", "http", "setten:8000")),
        ("203.0.113.50", FORWARDED, ("10.0.0.0/8",), ("203.0.113.50", "http", "setten:8000")),
        ("::ffff:10.0.0.2", {}, ("10.0.0.0/8",), ("::ffff:10.0.0.2", "http", "setten:8000")),
        (  # what stands before the last proxy's entry was written by the caller
            "10.0.0.2",
            {"x-forwarded-for": "127.0.0.1, 203.0.113.9"},
            ("10.0.0.0/8",),
            ("203.0.113.9", "http", "setten:8000"),
        ),
        (  # two proxies of ours
            "10.0.0.2",
            {"x-forwarded-for": "127.0.0.1, 203.0.113.9, 10.0.0.3"},
            ("10.0.0.0/8",),
            ("203.0.113.9", "http", "setten:8000"),
        ),
        (
            "10.0.0.2",
            {"x-forwarded-for": "not an address"},
            ("10.0.0.0/8",),
            ("10.0.0.2", "http", "setten:8000"),
        ),
        (
            "10.0.0.2",
            {"x-forwarded-proto": "javascript", "x-forwarded-host": "evil.example/path"},
            ("10.0.0.0/8",),
            ("10.0.0.2", "http", "setten:8000"),
        ),
        ("2001:db8::1", {"x-forwarded-for": "2001:db8:1::7"}, ("2001:db8::/64",),
         ("2001:db8:1::7", "http", "setten:8000")),
    ],
)  # fmt: skip
async def test_only_a_trusted_proxy_is_believed(
    client: str, headers: Headers, trusted: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    assert await through(client, headers, *trusted) == expected


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
    ],
)
def test_network_of_a_caller(client: str, network: str) -> None:
    assert network_of(HTTPConnection(scope_of(client, {}))) == network


@pytest.mark.parametrize(
    ("scheme", "host", "plain"),
    [
        ("https", "support.hoshi.example", False),
        ("http", "support.hoshi.example", True),
        ("http", "192.168.1.5:8000", True),
        ("http", "127.0.0.1:8000", False),
        ("http", "[::1]:8000", False),
        ("http", "localhost", False),
        ("http", "localhost.evil.example", True),
        ("http", "[bad", True),
    ],
)
def test_plain_http_beyond_this_machine_is_told(scheme: str, host: str, plain: bool) -> None:
    assert is_plain_http(HTTPConnection(scope_of("1.2.3.4", {"host": host}, scheme))) is plain


@pytest.mark.parametrize(
    ("client", "headers", "here"),
    [
        ("127.0.0.1", {"host": "127.0.0.1:8000"}, True),
        ("::1", {"host": "localhost:8000"}, True),
        ("127.0.0.1", {"host": "support.hoshi.example"}, False),
        ("127.0.0.1", {"host": "localhost", "x-forwarded-for": "203.0.113.9"}, False),
        ("203.0.113.9", {"host": "localhost"}, False),
    ],
)
def test_proxy_on_this_machine_is_not_this_machine(
    client: str, headers: Headers, here: bool
) -> None:
    assert is_this_machine(HTTPConnection(scope_of(client, headers))) is here


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/tickets/abc?view=mine", "/tickets/abc?view=mine"),
        ("/", "/"),
        ("", "/"),
        (None, "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("\\\\evil.example", "/"),
        ("/x" * 1500, "/"),
        ("inbox", "/"),
    ],
)
def test_next_page_is_one_of_ours(wanted: str | None, goes_to: str) -> None:
    assert local_path(wanted) == goes_to
