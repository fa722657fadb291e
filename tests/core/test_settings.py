"""Settings: a wrong one stops the start with a sentence that names it."""

from pathlib import Path

import pytest

from app.core import settings as module
from app.core.errors import Invalid
from app.core.settings import Settings


def made(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[arg-type]


def test_defaults_are_a_local_installation() -> None:
    found = made()

    assert (found.host, found.port, found.database_url, found.reachable) == (
        "127.0.0.1",
        8000,
        "",
        False,
    )
    assert found.sqlite_file == Path("data/setten.sqlite3")
    assert found.key_file == Path("data/secret.key")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"port": 0}, "SETTEN_PORT"),
        ({"port": "many"}, "SETTEN_PORT"),
        ({"public_url": "support.example.com"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://x.example.com/?a=1"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://a b/c"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://a/b c"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://a:99999"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://a:many"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://[::1"}, "SETTEN_PUBLIC_URL"),
        ({"public_url": "https://:443"}, "SETTEN_PUBLIC_URL"),
        ({"trusted_proxies": "10.0.0.0/8, proxy"}, "SETTEN_TRUSTED_PROXIES"),
        ({"log_level": "LOUD"}, "SETTEN_LOG_LEVEL"),
        ({"poll_seconds": 0}, "SETTEN_POLL_SECONDS"),
        ({"database_url": "mysql://x"}, "SETTEN_DATABASE_URL"),
        ({"triage": "maybe"}, "SETTEN_TRIAGE"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, object], named: str) -> None:
    with pytest.raises(Invalid) as stopped:
        module.load(_env_file=None, **given)

    assert named in stopped.value.message
    assert stopped.value.message.startswith("Setten cannot start. ")


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("", False),
        ("http://localhost:8000", False),
        ("http://setten.localhost", False),
        ("http://127.0.0.1", False),
        ("http://127.8.8.8", False),
        ("http://[::1]:8000", False),
        ("http://0.0.0.0", False),
        ("http://[::]", False),
        ("http://127.1", False),
        ("http://localhost.", False),
        ("http://[::ffff:127.0.0.1]", False),
        ("http://[::ffff:192.168.1.7]", True),
        ("https://beispiel-händler.example", True),
        ("https://support.example.com/", True),
        ("http://192.168.1.7:8000", True),
    ],
)
def test_customers_can_open_links_only_of_a_public_address(url: str, reachable: bool) -> None:
    assert made(public_url=url).reachable is reachable


def test_links_never_point_to_every_address_of_a_machine() -> None:
    assert made(host="0.0.0.0", port=9000).link_base == "http://127.0.0.1:9000"  # noqa: S104
    assert made(host="::1").link_base == "http://[::1]:8000"
    assert made(public_url="https://x.example.com/").link_base == "https://x.example.com"


def test_proxies_are_separated_by_commas() -> None:
    assert made(trusted_proxies="10.0.0.0/8, ::1,").trusted_proxies == ("10.0.0.0/8", "::1")


@pytest.mark.parametrize("name", ["SETTEN_DATADIR", "SETTEN_PUBLICURL", "SETTEN_PORTS"])
def test_a_slip_of_the_pen_is_named(name: str) -> None:
    with pytest.raises(Invalid, match=f"{name}: no such setting; SETTEN_"):
        module._no_slip_of_the_pen([name])


def test_what_is_no_setting_of_ours_is_left_alone() -> None:
    module._no_slip_of_the_pen(
        ["SETTEN_CRASH_AT", "SETTEN_FIXTURES", "SETTEN_SERVICE_HOST", "PATH"]
    )
