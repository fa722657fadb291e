"""All tables but the search index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("company", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("stage_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("no_feedback_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("may_ask", sa.Boolean(), nullable=False),
        sa.Column("may_learn", sa.Boolean(), nullable=False),
        sa.Column(
            "merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["customer.id"], name=op.f("fk_customer_merged_into_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("ref", name=op.f("uq_customer_ref")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_merged_into_id"), ["merged_into_id"], unique=False
        )

    op.create_table(
        "address",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("normal", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undeliverable_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spam_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_address_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint("kind", "normal", name=op.f("uq_address_kind_normal")),
    )
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "agent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "agent",
                "lead",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("theme", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent")),
        sa.UniqueConstraint("email", name=op.f("uq_agent_email")),
    )
    op.create_table(
        "topic",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "merged_into", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["merged_into"], ["topic.id"], name=op.f("fk_topic_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("key", name=op.f("uq_topic_key")),
    )
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_topic_merged_into"), ["merged_into"], unique=False)

    op.create_table(
        "team",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("name", name=op.f("uq_team_name")),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("sealed_config", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("undo_seconds", sa.Integer(), nullable=False),
        sa.Column("reopen_days", sa.Integer(), nullable=True),
        sa.Column("writes_to", sa.String(), nullable=False),
        sa.Column("start_scope", sa.String(), nullable=False),
        sa.Column(
            "start_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("start_place", sa.String(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("wanted_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconnects", sa.Integer(), nullable=False),
        sa.Column("to_fetch", sa.Integer(), nullable=False),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_in_error", sa.String(), nullable=False),
        sa.Column("last_in_warning", sa.String(), nullable=False),
        sa.Column("last_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_out_error", sa.String(), nullable=False),
        sa.Column("sent_error", sa.String(), nullable=False),
        sa.Column("out_paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "self_test",
            sa.Enum(
                "never",
                "running",
                "passed",
                "failed",
                name="selftest",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("self_test_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("self_test_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("self_test_error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_inbox_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("token", name=op.f("uq_inbox_token")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_inbox_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_inbox_team_id"), ["team_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("preview", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "waiting",
                "snoozed",
                "resolved",
                "spam",
                "dismissed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("stage_by", sa.String(), nullable=False),
        sa.Column("stage_probability", sa.Float(), nullable=True),
        sa.Column("stage_basis", sa.String(), nullable=False),
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("topic_by", sa.String(), nullable=False),
        sa.Column("topic_probability", sa.Float(), nullable=True),
        sa.Column("topic_basis", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("urgent_by", sa.String(), nullable=False),
        sa.Column("complaint", sa.Boolean(), nullable=False),
        sa.Column("complaint_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_inbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_decided", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolutions", sa.Integer(), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("has_files", sa.Boolean(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("claims_ref", sa.String(), nullable=False),
        sa.Column("follows_ref", sa.String(), nullable=False),
        sa.Column("apart_from", sa.JSON(), nullable=False),
        sa.Column("unverified", sa.Integer(), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["assignee_id"], ["agent.id"], name=op.f("fk_ticket_assignee_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_ticket_customer_id")
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_ticket_inbox_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_ticket_team_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_ticket_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("ref", name=op.f("uq_ticket_ref")),
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ticket_assignee", ["assignee_id", "status", "last_activity_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_ticket_complaint",
            ["status", "waiting_since", "id"],
            unique=False,
            sqlite_where=sa.text("complaint IS 1"),
            postgresql_where=sa.text("complaint IS true"),
        )
        batch_op.create_index("ix_ticket_created", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_ticket_customer", ["customer_id", "last_activity_at"], unique=False
        )
        batch_op.create_index(
            "ix_ticket_follows",
            ["follows_ref"],
            unique=False,
            sqlite_where=sa.text("follows_ref <> ''"),
            postgresql_where=sa.text("follows_ref <> ''"),
        )
        batch_op.create_index(batch_op.f("ix_ticket_inbox_id"), ["inbox_id"], unique=False)
        batch_op.create_index(
            "ix_ticket_status", ["status", "last_activity_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ticket_team_id"), ["team_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_topic_id"), ["topic_id"], unique=False)
        batch_op.create_index(
            "ix_ticket_unlabelled",
            ["id", "status"],
            unique=False,
            sqlite_where=sa.text("(stage_by <> 'person' OR topic_by <> 'person')"),
            postgresql_where=sa.text("(stage_by <> 'person' OR topic_by <> 'person')"),
        )
        batch_op.create_index(
            "ix_ticket_unverified",
            ["last_activity_at", "id"],
            unique=False,
            sqlite_where=sa.text("unverified > 0"),
            postgresql_where=sa.text("unverified > 0"),
        )
        batch_op.create_index(
            "ix_ticket_urgent",
            ["status", "waiting_since", "id"],
            unique=False,
            sqlite_where=sa.text("urgent IS 1"),
            postgresql_where=sa.text("urgent IS true"),
        )
        batch_op.create_index("ix_ticket_waiting", ["status", "waiting_since", "id"], unique=False)
        batch_op.create_index(
            "ix_ticket_without_tag",
            ["status", "waiting_since", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'open' AND (stage = '' OR topic_id IS NULL)"),
            postgresql_where=sa.text("status = 'open' AND (stage = '' OR topic_id IS NULL)"),
        )

    op.create_table(
        "arrival",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("server_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "oversized", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "filed",
                "copy",
                "ignored",
                "set_aside",
                "discarded",
                "refused",
                name="arrivalstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("backlog", sa.Boolean(), nullable=False),
        sa.Column("slow", sa.Boolean(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.String(), nullable=False),
        sa.Column("glance", sa.JSON(), nullable=True),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("original_sha256", sa.String(), nullable=False),
        sa.Column("canonical", sa.String(), nullable=False),
        sa.Column(
            "copy_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raw_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["copy_of_id"], ["message.id"], name=op.f("fk_arrival_copy_of_id"), use_alter=True
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_arrival_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
        sa.UniqueConstraint(
            "inbox_id", "external_id", name=op.f("uq_arrival_inbox_id_external_id")
        ),
    )
    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.create_index("ix_arrival_copy", ["canonical"], unique=False)
        batch_op.create_index(batch_op.f("ix_arrival_copy_of_id"), ["copy_of_id"], unique=False)
        batch_op.create_index("ix_arrival_inbox", ["inbox_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_arrival_received_at"), ["received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_arrival_sha256"), ["sha256"], unique=False)
        batch_op.create_index(
            "ix_arrival_original",
            ["original_sha256"],
            unique=False,
            sqlite_where=sa.text("original_sha256 <> ''"),
            postgresql_where=sa.text("original_sha256 <> ''"),
        )
        batch_op.create_index("ix_arrival_waiting", ["state", "next_at"], unique=False)

    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "arrival_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "inbound",
                "outbound",
                "note",
                "call",
                name="messagekind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("reply_to", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reply_text", sa.Text(), nullable=False),
        sa.Column("quoted_text", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("unverified", sa.Boolean(), nullable=False),
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("charset_suspect", sa.Boolean(), nullable=False),
        sa.Column("warnings", sa.JSON(), nullable=False),
        sa.Column("verdicts", sa.JSON(), nullable=True),
        sa.Column("passes_on", sa.JSON(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("references", sa.JSON(), nullable=False),
        sa.Column("rendered_sha256", sa.String(), nullable=False),
        sa.Column("raw_deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("act", sa.String(), nullable=True),
        sa.Column("request", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_message_address_id")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_message_agent_id")),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name=op.f("fk_message_arrival_id")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_message_inbox_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_message_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("ticket_id", "act", name=op.f("uq_message_ticket_id_act")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_address_id"), ["address_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_arrival_id"), ["arrival_id"], unique=False)
        batch_op.create_index("ix_message_conversation", ["inbox_id", "conversation"], unique=False)
        batch_op.create_index("ix_message_external", ["inbox_id", "external_id"], unique=False)
        batch_op.create_index(
            "ix_message_rendered",
            ["rendered_sha256"],
            unique=False,
            sqlite_where=sa.text("rendered_sha256 <> ''"),
            postgresql_where=sa.text("rendered_sha256 <> ''"),
        )
        batch_op.create_index("ix_message_ticket", ["ticket_id", "id"], unique=False)

    op.create_table(
        "survey",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("resolution", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "scheduled",
                "queued",
                "sent",
                "answered",
                "expired",
                "revoked",
                "suppressed",
                "held",
                name="surveystate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_survey_customer_id")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_survey_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_survey_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("nonce", name=op.f("uq_survey_nonce")),
        sa.UniqueConstraint("ticket_id", "resolution", name=op.f("uq_survey_ticket_id_resolution")),
    )
    with op.batch_alter_table("survey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_digest"), ["digest"], unique=False)
        batch_op.create_index("ix_survey_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_message_id"), ["message_id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "survey_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("wants_contact", sa.Boolean(), nullable=False),
        sa.Column("suspect", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_answer_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("survey_id", "revision", name=op.f("uq_answer_survey_id_revision")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_api_key_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content_id", sa.String(), nullable=False),
        sa.Column("inline", sa.Boolean(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attachment_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("ref", name=op.f("uq_attachment_ref")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_sha256"), ["sha256"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("name", name=op.f("uq_attempt_name")),
    )
    op.create_table(
        "awaited",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_awaited_inbox_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_awaited_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awaited")),
        sa.UniqueConstraint(
            "inbox_id",
            "external_id",
            "ticket_id",
            name=op.f("uq_awaited_inbox_id_external_id_ticket_id"),
        ),
    )
    with op.batch_alter_table("awaited", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_awaited_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "cause",
            sa.Enum(
                "person",
                "rule",
                "model",
                "system",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_change_agent_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_change_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_change_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "prediction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "head",
            sa.Enum(
                "stage",
                "topic",
                "urgent",
                "complaint",
                "language",
                name="head",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "auto",
                "suggest",
                "abstain",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("top", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("against", sa.JSON(), nullable=False),
        sa.Column("beaten_by", sa.JSON(), nullable=False),
        sa.Column("nearest", sa.JSON(), nullable=False),
        sa.Column("novelty", sa.Float(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("shadow", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_prediction_message_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_prediction_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prediction")),
    )
    with op.batch_alter_table("prediction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prediction_message_id"), ["message_id"], unique=False)
        batch_op.create_index("ix_prediction_ticket", ["ticket_id", "head"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "head",
            sa.Enum(
                "stage",
                "topic",
                "urgent",
                "complaint",
                "language",
                name="head",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "accepted",
                "corrected",
                "no_inquiry",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("was", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_correction_agent_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_correction_message_id")
        ),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["prediction.id"], name=op.f("fk_correction_prediction_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_correction_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_act"), ["act"], unique=False)
        batch_op.create_index(batch_op.f("ix_correction_agent_id"), ["agent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_correction_message_id"), ["message_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_correction_prediction_id"), ["prediction_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_correction_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("is_copy", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "retry",
                "failed",
                "in_doubt",
                "held",
                "cancelled",
                name="deliverystate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("held_by", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_delivery_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "message_id", "recipient", name=op.f("uq_delivery_message_id_recipient")
        ),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_due", ["state", "next_at"], unique=False)

    op.create_table(
        "complaint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_complaint_delivery_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaint")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_complaint_delivery_id")),
    )
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_complaint_noted_at"), ["noted_at"], unique=False)

    op.create_table(
        "draft",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("to", sa.JSON(), nullable=False),
        sa.Column("cc", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_draft_agent_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_draft_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint("ticket_id", "agent_id", name=op.f("uq_draft_ticket_id_agent_id")),
    )
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "draft_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("draft_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["draft.id"], name=op.f("fk_draft_file_draft_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_file")),
    )
    with op.batch_alter_table("draft_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_file_draft_id"), ["draft_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_file_sha256"), ["sha256"], unique=False)

    op.create_table(
        "dropped_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dropped_file")),
        sa.UniqueConstraint("sha256", name=op.f("uq_dropped_file_sha256")),
    )
    op.create_table(
        "early_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "arrival_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["arrival_id"], ["arrival.id"], name=op.f("fk_early_answer_arrival_id")
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_early_answer_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_answer")),
        sa.UniqueConstraint(
            "inbox_id",
            "external_id",
            "arrival_id",
            name=op.f("uq_early_answer_inbox_id_external_id_arrival_id"),
        ),
    )
    with op.batch_alter_table("early_answer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_early_answer_arrival_id"), ["arrival_id"], unique=False
        )

    op.create_table(
        "folder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("start", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on_server", sa.Integer(), nullable=False),
        sa.Column("older", sa.Integer(), nullable=False),
        sa.Column("not_explained", sa.Integer(), nullable=False),
        sa.Column("unexplained", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_folder_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_folder")),
        sa.UniqueConstraint("inbox_id", "scope", name=op.f("uq_folder_inbox_id_scope")),
    )
    op.create_table(
        "follow_up",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "contacted",
                "resolved",
                "declined",
                "unreachable",
                name="followupstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column(
            "contacted_message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_follow_up_answer_id")),
        sa.ForeignKeyConstraint(
            ["contacted_message_id"], ["message.id"], name=op.f("fk_follow_up_contacted_message_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["agent.id"], name=op.f("fk_follow_up_owner_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_follow_up_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follow_up_answer_id"), ["answer_id"], unique=True)
        batch_op.create_index(
            batch_op.f("ix_follow_up_contacted_message_id"), ["contacted_message_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_follow_up_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_follow_up_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "former_ref",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_former_ref_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_ref")),
        sa.UniqueConstraint("ref", name=op.f("uq_former_ref_ref")),
    )
    with op.batch_alter_table("former_ref", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_former_ref_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "agent",
                "lead",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_invitation_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitation_digest")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "key_mark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_mark")),
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("token", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("name", name=op.f("uq_lease_name")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column(
            "arrival_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["arrival_id"], ["arrival.id"], name=op.f("fk_ledger_arrival_id")),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_ledger_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint(
            "inbox_id", "scope", "number", name=op.f("uq_ledger_inbox_id_scope_number")
        ),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_arrival_id"), ["arrival_id"], unique=False)
        batch_op.create_index("ix_ledger_identity", ["inbox_id", "identity"], unique=False)

    op.create_table(
        "letterhead",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("receipt_closed", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_letterhead_inbox_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letterhead")),
        sa.UniqueConstraint("inbox_id", "language", name=op.f("uq_letterhead_inbox_id_language")),
    )
    op.create_table(
        "login",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_login_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("digest", name=op.f("uq_login_digest")),
    )
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "meaning",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("space", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("alike", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("compared_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_meaning_message_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_meaning_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meaning")),
    )
    with op.batch_alter_table("meaning", schema=None) as batch_op:
        batch_op.create_index(
            "ix_meaning_alike",
            ["alike"],
            unique=False,
            sqlite_where=sa.text("alike IS NOT NULL"),
            postgresql_where=sa.text("alike IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_meaning_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meaning_ticket_id"), ["ticket_id"], unique=True)
        batch_op.create_index(
            "ix_meaning_uncompared",
            ["id"],
            unique=False,
            sqlite_where=sa.text("compared_at IS NULL"),
            postgresql_where=sa.text("compared_at IS NULL"),
        )

    op.create_table(
        "membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_membership_agent_id")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_membership_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("team_id", "agent_id", name=op.f("uq_membership_team_id_agent_id")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_agent_id"), ["agent_id"], unique=False)

    op.create_table(
        "model",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "champion",
                "challenger",
                "shadow",
                "retired",
                "rejected",
                "failed",
                name="modelstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("through", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("verdicts", sa.Integer(), nullable=False),
        sa.Column("topics", sa.String(), nullable=False),
        sa.Column("learned", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("name", name=op.f("uq_model_name")),
    )
    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.create_index(
            "ix_model_in_force",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state IN ('champion', 'shadow', 'challenger')"),
            postgresql_where=sa.text("state IN ('champion', 'shadow', 'challenger')"),
        )

    op.create_table(
        "model_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_model_file_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_file")),
    )
    with op.batch_alter_table("model_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_model_file_model_id"), ["model_id"], unique=True)

    op.create_table(
        "neighbour",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("other_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("likeness", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["other_id"], ["ticket.id"], name=op.f("fk_neighbour_other_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_neighbour_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighbour")),
        sa.UniqueConstraint("ticket_id", "other_id", name=op.f("uq_neighbour_ticket_id_other_id")),
    )
    with op.batch_alter_table("neighbour", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_neighbour_other_id"), ["other_id"], unique=False)

    op.create_table(
        "organisation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ask_feedback", sa.Boolean(), nullable=False),
        sa.Column("feedback_policy", sa.String(), nullable=False),
        sa.Column("feedback_delay_minutes", sa.Integer(), nullable=False),
        sa.Column("feedback_cooling_days", sa.Integer(), nullable=False),
        sa.Column("feedback_notice", sa.Boolean(), nullable=False),
        sa.Column("first_answer_minutes", sa.Integer(), nullable=False),
        sa.Column("open_days", sa.String(), nullable=False),
        sa.Column("opens_minute", sa.Integer(), nullable=False),
        sa.Column("closes_minute", sa.Integer(), nullable=False),
        sa.Column("keep_raw_days", sa.Integer(), nullable=True),
        sa.Column(
            "promotion",
            sa.Enum(
                "at_once",
                "after_a_day",
                "by_hand",
                name="promotion",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("model_acts", sa.Boolean(), nullable=False),
        sa.Column("training_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("samples_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_table(
        "participant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "address_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("fk_participant_address_id")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name=op.f("fk_participant_ticket_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint(
            "ticket_id", "address_id", name=op.f("uq_participant_ticket_id_address_id")
        ),
    )
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_participant_address_id"), ["address_id"], unique=False)

    op.create_table(
        "resting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("was", sa.JSON(), nullable=False),
        sa.Column("became", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_resting_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resting")),
        sa.UniqueConstraint("message_id", name=op.f("uq_resting_message_id")),
    )
    op.create_table(
        "seen",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_seen_agent_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_seen_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seen")),
        sa.UniqueConstraint("agent_id", "ticket_id", name=op.f("uq_seen_agent_id_ticket_id")),
    )
    with op.batch_alter_table("seen", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seen_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "segment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("key", name=op.f("uq_segment_key")),
    )
    op.create_table(
        "other_id",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_other_id_inbox_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_other_id_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_other_id")),
        sa.UniqueConstraint(
            "inbox_id",
            "external_id",
            "message_id",
            name=op.f("uq_other_id_inbox_id_external_id_message_id"),
        ),
    )
    with op.batch_alter_table("other_id", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_other_id_message_id"), ["message_id"], unique=False)

    op.create_table(
        "sent_copy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_sent_copy_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_copy")),
        sa.UniqueConstraint("message_id", name=op.f("uq_sent_copy_message_id")),
    )
    with op.batch_alter_table("sent_copy", schema=None) as batch_op:
        batch_op.create_index("ix_sent_copy_due", ["next_at"], unique=False)

    op.create_table(
        "stage_vocabulary",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_vocabulary")),
        sa.UniqueConstraint("key", name=op.f("uq_stage_vocabulary_key")),
    )
    op.create_table(
        "stage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "vocabulary_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("anchors", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vocabulary_id"], ["stage_vocabulary.id"], name=op.f("fk_stage_vocabulary_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage")),
    )
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stage_vocabulary_id"), ["vocabulary_id"], unique=False)

    op.create_table(
        "surge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_surge_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surge")),
    )
    with op.batch_alter_table("surge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_surge_ended_at"), ["ended_at"], unique=False)

    op.create_table(
        "surge_seen",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("surge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("agent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_surge_seen_agent_id")),
        sa.ForeignKeyConstraint(["surge_id"], ["surge.id"], name=op.f("fk_surge_seen_surge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surge_seen")),
        sa.UniqueConstraint("surge_id", "agent_id", name=op.f("uq_surge_seen_surge_id_agent_id")),
    )
    op.create_table(
        "topic_proposal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "made",
                "refused",
                name="proposalstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("refs", sa.JSON(), nullable=False),
        sa.Column("typical", sa.JSON(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("topic_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column(
            "decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["agent.id"], name=op.f("fk_topic_proposal_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topic.id"], name=op.f("fk_topic_proposal_topic_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_proposal")),
    )
    op.create_table(
        "topic_search",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("largest", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_search")),
    )
    op.create_table(
        "touchpoint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "segment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_touchpoint_answer_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_touchpoint_customer_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_touchpoint_message_id")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_touchpoint_segment_id")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_touchpoint_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_touchpoint")),
    )
    with op.batch_alter_table("touchpoint", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_touchpoint_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index("ix_touchpoint_cell", ["stage", "segment_id", "at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_touchpoint_customer_id"), ["customer_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_touchpoint_message_id"), ["message_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_touchpoint_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "worker",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        sa.UniqueConstraint("name", name=op.f("uq_worker_name")),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(
            op.f("fk_arrival_copy_of_id"),
            "arrival",
            "message",
            ["copy_of_id"],
            ["id"],
            use_alter=True,
        )


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("fk_arrival_copy_of_id"), "arrival", type_="foreignkey")

    op.drop_table("worker")
    with op.batch_alter_table("touchpoint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_touchpoint_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_touchpoint_message_id"))
        batch_op.drop_index(batch_op.f("ix_touchpoint_customer_id"))
        batch_op.drop_index("ix_touchpoint_cell")
        batch_op.drop_index(batch_op.f("ix_touchpoint_answer_id"))

    op.drop_table("touchpoint")
    op.drop_table("topic_search")
    op.drop_table("topic_proposal")
    op.drop_table("surge_seen")
    with op.batch_alter_table("surge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_surge_ended_at"))

    op.drop_table("surge")
    with op.batch_alter_table("stage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stage_vocabulary_id"))

    op.drop_table("stage")
    op.drop_table("stage_vocabulary")
    with op.batch_alter_table("sent_copy", schema=None) as batch_op:
        batch_op.drop_index("ix_sent_copy_due")

    op.drop_table("sent_copy")
    with op.batch_alter_table("other_id", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_other_id_message_id"))

    op.drop_table("other_id")
    op.drop_table("segment")
    with op.batch_alter_table("seen", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_seen_ticket_id"))

    op.drop_table("seen")
    op.drop_table("resting")
    with op.batch_alter_table("participant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participant_address_id"))

    op.drop_table("participant")
    op.drop_table("organisation")
    with op.batch_alter_table("neighbour", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_neighbour_other_id"))

    op.drop_table("neighbour")
    with op.batch_alter_table("model_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_model_file_model_id"))

    op.drop_table("model_file")
    with op.batch_alter_table("model", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_model_in_force",
            sqlite_where=sa.text("state IN ('champion', 'shadow', 'challenger')"),
            postgresql_where=sa.text("state IN ('champion', 'shadow', 'challenger')"),
        )

    op.drop_table("model")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_agent_id"))

    op.drop_table("membership")
    with op.batch_alter_table("meaning", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_meaning_uncompared",
            sqlite_where=sa.text("compared_at IS NULL"),
            postgresql_where=sa.text("compared_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_meaning_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_meaning_message_id"))
        batch_op.drop_index(
            "ix_meaning_alike",
            sqlite_where=sa.text("alike IS NOT NULL"),
            postgresql_where=sa.text("alike IS NOT NULL"),
        )

    op.drop_table("meaning")
    with op.batch_alter_table("login", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_agent_id"))

    op.drop_table("login")
    op.drop_table("letterhead")
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_identity")
        batch_op.drop_index(batch_op.f("ix_ledger_arrival_id"))

    op.drop_table("ledger")
    op.drop_table("lease")
    op.drop_table("key_mark")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_agent_id"))

    op.drop_table("invitation")
    with op.batch_alter_table("former_ref", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_former_ref_ticket_id"))

    op.drop_table("former_ref")
    with op.batch_alter_table("follow_up", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follow_up_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_owner_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_contacted_message_id"))
        batch_op.drop_index(batch_op.f("ix_follow_up_answer_id"))

    op.drop_table("follow_up")
    op.drop_table("folder")
    with op.batch_alter_table("early_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_early_answer_arrival_id"))

    op.drop_table("early_answer")
    op.drop_table("dropped_file")
    with op.batch_alter_table("draft_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_file_sha256"))
        batch_op.drop_index(batch_op.f("ix_draft_file_draft_id"))

    op.drop_table("draft_file")
    with op.batch_alter_table("draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_agent_id"))

    op.drop_table("draft")
    with op.batch_alter_table("complaint", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_complaint_noted_at"))

    op.drop_table("complaint")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_due")

    op.drop_table("delivery")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_correction_prediction_id"))
        batch_op.drop_index(batch_op.f("ix_correction_message_id"))
        batch_op.drop_index(batch_op.f("ix_correction_agent_id"))
        batch_op.drop_index(batch_op.f("ix_correction_act"))

    op.drop_table("correction")
    with op.batch_alter_table("prediction", schema=None) as batch_op:
        batch_op.drop_index("ix_prediction_ticket")
        batch_op.drop_index(batch_op.f("ix_prediction_message_id"))

    op.drop_table("prediction")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_ticket_id"))
        batch_op.drop_index(batch_op.f("ix_change_at"))
        batch_op.drop_index(batch_op.f("ix_change_agent_id"))

    op.drop_table("change")
    with op.batch_alter_table("awaited", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_awaited_ticket_id"))

    op.drop_table("awaited")
    op.drop_table("attempt")
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attachment_sha256"))
        batch_op.drop_index(batch_op.f("ix_attachment_message_id"))

    op.drop_table("attachment")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_agent_id"))

    op.drop_table("api_key")
    op.drop_table("answer")
    with op.batch_alter_table("survey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_survey_message_id"))
        batch_op.drop_index("ix_survey_due")
        batch_op.drop_index(batch_op.f("ix_survey_digest"))
        batch_op.drop_index(batch_op.f("ix_survey_customer_id"))

    op.drop_table("survey")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_rendered",
            sqlite_where=sa.text("rendered_sha256 <> ''"),
            postgresql_where=sa.text("rendered_sha256 <> ''"),
        )
        batch_op.drop_index("ix_message_ticket")
        batch_op.drop_index("ix_message_external")
        batch_op.drop_index("ix_message_conversation")
        batch_op.drop_index(batch_op.f("ix_message_arrival_id"))
        batch_op.drop_index(batch_op.f("ix_message_agent_id"))
        batch_op.drop_index(batch_op.f("ix_message_address_id"))

    op.drop_table("message")
    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_arrival_original",
            sqlite_where=sa.text("original_sha256 <> ''"),
            postgresql_where=sa.text("original_sha256 <> ''"),
        )
        batch_op.drop_index("ix_arrival_waiting")
        batch_op.drop_index(batch_op.f("ix_arrival_sha256"))
        batch_op.drop_index(batch_op.f("ix_arrival_received_at"))
        batch_op.drop_index("ix_arrival_inbox")
        batch_op.drop_index(batch_op.f("ix_arrival_copy_of_id"))
        batch_op.drop_index("ix_arrival_copy")

    op.drop_table("arrival")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ticket_without_tag",
            sqlite_where=sa.text("status = 'open' AND (stage = '' OR topic_id IS NULL)"),
            postgresql_where=sa.text("status = 'open' AND (stage = '' OR topic_id IS NULL)"),
        )
        batch_op.drop_index("ix_ticket_waiting")
        batch_op.drop_index(
            "ix_ticket_urgent",
            sqlite_where=sa.text("urgent IS 1"),
            postgresql_where=sa.text("urgent IS true"),
        )
        batch_op.drop_index(
            "ix_ticket_unverified",
            sqlite_where=sa.text("unverified > 0"),
            postgresql_where=sa.text("unverified > 0"),
        )
        batch_op.drop_index(
            "ix_ticket_unlabelled",
            sqlite_where=sa.text("(stage_by <> 'person' OR topic_by <> 'person')"),
            postgresql_where=sa.text("(stage_by <> 'person' OR topic_by <> 'person')"),
        )
        batch_op.drop_index(batch_op.f("ix_ticket_topic_id"))
        batch_op.drop_index(batch_op.f("ix_ticket_team_id"))
        batch_op.drop_index("ix_ticket_status")
        batch_op.drop_index(batch_op.f("ix_ticket_inbox_id"))
        batch_op.drop_index("ix_ticket_customer")
        batch_op.drop_index("ix_ticket_created")
        batch_op.drop_index(
            "ix_ticket_complaint",
            sqlite_where=sa.text("complaint IS 1"),
            postgresql_where=sa.text("complaint IS true"),
        )
        batch_op.drop_index("ix_ticket_assignee")

    op.drop_table("ticket")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbox_team_id"))
        batch_op.drop_index(batch_op.f("ix_inbox_kind"))
        batch_op.drop_index(batch_op.f("ix_inbox_address"))

    op.drop_table("inbox")
    op.drop_table("team")
    with op.batch_alter_table("topic", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_topic_merged_into"))

    op.drop_table("topic")
    op.drop_table("agent")
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_customer_id"))

    op.drop_table("address")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_merged_into_id"))

    op.drop_table("customer")
