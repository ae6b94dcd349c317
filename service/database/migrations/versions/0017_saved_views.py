"""Saved views of the jobs page, and the one that each user's begins with."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("user_name", sa.String(255), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.UniqueConstraint("user_name", "name"),
    )
    op.create_table(
        "default_views",
        sa.Column("user_name", sa.String(255), primary_key=True),
        sa.Column("view_id", sa.String(32), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("default_views")
    op.drop_table("saved_views")
