"""What an inbox must be told, and what it says when that cannot work."""

from typing import Any

import pytest
from pydantic import ValidationError

from channels.email.config import AfterFiling, Auth, EmailConfig, is_loopback


def _words(**settings: Any) -> str:
    with pytest.raises(ValidationError) as told:
        EmailConfig.model_validate({"address": "support@example.com"} | settings)
    return str(told.value.errors()[0]["msg"])


@pytest.mark.parametrize("host", ["imap.example.com", "192.0.2.1", "localhost.example.com"])
@pytest.mark.parametrize("way", ["imap", "smtp"])
def test_no_encryption_is_for_this_machine_only(way: str, host: str) -> None:
    words = _words(**{f"{way}_host": host, f"{way}_security": "none"})

    assert words == (
        f"Value error, {host} is another machine: choose TLS or STARTTLS, "
        "otherwise the password and every mail could be read on the way"
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_this_machine_is_known_by_all_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("address", ["", "support", "a@b@c", "a b@c", "a@b\r\nX: y", "<a@b>"])
def test_an_address_must_be_one(address: str) -> None:
    assert _words(address=address) == (
        "Value error, this is not a mail address, such as support@example.com"
    )


def test_a_setting_of_two_lines_is_refused() -> None:
    assert _words(sender_name="x\r\nBcc: y") == "Value error, this must be one line"


def test_without_servers_an_inbox_is_local() -> None:
    assert EmailConfig(address="a@b.c").is_local
    assert not EmailConfig(address="a@b.c", smtp_host="smtp.example.com").is_local


def test_passwords_are_not_shown() -> None:
    config = EmailConfig.model_validate({"address": "a@b.c", "imap_password": "sesame"})

    assert "sesame" not in repr(config)


def test_moving_needs_another_folder() -> None:
    assert [
        _words(after_filing="move"),
        _words(after_filing="move", folder="Mail", after_folder="Mail"),
    ] == [
        "Value error, after_folder: to move filed mails, name the folder they are moved to",
        (
            "Value error, after_folder: "
            "filed mails cannot be moved to the folder they are fetched from"
        ),
    ]


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://oauth2.example.com/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("", True),
        ("http://oauth2.example.com/token", False),
        ("ftp://127.0.0.1/token", False),
        ("oauth2.example.com/token", False),
        ("https://", False),
    ],
)
def test_access_is_renewed_over_encrypted_connections_only(address: str, taken: bool) -> None:
    try:
        config = EmailConfig(address="a@b.c", oauth_token_url=address)
    except ValidationError:
        assert not taken
    else:
        assert (config.oauth_token_url, taken) == (address, True)


def test_an_inbox_stored_before_there_was_oauth_signs_in_with_its_password() -> None:
    config = EmailConfig.model_validate({"address": "a@b.c", "after_filing": "seen"})

    assert (config.auth, config.after_filing) == (Auth.PASSWORD, AfterFiling.SEEN)
