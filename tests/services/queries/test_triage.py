"""Why the model said so: what spoke for and against, the second guess, and the nearest texts."""

from app.domain.words import Head
from app.services.queries import ticket, vocabulary
from app.services.queries.triage import Like, Triage
from app.store.database import Database
from classifier import corpus
from tests.factories import make_agent, make_guess, make_message, make_ticket

SAMPLE = next(iter(corpus.by_ref()))


def triage(db: Database, ref: str) -> Triage:
    with db.transaction() as session:
        actor = make_agent(session)
    with db.reading() as session:
        return ticket.view(session, actor, ref, vocabulary.current(session)).triage


def test_what_a_guess_rests_on(db: Database) -> None:
    with db.transaction() as session:
        other = make_ticket(session, subject="Mein Wasserkocher", language="de")
        made = make_ticket(session)
        message = make_message(session, made, "The lid leaks, when will it be delivered?")
        near = [
            [f"ticket-{other.id}", "F", 0.7],
            [SAMPLE, "D", 0.8],
            ["ticket-987654", "F", 0.9],  # erased since
            ["sample-gone", "F", 0.6],
        ]
        make_guess(
            session,
            message,
            Head.STAGE,
            [("F", 0.45), ("D", 0.4)],
            reasons=["leaks", "lid", "when", "will"],
            against=["delivered"],
            beaten_by=["leaks"],
            why="unsure",
            nearest=near,
        )
        about = [[f"ticket-{other.id}", "fault_repair", 0.7], [SAMPLE, "no_such_topic", 0.8]]
        make_guess(
            session,
            message,
            Head.TOPIC,
            [("fault_repair", 0.9)],
            reasons=["delivered"],
            nearest=about,
        )

    found = triage(db, made.ref)

    with db.reading() as session:
        words = vocabulary.current(session)
    stage = [words.stage(anchor) for anchor in "DF"]
    topic = words.topic("fault_repair")
    assert (found.stage.reasons, found.stage.against, found.stage.beaten_by, found.stage.why) == (
        ("leaks", "lid", "when"),
        ("delivered",),
        ("leaks",),
        "unsure",
    )
    assert (found.reasons, found.against) == (("leaks", "lid", "when", "delivered"), ())
    assert found.judged == message.id
    assert topic is not None
    sample = corpus.by_ref()[SAMPLE]
    assert found.nearest == (
        Like(sample.text, sample.language, (stage[0].labels,) if stage[0] else ()),
        Like(
            "Mein Wasserkocher",
            "de",
            (stage[1].labels, topic.labels) if stage[1] else (),
            other.ref,
        ),
    )


def test_halves_of_one_stage_do_not_beat_each_other(db: Database) -> None:
    with db.reading() as session:
        merged = next(s for s in vocabulary.current(session).stages if len(s.anchors) > 1)
    first, second = merged.anchors[:2]
    with db.transaction() as session:
        made = make_ticket(session)
        message = make_message(session, made, "Hello")
        top = [(first, 0.4), (second, 0.3), ("L", 0.1)]
        make_guess(session, message, Head.STAGE, top, beaten_by=["Hello"])

    found = triage(db, made.ref)

    assert (found.stage.guesses[0].label, found.stage.beaten_by) == (first, ())
