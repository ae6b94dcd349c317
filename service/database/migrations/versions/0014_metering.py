"""Metered use of owners by month, and what is on its way there."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FIELDS = ("jobs", "pages_read", "cpu_ms", "mails", "video_ms", "stored_kb_s")


def upgrade() -> None:
    for field in FIELDS:
        op.add_column("owner_months", sa.Column(field, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "usage_entries",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("field", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage_entries"),
    )
    op.create_table(
        "usage_batches",
        sa.Column("batch_id", sa.String(64), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name="pk_usage_batches"),
    )


def downgrade() -> None:
    op.drop_table("usage_batches")
    op.drop_table("usage_entries")
    for field in FIELDS:
        op.drop_column("owner_months", field)
