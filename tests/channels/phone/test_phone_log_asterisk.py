"""Asterisk's own log: several rows for one call, and no headings."""

from collections import Counter

from channels.contract import BadRow, Direction, Ignored, Raw
from channels.phone import channel
from channels.phone.config import PhoneConfig
from tests.channels.phone.logs import arrivals, messages, shared, with_fixtures

NOWHERE = PhoneConfig()

ASTERISK = (
    '"","+4930901820","200","from-trunk","""Jo ""The"" Müller"" <+4930901820>","SIP/t-1","SIP/b-1",'
    '"Dial","SIP/b","2026-04-01 09:05:00","2026-04-01 09:05:10","2026-04-01 09:06:00",60,50,'
    '"ANSWERED","DOCUMENTATION","1775034300.1","","","1775034300.1",1\n'
    '"","+4930901820","300","from-trunk","""Jo"" <+4930901820>","SIP/t-1","SIP/c-1",'
    '"Dial","SIP/c","2026-04-01 09:06:00","2026-04-01 09:06:05","2026-04-01 09:07:00",60,55,'
    '"ANSWERED","DOCUMENTATION","1775034300.1","","","1775034300.1",2\n'
    '"","200","004420794600180","internal","""Bob"" <200>","SIP/b-2","SIP/t-2",'
    '"Dial","SIP/t","2026-04-01 10:00:00","","2026-04-01 10:00:30",30,0,'
    '"NO ANSWER","DOCUMENTATION","1775037600.7","","","1775037600.7",3\n'
    '"","200","300","internal","""Bob"" <200>","SIP/b-3","SIP/c-3",'
    '"Dial","SIP/c","2026-04-01 11:00:00","2026-04-01 11:00:02","2026-04-01 11:00:30",30,28,'
    '"ANSWERED","DOCUMENTATION","1775041200.9","","","1775041200.9",4\n'
    '"","anonymous","200","from-trunk","""Anonymous"" <anonymous>","SIP/t-4","",'
    '"VoiceMail","200","2026-04-01 12:00:00","2026-04-01 12:00:02","2026-04-01 12:00:30",30,28,'
    '"ANSWERED","DOCUMENTATION","1775044800.2","","","1775044800.2",5\n'
)


def test_asterisk_s_own_log_is_read_call_by_call() -> None:
    found = messages(NOWHERE, ASTERISK.encode())

    assert [
        message
        if isinstance(message, Ignored)
        else (message.external_id, message.sender.value, message.direction, message.seconds)
        for message in found
    ] == [
        ("1775034300.1", "+4930901820", Direction.INBOUND, 110),
        ("1775037600.7", "+4420794600180", Direction.OUTBOUND, 0),
        Ignored("a call between two extensions"),
        ("1775044800.2", "1775044800.2", Direction.INBOUND, 0),
    ]


def test_an_asterisk_that_logs_no_ids_still_gives_the_same_ids_each_time() -> None:
    rows = [line.rsplit(",", 5)[0] for line in ASTERISK.splitlines()]
    text = "\n".join(rows) + "\nbroken,row\n"

    first, second = (
        channel.read_file(NOWHERE, text.encode()),
        channel.read_file(NOWHERE, text.encode()),
    )

    assert first == second
    assert Counter(type(item) for item in first) == {Raw: 5, BadRow: 1}
    assert first[-1] == BadRow(6, "not a row of Asterisk like the first one")


@with_fixtures
def test_every_scenario_asterisk_documents_is_one_call() -> None:
    """One scenario at a time: the documents use the same ids over and over."""
    rows = shared("asterisk/cdr_spec_scenarios.csv").decode().splitlines()
    index = shared("asterisk/cdr_spec_scenarios.index.tsv").decode().splitlines()
    scenarios: dict[str, list[str]] = {}
    for row, line in zip(rows, index, strict=True):
        scenarios.setdefault(line.split("\t")[1], []).append(row)

    calls = {
        name: len(arrivals(NOWHERE, "\n".join(lines).encode())) for name, lines in scenarios.items()
    }

    # In these two, two calls are really placed before they are joined.
    more = {"SIP Protocol Attended Transfer": 2, "A Complex Example": 2}
    assert calls == {name: more.get(name, 1) for name in scenarios}
