"""Images as an app shows them."""

import sqlalchemy as sa
from alembic import op

from service.database.column_types import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "images",
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("job_id", sa.String(64), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("format", sa.String(16), nullable=True),
        sa.Column("taken_at", sa.String(40), nullable=True),
        sa.Column("orientation", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("file_id", name="pk_images"),
        sa.ForeignKeyConstraint(["file_id"], ["documents.file_id"], name="fk_images_file_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("images")
