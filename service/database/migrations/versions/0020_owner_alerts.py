"""Mail addresses of owners for alerts, and the messages to them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_addresses",
        sa.Column("address_id", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("mailbox", sa.String(320), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("every_minutes", sa.Integer(), nullable=False),
        sa.Column("waiting_minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("progress", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("mailed_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("owner", "mailbox"),
    )
    op.create_table(
        "alert_mails",
        sa.Column("mail_id", sa.String(64), primary_key=True),
        sa.Column("address_id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("news", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_alert_addresses_state_address_id", "alert_addresses", ["state", "address_id"])
    op.create_index("ix_alert_mails_address_id", "alert_mails", ["address_id"])
    op.create_index("ix_alert_mails_owner", "alert_mails", ["owner"])
    op.create_index("ix_alert_mails_outcome_created_at", "alert_mails", ["outcome", "created_at"])
    op.create_index("ix_alert_mails_created_at", "alert_mails", ["created_at"])


def downgrade() -> None:
    op.drop_table("alert_mails")
    op.drop_table("alert_addresses")
