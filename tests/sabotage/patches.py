"""What somebody might do by mistake, and the tests that must notice."""

from dataclasses import dataclass

ONE_TRANSACTION = "tests/faults/test_one_transaction.py"
KILLS_OUTSIDE = "tests/faults/test_kills_outside.py"
FILING = "tests/services/test_filing.py"
THREADS = "tests/services/test_threads.py"
SIGNING = "tests/channels/email/test_email_signing.py"
SENDERS = "tests/channels/email/test_email_authenticity.py"
GROUPS = "tests/channels/email/test_email_groups.py"
IMPOSTORS = "tests/services/test_impostors.py"
IMPORTS = "tests/worker/test_pull_imports.py"
SURVEY_PAGES = "tests/web/pages/test_surveys.py"
KILLS = "tests/faults/test_kills.py::test_a_kill_at_every_point_loses_and_doubles_nothing"
PULL = "tests/worker/test_pull.py"
READER = "tests/worker/test_reader.py"


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
        "a copy that we put into the Sent folder ends a doubt",
        "app/services/doubts.py",
        "    if message is None or sent_copies.ours(session, message):\n",
        "    if message is None:\n",
        ("tests/services/test_elsewhere.py::test_a_copy_ends_a_doubt_unless_we_put_it_there",),
    ),
    Patch(
        "what is handed on to a stranger counts as an answer",
        "app/services/threads.py",
        "            if any(may_speak(session, ticket, address) for address in readers):\n",
        "            if readers or ticket:\n",
        ("tests/services/test_elsewhere.py::test_what_is_no_answer_is_ignored_with_a_reason",),
    ),
    Patch(
        "a second From can be added to a signed mail",
        "channels/email/dkim_signature.py",
        "    names = [*_SEALED, *(name for name in _SEALED if name in there)]\n",
        "    names = [name for name in _SEALED if name in there]\n",
        (f"{SIGNING}::test_nobody_can_add_what_is_shown",),
    ),
    Patch(
        "a second key signs before its record is published",
        "channels/email/signing.py",
        "        if signs\n",
        "        if signs or pem\n",
        (f"{SIGNING}::test_a_second_key_signs_only_once_somebody_says_so",),
    ),
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
        (f"{KILLS}[sqlite]",),
    ),
    Patch(
        "a place to be killed at is never reached",
        "app/worker/pull.py",
        """\
    for _ in parcels:
        _kept()
""",
        "",
        (f"{KILLS}[sqlite]",),
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
        "app/services/indexing.py",
        "    search.index(session, Entry(row.id, row.ticket_id, (*parts, ref, *files)))\n",
        """\
    from app.store.database import after_commit, engine_of

    def index(_: Session, entry: Entry) -> None:
        def later() -> None:
            with Session(engine_of(session)) as other, other.begin():
                search.index(other, entry)

        after_commit(session, later)

    index(session, Entry(row.id, row.ticket_id, (*parts, ref, *files)))
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
        "ref if hmac.compare_digest(good.encode(), given.encode()) else None",
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
        "app/services/threads.py",
        "    return address.customer_id == ticket.customer_id or speaks(",
        "    return bool(address.customer_id) or speaks(",
        (f"{FILING}::test_a_stranger_who_quotes_ids_opens_a_ticket_that_says_so",),
    ),
    Patch(
        "who holds our address without taking part changes the ticket",
        "app/services/threads.py",
        "return Place(ticket, unverified=True)",
        "return Place(ticket)",
        (f"{THREADS}::test_who_holds_our_address_and_takes_no_part_changes_nothing",),
    ),
    Patch(
        "an id opens the reply address",
        "app/core/secrets.py",
        'self._token("reply", ref, self.newest)',
        'self._token("id", ref, self.newest)',
        ("tests/core/test_secrets.py::test_a_token_proves_its_ticket_and_purpose_only",),
    ),
    Patch(
        "a key that was withdrawn still proves",
        "app/core/key_file.py",
        "if key.number != number])",
        "if number])",
        (f"{THREADS}::test_what_an_older_key_signed_names_its_ticket_until_it_is_withdrawn",),
    ),
    Patch(
        "who fails the check of senders joins a ticket",
        "app/services/threads.py",
        "message.verdicts.dmarc == FAIL)",
        "message.verdicts.dmarc == message.subject)",
        (f"{IMPOSTORS}::test_who_may_be_an_impostor_joins_nothing_and_changes_nothing",),
    ),
    Patch(
        "a result that the sender wrote counts",
        "channels/email/authenticity.py",
        "        if passed:\n            return\n",
        "",
        (f"{SENDERS}::test_what_our_own_server_wrote_counts_and_nothing_else",),
    ),
    Patch(
        "whoever writes like a group of ours names the sender",
        "channels/email/origin.py",
        "checked is not None and checked.prove(sender)",
        "checked is not None",
        (f"{GROUPS}::test_who_may_be_named_by_a_stranger_is_not_proved",),
    ),
    Patch(
        "whoever writes an agent's address passes mails on for customers",
        "app/services/forwarding.py",
        "message.verdicts.dmarc != PASS",
        "message.verdicts.dmarc == PASS + PASS",
        (f"{IMPOSTORS}::test_what_anybody_else_passes_on_is_their_own_inquiry",),
    ),
    Patch(
        "mails that wait for each other stay on two tickets",
        "app/services/threads.py",
        "        if other.customer_id == first.customer_id:\n",
        "        if other.customer_id != first.customer_id:\n",
        (f"{THREADS}::test_any_order_of_delivery_ends_the_same",),
    ),
    Patch(
        "a mail to two inboxes is two inquiries",
        "app/services/filing.py",
        'named = {"canonical": canonical, ',
        'named = {"canonical": f"{canonical} {arrival.inbox_id}", ',
        (f"{FILING}::test_one_mail_to_two_inboxes_is_one_inquiry",),
    ),
    Patch(
        "a server that numbers anew makes everything fetched again",
        "app/services/ledger.py",
        "        if same:\n",
        "        if same and not before:\n",
        (f"{IMPORTS}::test_a_server_that_numbers_anew_makes_nothing_fetched_twice",),
    ),
    Patch(
        "what arrives waits for an import",
        "app/services/intake.py",
        ".order_by(col(Arrival.sent), col(Arrival.backlog), col(Arrival.id))",
        ".order_by(col(Arrival.sent), col(Arrival.id))",
        (f"{IMPORTS}::test_what_comes_during_an_import_goes_first",),
    ),
    Patch(
        "whoever lost the mailbox to another goes on storing",
        "app/worker/pull.py",
        """\
        if not leases.held(session, held.lease, held.worker, held.token):
            raise LostLease
""",
        "        leases.held(session, held.lease, held.worker, held.token)\n",
        (f"{PULL}::test_whoever_lost_the_lease_keeps_nothing_more",),
    ),
    Patch(
        "what nobody has filed is marked on the server",
        "app/services/ledger.py",
        """\
            col(Arrival.state).in_(_DONE),
        )
        .order_by(col(LedgerRow.id))
""",
        """\
        )
        .order_by(col(LedgerRow.id))
""",
        (f"{PULL}::test_only_what_is_filed_is_marked_on_the_server",),
    ),
    Patch(
        "only what is newer than the newest is ever looked for",
        "app/worker/pull.py",
        "                after, looked = None, asked\n",
        "                looked = asked\n",
        (f"{PULL}::test_once_an_hour_it_looks_at_everything",),
    ),
    Patch(
        "reading a mail may take all the memory there is",
        "channels/isolated.py",
        "    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))\n",
        "",
        (f"{READER}::test_what_costs_too_much_is_read_in_part",),
    ),
    Patch(
        "what the process that reads answers is run as code",
        "app/worker/peer.py",
        "    return _Answer(packet, classes).load()\n",
        "    return pickle.loads(packet)\n",
        (f"{READER}::test_an_answer_is_never_run_as_code",),
    ),
    Patch(
        "a reply that is asked for twice goes out twice",
        "app/services/tickets.py",
        "    if not act:\n",
        "    if act or not act:\n",
        ("tests/services/test_tickets.py::test_of_one_act_done_twice_at_once_one_answer_goes_out",),
    ),
    Patch(
        "pages come without a content security policy",
        "app/web/headers.py",
        '    headers["x-request-id"] = number\n',
        '    headers["x-request-id"] = number\n    del headers["content-security-policy"]\n',
        ("tests/web/test_every_route.py",),
    ),
    Patch(
        "the point of no return is not marked",
        "channels/email/sending.py",
        "        await progress(Phase.AMBIGUOUS)\n        if answer.done():\n",
        "        if answer.done():\n",
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
