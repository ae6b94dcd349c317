"""Rights of the sessions of an identity provider's users, with the sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dashboard_sessions", sa.Column("personal", sa.Boolean()))
    op.add_column("dashboard_sessions", sa.Column("queues", sa.Text()))
    op.add_column("dashboard_sessions", sa.Column("id_token", sa.Text()))


def downgrade() -> None:
    for column in ("id_token", "queues", "personal"):
        op.drop_column("dashboard_sessions", column)
