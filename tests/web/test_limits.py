"""How much may be sent, in one piece or many, by whom."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from app.web.limits import MB, ORDINARY
from tests.web.conftest import Person


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """With an address that says how much it was sent."""

    @app.post("/api/measure")
    async def measure(request: Request) -> int:
        return len(await request.body())

    return app


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65_536):
        yield b"x" * 65_536


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("size", "status"), [(ORDINARY, 200), (ORDINARY + 65_536, 413)])
def test_ordinary_body_has_a_megabyte(
    client: TestClient, size: int, status: int, *, whole: bool
) -> None:
    body = b"x" * size if whole else pieces(size)

    assert client.post("/api/measure", content=body).status_code == status


@pytest.mark.parametrize(("size", "status"), [(25 * MB, 200), (27 * MB, 413)])
def test_files_of_somebody_signed_in_have_more_room(ann: Person, size: int, status: int) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}

    answer = ann.client.post("/api/measure", content=pieces(size), headers=headers)

    assert answer.status_code == status


def test_files_of_strangers_have_not(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}

    assert client.post("/api/measure", content=pieces(2 * MB), headers=headers).status_code == 413


def test_length_that_is_a_lie_does_not_help(client: TestClient) -> None:
    headers = {"content-length": "10"}

    answer = client.post("/api/measure", content=pieces(2 * MB), headers=headers)

    assert answer.status_code == 413


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_refusal_is_in_the_callers_format(client: TestClient, accept: str) -> None:
    answer = client.post(
        "/sign-in", content=pieces(2 * MB), headers={"accept": accept, "content-type": "text/plain"}
    )

    form = client.post(
        "/sign-in",
        content=pieces(2 * MB),
        headers={"accept": accept, "content-type": "application/x-www-form-urlencoded"},
    )
    assert {answer.status_code, form.status_code} <= {413, 422}
    assert form.status_code == 413
    assert form.headers["content-type"].startswith(accept)
    assert "at most 1 MB" in form.text


@pytest.mark.parametrize("path", ["/f/unknown/stop", "/sign-out", "/api/nowhere"])
@pytest.mark.parametrize("whole", [True, False])
def test_what_nobody_reads_is_refused_as_well(
    client: TestClient, path: str, *, whole: bool
) -> None:
    body = b"x" * (2 * MB) if whole else pieces(30 * MB)

    assert client.post(path, content=body).status_code == 413


def test_connection_is_closed_on_what_was_left_unread(ann: Person) -> None:
    form = {"content-type": "multipart/form-data; boundary=x"}

    left = ann.client.post("/api/nowhere", content=pieces(2 * MB), headers=form)
    read = ann.client.post("/api/measure", content=pieces(2 * MB), headers=form)
    bare = ann.client.get("/api/nowhere")

    assert [answer.status_code for answer in (left, read, bare)] == [404, 200, 404]
    assert [answer.headers.get("connection") for answer in (left, read, bare)] == [
        "close",
        None,
        None,
    ]


def test_one_secret_link_after_the_other_is_slowed(client: TestClient) -> None:
    statuses = [client.get(f"/invitation/guess-{number}").status_code for number in range(62)]

    assert statuses == [404] * 60 + [429] * 2
