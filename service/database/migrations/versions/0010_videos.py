"""Measures and length of videos; NULL for documents that are none, so for all from before."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("width", sa.Integer(), nullable=True))
    op.add_column("documents", sa.Column("height", sa.Integer(), nullable=True))
    op.add_column("documents", sa.Column("seconds", sa.Double(), nullable=True))


def downgrade() -> None:
    for name in ("seconds", "height", "width"):
        op.drop_column("documents", name)
