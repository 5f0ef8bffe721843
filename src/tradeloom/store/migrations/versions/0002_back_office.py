"""Tables of the back office: preferences, approvals, changed definitions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite counts rows by itself only in a column that is exactly INTEGER.
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "preferences",
        sa.Column("user_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name="pk_preferences"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_preferences_user_id"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("requester", sa.BigInteger, nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("target", sa.String(128), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.BigInteger),
        sa.Column("decided", sa.BigInteger),
        sa.Column("note", sa.String(200), nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("key", sa.String(32)),
        sa.UniqueConstraint("requester", "key", name="uq_approvals_requester"),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.ForeignKeyConstraint(["requester"], ["users.id"], name="fk_approvals_requester"),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name="fk_approvals_decided_by"),
    )
    op.create_index("approvals_state", "approvals", ["state", "id"])
    op.create_table(
        "definition_changes",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("ts", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("reverts", sa.BigInteger),
        sa.Column("approval", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_definition_changes"),
        sa.ForeignKeyConstraint(["actor"], ["users.id"], name="fk_definition_changes_actor"),
    )
    op.create_index("definition_changes_name", "definition_changes", ["kind", "name", "id"])


def downgrade() -> None:
    """Take them away."""
    for name in ("definition_changes", "approvals", "preferences"):
        op.drop_table(name)
