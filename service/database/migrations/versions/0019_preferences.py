"""Language and time zone of dashboard users."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dashboard_users", sa.Column("language", sa.String(16)))
    op.add_column("dashboard_users", sa.Column("zone", sa.String(64)))


def downgrade() -> None:
    for column in ("zone", "language"):
        op.drop_column("dashboard_users", column)
