"""Uploads in several requests, and their pieces; deliveries of webhooks by their state."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("described", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("presigned", sa.Boolean(), nullable=False),
        sa.Column("reuse", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.String(64)),
        sa.PrimaryKeyConstraint("upload_id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_owner_file_id", "uploads", ["owner", "file_id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_table(
        "upload_pieces",
        sa.Column("upload_id", sa.String(64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "start", name="pk_upload_pieces"),
    )
    op.create_index("ix_webhook_deliveries_state_created_at", "webhook_deliveries", ["state", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_webhook_deliveries_state_created_at", "webhook_deliveries")
    op.drop_table("upload_pieces")
    op.drop_table("uploads")
