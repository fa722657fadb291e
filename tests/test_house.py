"""How the house is built: floors, sizes, one commit, one clock, no channel named upstairs."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from channels.registry import all_channels

ROOT = Path(__file__).parent.parent
HOUSES = ("app", "channels", "classifier")
SOURCES = sorted(path for house in HOUSES for path in (ROOT / house).rglob("*.py"))
FLOORS = ["core", "domain", "store", "services", "worker web", "main", "cli"]  # upward
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names.split()}

# What the floors of `app` may take from the two libraries beside it.
OPEN_TO = {
    # The samples as texts: what a guess rests on is shown.
    "services": ("channels.contract", "classifier.contract", "classifier.corpus"),
    "worker": ("channels.", "classifier."),
    "web": ("channels.contract", "channels.registry"),
    "main": ("channels.", "classifier."),
    "cli": ("channels.", "classifier."),
}
# What the channels share; all else in there belongs to one of them.
SHARED = {
    "accounts",
    "arriving",
    "contract",
    "errors",
    "form",
    "hidden",
    "isolated",
    "verdicts",
    "report",
    "text",
    "signature",
    "payload",
}

LONGEST = {"file": 400, "function": 60, "class": 200, "parameters": 7, "chain": 12}
# A migration is a record of what was; these hold words and no branches.
AS_LONG_AS_NEEDED = ("app/store/migrations/versions/",)

CLOCK_READERS = {
    "app/core/clock.py": "the only reader of time",
    "app/store/blobs.py": "the age of a file is measured by the file system's own clock",
    "app/store/database.py": "answers for the database's clock where SQLite has none",
    "channels/email/listener.py": "a channel knows no app: this stamps what it takes in",
}
BROAD = {
    "app/main.py": "says that the worker could not start",
    "app/web/errors.py": "the top of everything a request does",
    "app/worker/engine.py": "the worker's loops: no part and no job ends the others",
    "app/worker/pull.py": "the pull supervisor: one mailbox never stops another",
    "app/worker/file.py": "one arrival never stops those behind it",
    "app/worker/sent_watch.py": "what is sent never stops what comes in",
    "app/worker/deliver.py": "what may have left is settled whatever a channel raises",
    "app/worker/understanding.py": "one arrival never stops those read with it",
    "app/worker/triage.py": "no model ever stops mail from being filed",
    "classifier/storage.py": "whatever a hostile model file trips over, it is no model",
    "classifier/serving.py": "a bug in asking one model is an answer like any other",
    "channels/isolated.py": "a bug in reading one mail is an answer like any other",
    "channels/email/connections.py": "closes a connection and raises the same again",
    "channels/email/imap_session.py": "closes a socket and raises the same again",
}
DBOS = {"app/store/jobs.py", "app/worker/engine.py"}
NAMES_KINDS = {
    "app/domain/address.py": "defines the kinds of address that mean the same everywhere",
    "app/services/sample_texts.py": "each sample says which channel it came by",
    "app/web/forms.py": "the type of an input in HTML",
    "app/web/pages/tickets.py": "pictures of kinds of address",
    "app/cli/__init__.py": "an argument: the address an agent signs in with",
}
NO_NAMES = {"utils", "helpers", "common", "manager", "base", "mixin", "handler", "data", "info"}

every_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: str(path.relative_to(ROOT))
)


def where(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(tree(path))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in SOURCES}


def imports(path: Path, *, at_once: bool = False) -> Iterator[tuple[int, str]]:
    """(line, module) of everything imported, anywhere in the file or when it is loaded."""
    for node in tree(path).body if at_once else nodes(path):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where(path)}:{node.lineno} imports relative to itself"
            base = node.module or ""
            for alias in node.names:
                deeper = f"{base}.{alias.name}"
                yield node.lineno, deeper if deeper in MODULES else base


def floor(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


@every_source
def test_imports_point_down(path: Path) -> None:
    own = module(path)
    house = own.split(".")[0]
    for line, name in imports(path):
        said = f"{where(path)}:{line} imports {name}"
        top = name.split(".")[0]
        if house != "app":
            assert top != "app", said
        elif top == "app" and "." in name and "." in own:
            above, below = LEVEL[floor(own)], LEVEL[floor(name)]
            assert floor(own) == floor(name) or below < above, said
        elif top in {"channels", "classifier"}:
            assert f"{name}.".startswith(OPEN_TO.get(floor(own), ())), said


@every_source
def test_a_channel_knows_no_other_channel(path: Path) -> None:
    own = module(path).split(".")
    if own[0] != "channels" or own[1:] in ([], ["registry"]):
        return
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "channels":
            assert parts[1] in SHARED | {own[1]}, f"{where(path)}:{line} imports {name}"
        assert parts[0] != "classifier", f"{where(path)}:{line} imports {name}"


def test_pages_and_api_do_not_know_each_other() -> None:
    for name, path in MODULES.items():
        for one, other in (("api", "pages"), ("pages", "api")):
            if name.startswith(f"app.web.{one}"):
                found = [
                    there for _, there in imports(path) if there.startswith(f"app.web.{other}")
                ]
                assert found == [], where(path)


def graph(*, at_once: bool) -> dict[str, set[str]]:
    return {
        name: {there for _, there in imports(path, at_once=at_once) if there in MODULES} - {name}
        for name, path in MODULES.items()
    }


def longest_chain(edges: dict[str, set[str]]) -> list[str]:
    found: dict[str, list[str]] = {}

    def chain(name: str, above: tuple[str, ...]) -> list[str]:
        assert name not in above, f"a circle: {' → '.join([*above[above.index(name) :], name])}"
        if name not in found:
            below = (chain(there, (*above, name)) for there in sorted(edges[name]))
            found[name] = [name, *max(below, key=len, default=[])]
        return found[name]

    return max((chain(name, ()) for name in edges), key=len)


def test_nothing_imports_in_a_circle() -> None:
    assert longest_chain(graph(at_once=False)) != []


def test_no_module_loads_a_long_chain() -> None:
    found = longest_chain(graph(at_once=True))

    assert len(found) <= LONGEST["chain"], " → ".join(found)


def test_services_never_wait_for_the_network() -> None:
    for path in SOURCES:
        if where(path).startswith(("app/services/", "app/domain/", "app/store/")):
            waits = [n for n in nodes(path) if isinstance(n, ast.AsyncFunctionDef | ast.Await)]
            assert waits == [], where(path)


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_there_is_one_commit_and_one_end_of_reading() -> None:
    found = [
        (where(path), name)
        for path in SOURCES
        for _, name in calls(path)
        if name.endswith((".commit", "session.begin"))
    ]

    there = "app/store/database.py"
    assert found == [(there, "session.begin"), (there, "session.commit")]


CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}


def test_there_is_one_reader_of_time() -> None:
    found = {
        where(path)
        for path in SOURCES
        for _, name in calls(path)
        if any(name == clock or name.endswith(f".{clock}") for clock in CLOCKS)
    }

    assert found - set(CLOCK_READERS) == set()
    assert set(CLOCK_READERS) - found == set(), "this one reads no clock any more: strike it out"


def is_broad(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and (
        node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
    )


def test_everything_is_caught_only_where_it_must_be() -> None:
    found = {where(path) for path in SOURCES if any(map(is_broad, nodes(path)))}

    assert found == set(BROAD)


def test_the_job_engine_has_two_importers() -> None:
    found = {
        where(path)
        for path in SOURCES
        if any(name.split(".")[0] == "dbos" for _, name in imports(path))
    }

    assert found == DBOS


def plain_words(path: Path) -> Iterator[ast.Constant]:
    """Strings that stand for themselves; not those that name the field of a form."""
    fields = {
        id(keyword.value)
        for node in nodes(path)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "field"
    }
    for node in nodes(path):
        if isinstance(node, ast.Constant) and id(node) not in fields:
            yield node


def test_the_app_names_no_channel() -> None:
    """Else one more channel would mean one more change up there."""
    kinds = set(all_channels())
    found = {
        where(path)
        for path in SOURCES
        if where(path).startswith("app/")
        and not where(path).startswith(AS_LONG_AS_NEEDED)
        and any(word.value in kinds for word in plain_words(path) if isinstance(word.value, str))
    }

    assert found - set(NAMES_KINDS) == set()
    assert set(NAMES_KINDS) - found == set(), "this one names no kind any more: strike it out"


@every_source
def test_everything_has_a_size_one_can_read(path: Path) -> None:
    if where(path).startswith(AS_LONG_AS_NEEDED):
        return
    sizes = {"file": len(path.read_text("utf-8").splitlines()), "function": 0, "class": 0}
    most = 0
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            sizes["function"] = max(sizes["function"], node.end_lineno - node.lineno + 1)
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            most = max(most, len([one for one in given if one.arg not in {"self", "cls"}]))
        elif isinstance(node, ast.ClassDef):
            assert node.end_lineno is not None
            sizes["class"] = max(sizes["class"], node.end_lineno - node.lineno + 1)

    sizes["parameters"] = most
    assert {name: size for name, size in sizes.items() if size > LONGEST[name]} == {}


@every_source
def test_every_module_says_what_is_in_it(path: Path) -> None:
    words = ast.get_docstring(tree(path))

    assert words is not None
    first = words.partition("\n\n")[0]
    assert first.endswith((".", ":", "?")), first


@every_source
def test_nothing_is_called_by_a_name_that_says_nothing(path: Path) -> None:
    classes = {node.name.lower() for node in nodes(path) if isinstance(node, ast.ClassDef)}

    assert (classes | set(path.relative_to(ROOT).with_suffix("").parts)) & NO_NAMES == set()


def test_tables_have_no_methods_and_no_relationships() -> None:
    for path in sorted((ROOT / "app" / "store" / "tables").glob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                assert methods == [], f"{where(path)}: {node.name}"
        assert "Relationship" not in path.read_text("utf-8"), where(path)
