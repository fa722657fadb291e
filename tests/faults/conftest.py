"""Servers that live as long as the run, and the table that says what was killed."""

from collections.abc import Callable, Iterator

import pytest

from tests.faults import table
from tests.faults.house import Prepared, Surroundings, prepare
from tests.servers.dovecot import Dovecot
from tests.servers.setten import Setten
from tests.servers.smtp_sink import sink_beside


@pytest.fixture(scope="session")
def around(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Surroundings]:
    dovecot = Dovecot.start(tmp_path_factory.mktemp("dovecot"))
    try:
        with sink_beside() as sink:
            yield Surroundings(dovecot, sink, lambda: request.getfixturevalue("postgres_server"))
    finally:
        dovecot.stop()


@pytest.fixture(scope="session")
def prepared(
    around: Surroundings, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Prepared]:
    """Made when it is first asked for, once for each kind of database."""
    made: dict[str, Prepared] = {}

    def ready(kind: str) -> Prepared:
        if kind not in made:
            around.forget_mail()
            made[kind] = prepare(kind, around, tmp_path_factory.mktemp(f"prepared-{kind}"))
        return made[kind]

    return ready


@pytest.fixture
def setten(
    kind: str,
    prepared: Callable[[str], Prepared],
    around: Surroundings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Setten]:
    """A fresh installation of this kind of database, not running yet."""
    with prepared(kind).copy(around, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def kills(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Adds a row to the table: where, on what, kills done, what was compared."""

    def add(where: str, kind: str, done: int, tally: table.Tally) -> None:
        record_property(table.KILLS, [where, kind, str(done), *tally.cells()])

    return add


@pytest.fixture
def not_run(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says at the end what this machine could not show, and skips the test."""

    def note(words: str) -> None:
        record_property(table.NOT_RUN, words)
        pytest.skip(words)

    return note
