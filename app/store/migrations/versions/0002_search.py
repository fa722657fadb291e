"""The search index, which each database has in its own form."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # The short columns first: reading a ticket's id must not read past a long text.
        op.execute(
            "CREATE VIRTUAL TABLE search USING fts5("
            "ticket_id UNINDEXED, version UNINDEXED, tokens, parts, tokenize = 'ascii')"
        )
        return
    op.execute(
        "CREATE TABLE search ("
        "message_id bigint PRIMARY KEY, ticket_id bigint NOT NULL, "
        "version integer NOT NULL, tokens tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX ix_search_tokens ON search USING gin (tokens)")


def downgrade() -> None:
    op.execute("DROP TABLE search")
