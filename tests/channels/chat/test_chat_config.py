"""What a chat inbox can be told, and what it is not."""

import pytest
from pydantic import ValidationError

from channels.chat.config import ChatConfig


@pytest.mark.parametrize(
    ("url", "allow_loopback"),
    [
        ("", False),
        ("https://callback.test/in?a=1", False),
        ("https://[2001:db8::1]:8443/", False),
        ("http://127.0.0.1:9/", True),
    ],
)
def test_an_address_that_can_be_called_is_taken_as_it_stands(
    url: str, allow_loopback: bool
) -> None:
    assert ChatConfig(callback_url=url, allow_loopback=allow_loopback).callback_url == url


@pytest.mark.parametrize(
    "url",
    [
        *("callback.test", "ftp://callback.test/", "https://", "https:///path", "//host/"),
        *("https://a:b@callback.test/", "https://callback.test/#x", "https://callback.test:99999/"),
        *(
            "https://[::1",
            "https://例え.test/",
            "https://callback.test/\n",
            "http://callback.test/",
        ),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_as_a_setting(url: str) -> None:
    with pytest.raises(ValidationError, match="callback_url: "):
        ChatConfig(callback_url=url)
