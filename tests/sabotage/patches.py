"""What somebody might do by mistake, and the tests that must notice."""

from dataclasses import dataclass

ONE_TRANSACTION = "tests/faults/test_one_transaction.py"
KILLS_OUTSIDE = "tests/faults/test_kills_outside.py"
FILING = "tests/services/test_filing.py"
SURVEY_PAGES = "tests/web/pages/test_surveys.py"
FIFTY = "tests/faults/test_kills.py::test_nothing_of_fifty_mails_is_lost_or_doubled"


@dataclass(frozen=True)
class Patch:
    """`old` stands in `file` exactly once."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


PATCHES = (
    Patch(
        "a mail is marked on the server before it is stored",
        "app/worker/pull.py",
        """\
        _fetched()
        fetched.append((item, raw))
""",
        """\
        await box.settle(item)
        _fetched()
        fetched.append((item, raw))
""",
        (f"{FIFTY}[sqlite-pull.fetched]",),
    ),
    Patch(
        "a place to be killed at is never reached",
        "app/worker/pull.py",
        """\
    for _ in parcels:
        _kept()
""",
        "",
        (f"{FIFTY}[sqlite-pull.kept]",),
    ),
    Patch(
        "a new place to be killed at has no case",
        "app/worker/pull.py",
        """\
_kept = crashpoints.declare(
""".rstrip("\n"),
        """\
_new = crashpoints.declare("pull.new", "nobody kills here")
_kept = crashpoints.declare(
""".rstrip("\n"),
        ("tests/faults/test_kills.py::test_every_declared_point_has_a_case",),
    ),
    Patch(
        "the outbox is written in a transaction of its own",
        "app/services/tickets.py",
        """\
    queue(session, message, addressed, when.leaves())
""",
        """\
    from app.store.database import after_commit, engine_of

    def later() -> None:
        with Session(engine_of(session)) as other, other.begin():
            queue(other, message, addressed, when.leaves())

    after_commit(session, later)
""",
        (
            "tests/faults/test_one_transaction.py::test_a_reply_its_delivery_and_its_job_are_one_act",
        ),
    ),
    Patch(
        "the search index is written in a transaction of its own",
        "app/services/filing.py",
        "    search.index(\n",
        """\
    from app.store.database import after_commit, engine_of

    def index(_: Session, entry: search.Entry) -> None:
        def later() -> None:
            with Session(engine_of(session)) as other, other.begin():
                search.index(other, entry)

        after_commit(session, later)

    index(
""",
        (f"{ONE_TRANSACTION}::test_a_message_can_be_found_from_the_moment_it_is_filed",),
    ),
    Patch(
        "opening the page of a rating records it",
        "app/web/pages/surveys.py",
        """\
    with house.database.reading() as session:
        found = surveys.find(session, token)
    return _page(request, house, found, Sheet(language=language[:5]), _status(found))
""",
        """\
    with house.database.transaction() as session:
        found = surveys.find(session, token)
        if score := request.query_params.get("score"):
            found = surveys.answer(session, token, Rating(int(score)))
    return _page(request, house, found, Sheet(language=language[:5]), _status(found))
""",
        (f"{SURVEY_PAGES}::test_opening_the_page_records_nothing_whatever_the_address_says",),
    ),
    Patch(
        "the token of a reply address is not checked",
        "app/core/secrets.py",
        "ref if hmac.compare_digest(good.encode(), token.lower().encode()) else None",
        "ref if good else None",
        ("tests/services/test_filing.py::test_a_forged_token_names_nothing",),
    ),
    Patch(
        "a commit is not flushed to the disk",
        "app/store/database.py",
        '"PRAGMA synchronous = FULL"',
        '"PRAGMA synchronous = OFF"',
        (f"{ONE_TRANSACTION}::test_a_sqlite_commit_is_on_the_disk_when_it_returns",),
    ),
    Patch(
        "a feedback request is written as often as its job runs",
        "app/services/surveys.py",
        """\
    if row.state is not SurveyState.SCHEDULED or row.due_at > clock.now():
        return
    reason = eligibility""",
        """\
    if row.due_at > clock.now():
        return
    reason = "" and eligibility""",
        ("tests/services/test_surveys.py::test_ask_comes_too_early_or_twice_and_does_nothing",),
    ),
    Patch(
        "a stranger joins a ticket by quoting its ids",
        "app/services/filing.py",
        """\
    return address.customer_id == ticket.customer_id or _speaks(""",
        """\
    return bool(address.customer_id) or _speaks(""",
        (f"{FILING}::test_a_stranger_who_quotes_ids_opens_a_ticket_that_says_so",),
    ),
    Patch(
        "pages come without a content security policy",
        "app/web/headers.py",
        '    headers["x-request-id"] = number\n',
        '    headers["x-request-id"] = number\n    del headers["content-security-policy"]\n',
        ("tests/web/test_every_route.py",),
    ),
    Patch(
        "the point of no return is marked after it",
        "channels/email/smtp.py",
        """\
            await progress(Phase.AMBIGUOUS)
            outcomes |= dict.fromkeys(accepted, await _handed_over(client, rendered))
""",
        """\
            outcomes |= dict.fromkeys(accepted, await _handed_over(client, rendered))
            await progress(Phase.AMBIGUOUS)
""",
        (
            f"{KILLS_OUTSIDE}::test_a_mail_the_server_is_just_taking_is_in_doubt_and_never_sent_again",
        ),
    ),
    Patch(
        "what may have been sent is sent again",
        "app/services/outbox.py",
        "        if delivery.phase == Phase.AMBIGUOUS:\n",
        "        if delivery.phase == Phase.AMBIGUOUS and delivery.attempts > 1:\n",
        (
            f"{KILLS_OUTSIDE}::test_a_mail_the_server_is_just_taking_is_in_doubt_and_never_sent_again",
        ),
    ),
    Patch(
        "a hook is answered before what it brought is durable",
        "app/web/hooks.py",
        "    return await anyio.to_thread.run_sync(_keep, house, inbox.id, raw)\n",
        """\
    from fastapi.responses import JSONResponse
    from starlette.background import BackgroundTask

    later = BackgroundTask(_keep, house, inbox.id, raw)
    return JSONResponse({"arrival": 1}, 202, background=later)  # type: ignore[return-value]
""",
        ("tests/faults/test_kills_outside.py::test_a_hook_is_answered_only_when_it_is_durable",),
    ),
)
