"""Plans of owners, and what they use in each month; the pages of documents that are kept are counted to theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MONTHS = {
    "sqlite": "strftime('%Y-%m', created_at)",
    "postgresql": "to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
}


def upgrade() -> None:
    op.create_table(
        "owners",
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("plan", sa.String(64)),
        sa.Column("own", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_owners"),
    )
    op.create_table(
        "owner_months",
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("pages", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "month", name="pk_owner_months"),
    )
    month = MONTHS[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO owner_months (owner, month, pages) "
        f"SELECT owner, {month}, coalesce(sum(pages), 0) FROM documents GROUP BY owner, {month}"
    )


def downgrade() -> None:
    op.drop_table("owner_months")
    op.drop_table("owners")
