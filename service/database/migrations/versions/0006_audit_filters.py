"""Indexes for the filters of the audit log, newest first."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FILTERS = ("actor", "action", "target_id", "outcome")


def upgrade() -> None:
    for column in FILTERS:
        op.create_index(f"ix_events_{column}_created_at_event_id", "events", [column, "created_at", "event_id"])


def downgrade() -> None:
    for column in FILTERS:
        op.drop_index(f"ix_events_{column}_created_at_event_id", "events")
