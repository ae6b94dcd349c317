"""Deliveries whose bounce spoke of the address; NULL for those before, which therefore suppress no address."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("address_refused", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "address_refused")
