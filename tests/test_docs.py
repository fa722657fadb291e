"""What the pages say is what the program does, and nothing of it is left out."""

import ast
import dataclasses
import json
import re
import struct
import tomllib
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, SecretStr

import app.main
import app.worker.engine  # importing is what declares the crash points
from app import __version__
from app.core import crashpoints, errors
from app.core.settings import Settings
from app.domain import score, survey
from app.services.queries.inbox import View
from app.web.errors import STATUS
from app.web.speech import LANGUAGES
from channels.email.config import EmailConfig
from channels.registry import all_channels
from tests import documents
from tests.documents import ROOT, START_PAGES, read

PAGES = documents.pages()
OURS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"] + [
    documents.name_of(path) for path in PAGES if path.is_relative_to(ROOT / "docs")
]
IMAGES = ROOT / "docs" / "img"
FOR_TESTS = {"SETTEN_CRASH_AT", "SETTEN_FIXTURES"}
SETTINGS = {f"SETTEN_{name.upper()}" for name in Settings.model_fields}


def shown(model: type[BaseModel], name: str) -> str:
    """A default as the tables write it."""
    given = model.model_fields[name]
    value = "" if given.is_required() else given.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{value}`" if value not in (None, "", ()) else "empty"


def table(page: str, columns: int) -> list[tuple[str, ...]]:
    """The first cells of every row that begins with code."""
    rows = re.findall(r"^\| `(.+?)` \| (.*)\|$", read(page), re.MULTILINE)
    return [(name, *re.split(r" *\| *", rest)[: columns - 1]) for name, rest in rows]


@cache
def addresses() -> set[str]:
    """Every path the program answers, what varies in it as {}."""
    made = app.main.create_app(Settings(), with_worker=False)
    found = {str(route.path) for route in iter_route_contexts(made.routes)}
    return {re.sub(r"\{[^}]*\}", "{}", path) for path in found}


# Links, languages, pictures, tone


@pytest.mark.parametrize("page", PAGES, ids=documents.name_of)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in documents.links(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        found = (page.parent / target).resolve() if target else page
        inside = found.is_relative_to(ROOT) and found.exists()
        if not inside or (
            anchor and anchor not in documents.anchors(found.read_text(encoding="utf-8"))
        ):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", OURS)
def test_every_file_that_is_named_exists(page: str) -> None:
    named = [
        stretch
        for stretch in documents.said(read(page))
        if re.fullmatch(r"(?:app|channels|classifier|docs|templates|tests)/[\w./-]+", stretch)
    ]

    assert [name for name in named if not (ROOT / name.replace("KIND", "email")).exists()] == []


def test_there_is_a_start_page_in_every_language_of_the_screens() -> None:
    assert set(START_PAGES) == set(LANGUAGES)
    for language, page in START_PAGES.items():
        others = {(ROOT / other).resolve() for other in START_PAGES.values() if other != page}
        linked = {(ROOT / page).parent.joinpath(link).resolve() for link in
                  documents.links(read(page)) if link.endswith("README.md")}  # fmt: skip
        assert others <= linked, language


@pytest.mark.parametrize("page", START_PAGES.values())
def test_every_start_page_begins_with_the_same_commands(page: str) -> None:
    blocks = [content for language, content in documents.fences(read(page)) if language == "sh"]

    assert blocks[:2] == [
        "git clone <this repository> setten\ncd setten && make run\n",
        ".venv/bin/setten try\n",
    ]


@pytest.mark.parametrize("drawing", sorted(IMAGES.glob("*.svg")), ids=lambda p: p.name)
def test_drawings_are_small_and_do_nothing(drawing: Path) -> None:
    text = drawing.read_text(encoding="utf-8")

    kinds = {each.tag.rpartition("}")[2] for each in ElementTree.fromstring(text).iter()}  # noqa: S314
    assert kinds <= {"svg", "title", "rect", "path", "g", "text", "polygon", "polyline"}
    assert len(text) < 40_000


@pytest.mark.parametrize(
    "picture", sorted(set(IMAGES.glob("*")) - set(IMAGES.glob("*.svg"))), ids=lambda p: p.name
)
def test_pictures_are_small_png_files_of_the_real_width(picture: Path) -> None:
    head = picture.read_bytes()
    width, _ = struct.unpack(">II", head[16:24])

    assert head.startswith(b"\x89PNG")
    assert width == 1440
    assert len(head) < 200_000


def test_every_picture_is_shown_somewhere() -> None:
    shown_somewhere = {Path(link).name for page in OURS for link in documents.links(read(page))}

    assert {path.name for path in (ROOT / "docs" / "img").iterdir()} <= shown_somewhere


@pytest.mark.parametrize("page", OURS)
def test_no_page_raises_its_voice_or_invents_an_address(page: str) -> None:
    known = ("example.com", "127.0.0.1", "localhost", "keepachangelog.com", "semver.org")
    hosts = re.findall(r"https?://([\w.-]+)", read(page))

    assert "!" not in documents.prose(read(page))
    assert [host for host in hosts if not host.endswith(known)] == []


# Commands


def test_every_command_stands_in_the_table_of_the_readme() -> None:
    rows = [row for row in read("README.md").splitlines() if row.startswith("| `setten ")]

    missing = [
        " ".join(leaf)
        for leaf in documents.command_line().leaves()
        if not any(f"`setten {leaf[0]}" in row and leaf[-1] in row for row in rows)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=documents.name_of)
def test_every_command_that_is_named_exists(page: Path) -> None:
    commands = documents.command_line()
    named = documents.setten_lines(page.read_text(encoding="utf-8"))

    assert [word for words in named for word in documents.unknown_in(words, commands)] == []


def test_make_does_what_the_pages_say() -> None:
    makefile = read("Makefile")
    there = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE)) | {".venv/.run"}
    explained = set(re.findall(r"^([\w-]+):.*?## ", makefile, re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in documents.made_targets(page.read_text(encoding="utf-8"))
    }

    assert named - there == set()
    assert explained - named == set()


def test_ci_runs_what_the_readme_says() -> None:
    assert "make check test-faults" in read(".ci/run")
    assert "`.ci/run`, which is `make check` and then `make test-faults`" in read("README.md")


def test_every_module_that_make_starts_exists() -> None:
    named = set(re.findall(r"(?:python3|\$\(PYTHON\)) -m ([\w.]+)", read("Makefile")))
    ours = {name for name in named if name.split(".")[0] in {"app", "bench", "classifier", "tests"}}

    assert named - ours == {"pip", "pytest"}
    assert {"bench", "tests.proof", "tests.sabotage"} <= ours
    assert [name for name in sorted(ours) if not _starts(ROOT / name.replace(".", "/"))] == []


def _starts(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


# Settings


def test_every_setting_is_described_with_its_default() -> None:
    described = {row[0]: row[1] for row in table("docs/settings.md", 2)}

    assert described == {
        f"SETTEN_{name.upper()}": shown(Settings, name) for name in Settings.model_fields
    }


@pytest.mark.parametrize("page", PAGES, ids=documents.name_of)
def test_every_variable_that_is_named_exists(page: Path) -> None:
    named = set(re.findall(r"\bSETTEN_[A-Z_]*[A-Z]", page.read_text(encoding="utf-8")))

    assert named - SETTINGS - FOR_TESTS == set()


def test_the_mailbox_page_explains_every_field_of_the_form() -> None:
    assert table("docs/mailbox.md", 3) == [
        (name, field.title, "" if field.is_required() else shown(EmailConfig, name))
        for name, field in EmailConfig.model_fields.items()
    ]


def test_the_answers_in_the_mailbox_page_make_an_inbox() -> None:
    answers = next(
        json.loads(content)
        for language, content in documents.fences(read("docs/mailbox.md"))
        if language == "json"
    )

    assert answers.pop("name") == "Support"
    assert set(answers) <= set(EmailConfig.model_fields)
    assert EmailConfig.model_validate(answers).address == "support@example.com"


# What the program answers


def error_codes() -> dict[str, str]:
    """Every code in the source with its status: of our errors, and those the web gives itself."""
    codes = {kind.code: str(status) for kind, status in STATUS.items()}
    codes[errors.SettenError.code] = "any other"
    tree = ast.parse(read("app/web/errors.py"))
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Name("Problem"), args=[ast.Constant(status), ast.Constant(str(code)), *_]
            ):
                codes[code] = str(status)
            case ast.Assign(targets=[ast.Name("_WORDS")], value=ast.Dict(keys, values)):
                for key, value in zip(keys, values, strict=True):
                    assert isinstance(key, ast.Constant)
                    assert isinstance(value, ast.Tuple)
                    codes[ast.literal_eval(value.elts[0])] = str(key.value)
    return codes


def test_every_error_code_is_explained_with_its_status() -> None:
    assert set(STATUS) == set(errors.SettenError.__subclasses__())
    assert {row[0]: row[1] for row in table("docs/errors.md", 2)} == error_codes()


@pytest.mark.parametrize("page", OURS)
def test_every_address_that_is_named_is_answered(page: str) -> None:
    ours = re.compile(r"(?<![\w.}])/(?:api|hooks|live|f|\w+z|metrics)\b[^\s\"']*")
    named = {
        re.sub(r"\{\w+\}|\b[A-Z]{3,}\b", "{}", path.partition("?")[0])
        for stretch in documents.said(read(page).replace("$URL", " "))
        for path in ours.findall(re.sub(r"https?://[\w.:-]+", " ", stretch))
    }

    assert named - addresses() - {"/api"} == set()


def test_the_api_page_names_every_group_of_addresses() -> None:
    groups = {path.split("/")[2] for path in addresses() if path.startswith("/api/")}
    named = set(re.findall(r"/api/([\w.-]+)", read("docs/api.md")))

    views = re.search(r"lists by `view` \((.+?)\)", read("docs/api.md"))

    assert groups - named - {"me"} == set()
    assert views is not None
    assert set(re.findall(r"`(\w+)`", views.group(1))) == set(View)


def test_every_channel_has_a_page_that_the_readme_links() -> None:
    linked = documents.links(read("README.md"))

    assert [kind for kind in all_channels() if f"channels/{kind}/README.md" not in linked] == []


def test_every_crash_point_says_what_follows() -> None:
    assert {row[0] for row in table("docs/crashes.md", 1)} == set(crashpoints.declared())


def test_every_reason_not_to_ask_is_explained() -> None:
    may = survey.Circumstances(
        wanted=True, policy="opt-out", agreed=True, notice=True, objected=False, automatic=False,
        sample=False, answer_reached=True, has_address=True, waiting=False, last_asked=None,
        cooling=timedelta(days=30),
    )  # fmt: skip
    now = datetime(2026, 4, 1, 12, tzinfo=UTC)
    against = (
        {"sample": True}, {"automatic": True}, {"answer_reached": False}, {"objected": True},
        {"wanted": False}, {"policy": "de-strict", "agreed": False, "notice": False},
        {"has_address": False}, {"waiting": True}, {"last_asked": now},
    )  # fmt: skip

    reasons = [survey.why_not(dataclasses.replace(may, **change), now) for change in against]

    assert survey.why_not(may, now) == ""
    assert re.findall(r"^\| (.+?) \| ", read("docs/feedback.md"), re.MULTILINE)[1:] == reasons


def test_every_key_is_listed() -> None:
    templates = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "templates").rglob("*.html")
    )
    script = read("app/web/static/keys.js")
    bound = set(re.findall(r'data-key="([^"{]+)"', templates))
    bound |= set(re.findall(r"'(g [a-z])'", templates))
    bound |= set(re.findall(r'key === "(\S)"', script)) - {"g"}
    listed = set(documents.first_cells(read("docs/keys.md")))
    elsewhere = {"↓", "↑", "Enter", "Esc", "Ctrl Enter", "Ctrl Z", *"123456"}

    assert listed - elsewhere == bound


# Figures and versions


def test_the_figures_of_triage_are_those_of_the_model_card() -> None:
    card = read("classifier/README.md")
    line = r"^(all|de|ja) +\d+ +(\S+)% +\S+ +\S+ +\S+% +(\S+)% +(\S+)%$"
    rows = re.findall(line, card, re.MULTILINE)
    stage, topic = ([float(one) for one in row[1:]] for row in rows if row[0] == "all")
    german = [row[1].replace(".", ",") for row in rows if row[0] == "de"]
    japanese = [row[1] for row in rows if row[0] == "ja"]
    readme = " ".join(read("README.md").split())

    assert f"right stage in {stage[0]} % and the right topic in {topic[0]} %" in readme
    assert f"{stage[1]:.0f} % of the stages, of which {stage[2]:.0f} % were right" in readme
    assert f"{topic[1]:.0f} % of the topics, of which {topic[2]:.0f} % were right" in readme
    assert [one for one in german if f"{one} %" not in read(START_PAGES["de"])] == []
    assert [one for one in japanese if f"{one} %" not in read(START_PAGES["ja"])] == []


@pytest.mark.parametrize(
    "page", ["docs/model-card.md", "docs/de/model-card.md", "docs/ja/model-card.md"]
)
def test_how_many_get_no_flag_is_the_same_everywhere(page: str) -> None:
    figures = " ".join(read("classifier/README.md").split())
    found = re.findall(r"(\d+) / (\d+)[^|]*\|$", read(page), re.MULTILINE)
    missed = [f"({int(true) - int(right)} of {true})" for right, true in found]
    of_all = [missed[0], missed[4]]  # urgent; behind it its three languages, then the complaints

    assert [one for one in of_all if one not in figures] == []


@pytest.mark.parametrize(
    ("page", "signs"),
    [
        ("docs/triage.md", {}),
        ("docs/de/triage.md", {".": ","}),
        ("docs/ja/triage.md", {" (": "（", ")": "）"}),
        ("docs/model-card.md", {}),
        ("docs/de/model-card.md", {".": ","}),
        ("docs/ja/model-card.md", {" (": "（", ")": "）"}),
    ],
)
def test_the_intervals_of_triage_are_those_of_the_figures(page: str, signs: dict[str, str]) -> None:
    found = re.findall(
        r"^(?:all|de|en|ja) +(\d+) +(\S+)%", read("classifier/README.md"), re.MULTILINE
    )
    expected = []
    for texts, percent in found:
        share = score.share(round(float(percent) * int(texts) / 100), int(texts))
        told = f"{percent} % ({share.low}–{share.high})"
        for plain, sign in signs.items():
            told = told.replace(plain, sign)
        expected.append(told)

    assert len(expected) == 8
    assert [told for told in expected if told not in read(page)] == []


def test_the_package_names_its_version_and_its_page_once() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]

    assert (project["version"], project["readme"]) == (__version__, "README.md")
    newest = re.findall(r"^## \[(.+?)\]", read("CHANGELOG.md"), re.MULTILINE)[0]
    assert newest in {"Unreleased", __version__}
