"""The organisation is set up once, with words the program knows."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.errors import Conflict, Invalid, NotAllowed
from app.domain.words import Role
from app.services import organisation
from app.services.access import Actor
from app.services.organisation import NewOrganisation, Rules
from app.store.database import Database
from app.store.tables import Organisation

ADA = Actor("Ada", Role.ADMIN)
NEW = NewOrganisation(" 金田うつわ店 ", "Asia/Tokyo", "ja", feedback_notice=True)
RULES = Rules(
    ask_feedback=True,
    feedback_policy="opt-out",
    feedback_notice=False,
    feedback_delay_minutes=60,
    feedback_cooling_days=90,
    first_answer_minutes=240,
)

pytestmark = pytest.mark.usefixtures("forward")
Forward = Callable[[timedelta], None]


def set_up(db: Database, new: NewOrganisation = NEW, actor: Actor = ADA) -> None:
    with db.transaction() as session:
        organisation.set_up(session, actor, new)


def rows(db: Database) -> list[Organisation]:
    with db.reading() as session:
        found = organisation.current(session)
    return [found] if found else []


def test_set_up_keeps_what_the_first_page_asks(db: Database) -> None:
    set_up(db)

    [made] = rows(db)
    assert (made.name, made.time_zone, made.language, made.feedback_notice) == (
        "金田うつわ店",
        "Asia/Tokyo",
        "ja",
        True,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replace(NEW, name="  "),
        replace(NEW, language="fr"),
        replace(NEW, time_zone="Mars/Base"),
        replace(NEW, time_zone="Europe"),
        replace(NEW, time_zone="../etc/passwd"),
        replace(NEW, time_zone=""),
    ],
)
def test_set_up_with_words_nobody_knows_is_refused(db: Database, wrong: NewOrganisation) -> None:
    with pytest.raises(Invalid):
        set_up(db, wrong)

    assert rows(db) == []


def test_set_up_twice_is_refused(db: Database) -> None:
    set_up(db)

    with pytest.raises(Conflict):
        set_up(db, replace(NEW, name="Other"))

    assert [row.name for row in rows(db)] == ["金田うつわ店"]


def test_two_first_pages_at_once_make_one_organisation(db: Database) -> None:
    together = threading.Barrier(2)
    ended: list[str] = []

    def go(name: str) -> None:
        together.wait(10)
        try:
            set_up(db, replace(NEW, name=name))
            ended.append("made")
        except Conflict:
            ended.append("told")

    threads = [threading.Thread(target=go, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(ended) == ["made", "told"]


def test_rules_are_kept_within_bounds(db: Database) -> None:
    set_up(db)
    with db.transaction() as session:
        organisation.set_rules(session, ADA, RULES)
        organisation.rename(session, ADA, replace(NEW, name="Utsuwa", language="de"))

    for wrong in (
        replace(RULES, feedback_policy="always"),
        replace(RULES, feedback_delay_minutes=-1),
        replace(RULES, feedback_cooling_days=0),
        replace(RULES, first_answer_minutes=0),
    ):
        with pytest.raises(Invalid), db.transaction() as session:
            organisation.set_rules(session, ADA, wrong)

    [row] = rows(db)
    assert (row.name, row.language, row.feedback_policy, row.feedback_cooling_days) == (
        "Utsuwa",
        "de",
        "opt-out",
        90,
    )


def test_only_administrators_and_only_once_it_is_there(db: Database) -> None:
    with pytest.raises(NotAllowed):
        set_up(db, actor=Actor("Leo", Role.LEAD))
    with pytest.raises(Conflict), db.transaction() as session:
        organisation.set_rules(session, ADA, RULES)

    assert rows(db) == []
