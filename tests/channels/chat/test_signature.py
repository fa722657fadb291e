"""Standard Webhooks: what is let in, and that nothing else ever comes out than `BadSignature`."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from standardwebhooks import Webhook

from channels.contract import BadSignature
from channels.signature import SharedSecret, new_secret, sign, verify

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
BODY = '{"a":"é\u3042"}'.encode()

KEYS = SharedSecret(secret=SecretStr(SECRET)).keys()
OTHER_KEYS = SharedSecret(secret=SecretStr(OTHER)).keys()


def signed(at: datetime = NOW, *, body: bytes = BODY) -> dict[str, str]:
    return sign(KEYS, "msg_1", int(at.timestamp()), body)


def test_what_we_sign_is_let_in_and_named() -> None:
    assert verify(KEYS, signed(), BODY, NOW) == "msg_1"


def test_what_we_sign_satisfies_the_scheme_s_own_library() -> None:
    now = datetime.now(UTC)  # noqa: TID251  (the library reads the machine's clock)

    assert Webhook(SECRET).verify(BODY, signed(now)) == json.loads(BODY)


def test_what_the_scheme_s_own_library_signs_is_let_in() -> None:
    signature = Webhook(SECRET).sign("msg_7", NOW, BODY.decode())
    headers = {
        "webhook-id": "msg_7",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }

    assert verify(KEYS, headers, BODY, NOW) == "msg_7"


def test_the_older_names_of_the_headers_are_let_in() -> None:
    older = {name.replace("webhook-", "svix-"): value for name, value in signed().items()}

    assert verify(KEYS, older, BODY, NOW) == "msg_1"


@pytest.mark.parametrize("away", [-300, 0, 300])
def test_five_minutes_either_way_are_let_in(away: int) -> None:
    assert verify(KEYS, signed(NOW + timedelta(seconds=away)), BODY, NOW) == "msg_1"


@pytest.mark.parametrize("away", [-301, 301])
def test_more_than_five_minutes_are_not(away: int) -> None:
    with pytest.raises(BadSignature, match="five minutes"):
        verify(KEYS, signed(NOW + timedelta(seconds=away)), BODY, NOW)


def test_one_right_signature_among_several_is_enough() -> None:
    headers = signed()
    right = headers["webhook-signature"]
    headers["webhook-signature"] = f"v1,bm8= v1a,{'A' * 88} {right} v2,what"

    assert verify(KEYS, headers, BODY, NOW) == "msg_1"


def test_while_rotating_both_secrets_are_let_in_and_both_are_signed_with() -> None:
    both = SharedSecret(secret=SecretStr(OTHER), previous_secret=SecretStr(SECRET)).keys()
    leaving = sign(both, "msg_2", int(NOW.timestamp()), BODY)

    assert verify(both, signed(), BODY, NOW) == "msg_1"
    assert verify(KEYS, leaving, BODY, NOW) == "msg_2"
    assert verify(OTHER_KEYS, leaving, BODY, NOW) == "msg_2"


def test_another_secret_is_refused() -> None:
    with pytest.raises(BadSignature, match="does not match"):
        verify(OTHER_KEYS, signed(), BODY, NOW)


def test_json_written_again_is_refused() -> None:
    with pytest.raises(BadSignature, match="does not match"):
        verify(KEYS, signed(), json.dumps(json.loads(BODY)).encode(), NOW)


@pytest.mark.parametrize("bit", range(0, len(BODY) * 8, 7))
def test_one_bit_of_the_body_changes_everything(bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadSignature, match="does not match"):
        verify(KEYS, signed(), bytes(flipped), NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize(
    "value", ["", " ", ".", "a.b", "é", "\udcff", "9" * 400, "-1", "1e9", "٣", "v1,", "v1,\udcff"]
)
def test_a_strange_header_is_refused_and_never_a_crash(name: str, value: str) -> None:
    with pytest.raises(BadSignature):
        verify(KEYS, {**signed(), name: value}, BODY, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(name: str) -> None:
    headers = signed()
    del headers[name]

    with pytest.raises(BadSignature, match=name):
        verify(KEYS, headers, BODY, NOW)


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries(
        {}, optional={name: st.text(st.characters(), max_size=40) for name in signed()}
    ),
    st.binary(max_size=60),
)
def test_whoever_does_not_know_the_secret_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BadSignature):
        verify(KEYS, headers, body, NOW)


def test_a_secret_is_made_when_none_is_given_and_differs_each_time() -> None:
    first, second = SharedSecret(), SharedSecret()

    assert first.secret != second.secret
    assert [len(first.keys()[0]), len(first.keys())] == [32, 1]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_???", "whsec_é"])
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        SharedSecret(secret=SecretStr(secret))

    assert [error["msg"].split(" and")[0] for error in refusal.value.errors()] == [
        "Value error, a secret is whsec_"
    ]


def test_a_secret_is_not_shown() -> None:
    shared = SharedSecret(secret=SecretStr(SECRET))

    assert SECRET[8:] not in repr(shared) + str(shared.model_dump()) + shared.model_dump_json()
    assert new_secret().get_secret_value()[:6] == "whsec_"


@pytest.mark.skipif("SETTEN_FIXTURES" not in os.environ, reason="needs SETTEN_FIXTURES")
def test_the_published_vector_is_let_in() -> None:
    vectors = json.loads(
        (Path(os.environ["SETTEN_FIXTURES"]) / "channels" / "vectors.json").read_text()
    )
    vector = vectors["standard_webhooks_official"]
    keys = SharedSecret(secret=SecretStr(vector["secret"])).keys()
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    headers = {
        "webhook-id": vector["id"],
        "webhook-timestamp": vector["timestamp"],
        "webhook-signature": vector["sig"],
    }

    assert verify(keys, headers, vector["body"].encode(), at) == vector["id"]
    assert sign(keys, vector["id"], int(vector["timestamp"]), vector["body"].encode()) == headers
