"""Nothing runs the container files here, so everything they name is looked up in the program."""

import importlib
import json
import re
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

import app.main
from app import __version__
from app.cli.work import STOPS_WITHIN
from app.core.settings import Settings
from tests import documents
from tests.documents import ROOT, read

# Comes with the job engine and has no types.
COMPOSE: dict[str, Any] = importlib.import_module("yaml").safe_load(read("docker-compose.yml"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OUR_OWN = [name for name, one in SERVICES.items() if one["image"].startswith("setten:")]
SETTINGS = {f"SETTEN_{name.upper()}" for name in Settings.model_fields}
PORT = str(Settings.model_fields["port"].default)


def dockerfile(word: str) -> list[str]:
    """What follows an instruction, lines that go on put together."""
    lines = read("Dockerfile").replace("\\\n", " ").splitlines()
    return [line[len(word) + 1 :].strip() for line in lines if line.startswith(f"{word} ")]


def test_the_image_is_built_from_files_that_exist_and_are_sent() -> None:
    sent = re.findall(r"^!(\S+)$", read(".dockerignore"), re.MULTILINE)
    copied = [
        name for line in dockerfile("COPY") if "--from" not in line for name in line.split()[:-1]
    ]

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert sorted(copied) == sorted(sent)


def test_the_image_starts_a_command_that_exists() -> None:
    words = json.loads(dockerfile("CMD")[0])

    assert words[0] == "setten"
    assert documents.unknown_in(words[1:], documents.command_line()) == []


def test_the_image_is_asked_at_an_address_and_port_that_answer() -> None:
    asked = dockerfile("HEALTHCHECK")[0]
    made = app.main.create_app(Settings(), with_worker=False)
    answered = {str(route.path) for route in iter_route_contexts(made.routes)}

    assert set(re.findall(r"'(/\w+)'", asked)) == {"/healthz"}
    assert "/healthz" in answered
    assert re.findall(r"'SETTEN_PORT', '(\d+)'", asked) == [PORT]
    assert dockerfile("EXPOSE") == [PORT]


def test_the_image_is_built_with_the_tools_of_a_checkout() -> None:
    pinned = re.findall(r"uv==([\d.]+)", read("Dockerfile") + read("Makefile"))

    assert len(pinned) == 2
    assert len(set(pinned)) == 1
    assert [name for name in re.findall(r"requirements\S*\.lock", read("Dockerfile"))
            if not (ROOT / name).exists()] == []  # fmt: skip


@pytest.mark.parametrize("name", OUR_OWN)
def test_every_service_starts_a_command_that_exists(name: str) -> None:
    words = SERVICES[name].get("command") or json.loads(dockerfile("CMD")[0])

    assert words[0] == "setten"
    assert documents.unknown_in(words[1:], documents.command_line()) == []


@pytest.mark.parametrize("name", ["Dockerfile", "docker-compose.yml", ".env.example"])
def test_every_variable_exists(name: str) -> None:
    assert set(re.findall(r"\bSETTEN_[A-Z_]*[A-Z]", read(name))) - SETTINGS == set()


def test_every_setting_stands_in_the_example_with_a_value_the_program_takes() -> None:
    given = dict(re.findall(r"^#?(SETTEN_\w+)=(.*)$", read(".env.example"), re.MULTILINE))

    taken = Settings(
        **{key.removeprefix("SETTEN_").lower(): value for key, value in given.items()}
    ).model_dump(mode="json")  # fmt: skip

    assert set(given) == SETTINGS
    assert set(taken) == set(Settings.model_fields)


@pytest.mark.parametrize("name", OUR_OWN)
def test_what_is_published_is_what_is_listened_on(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        address, _, inside = port.rpartition(":")
        assert inside == PORT
        assert address.startswith("127.0.0.1:")  # who reaches it decides the proxy in front


@pytest.mark.parametrize("name", OUR_OWN)
def test_every_service_keeps_its_data_and_has_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    folder = service["environment"]["SETTEN_DATA_DIR"]

    assert service["volumes"] == [f"data:{folder}"]
    assert f"SETTEN_DATA_DIR={folder}" in " ".join(dockerfile("ENV"))
    assert dockerfile("VOLUME") == [folder]
    assert int(service["stop_grace_period"].removesuffix("s")) > STOPS_WITHIN
    assert service["image"] == f"setten:{__version__}"


def test_the_profiles_hold_what_the_readme_says() -> None:
    scale = {name for name, one in SERVICES.items() if one.get("profiles") == ["scale"]}

    assert set(SERVICES) - scale == {"setten"}
    assert scale == {"postgres", "migrate", "web", "worker"}
    assert {SERVICES[name]["deploy"]["replicas"] for name in ("web", "worker")} == {2}
    assert "two web and two worker processes on the ports 8001 and 8002" in read("README.md")
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8001-8002:8000"]


def test_services_wait_for_services_that_exist_and_name_the_same_database() -> None:
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    postgres = SERVICES["postgres"]["environment"]
    wanted = (
        f"postgresql://{postgres['POSTGRES_USER']}:{postgres['POSTGRES_PASSWORD']}"
        f"@postgres:5432/{postgres['POSTGRES_DB']}"
    )
    urls = {SERVICES[name]["environment"]["SETTEN_DATABASE_URL"]
            for name in ("migrate", "web", "worker")}  # fmt: skip

    assert urls == {wanted}
    assert "#POSTGRES_PASSWORD=" in read(".env.example")
