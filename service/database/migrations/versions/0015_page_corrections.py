"""Corrections of pages, the pages that wait for a person, and counts of readings."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FILTERS = ("owner", "engine", "reason", "media_type", "file_id")


def _page_of_a_document() -> tuple[sa.Column, ...]:
    return (
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False, autoincrement=False),
    )


def upgrade() -> None:
    op.create_table(
        "page_corrections",
        *_page_of_a_document(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("owner", "sha256", "page", name="pk_page_corrections"),
    )
    op.create_table(
        "doubtful_pages",
        *_page_of_a_document(),
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("owner", "sha256", "page", name="pk_doubtful_pages"),
    )
    order = ["state", "found_at", "sha256", "page"]
    op.create_index("ix_doubtful_pages_state_found_at_sha256_page_owner", "doubtful_pages", [*order, "owner"])
    for name in FILTERS:
        op.create_index(f"ix_doubtful_pages_{name}_state_found_at_sha256_page", "doubtful_pages", [name, *order])
    op.create_table(
        "readings",
        sa.Column("job_id", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("file_id", sa.String(64), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_readings"),
    )
    op.create_index("ix_readings_stale_created_at", "readings", ["stale", "created_at"])
    op.create_index("ix_readings_owner_sha256", "readings", ["owner", "sha256"])
    op.create_index("ix_readings_file_id", "readings", ["file_id"])
    op.create_table(
        "reading_counts",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("doubtful", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("corrected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "owner", "media_type", "engine", name="pk_reading_counts"),
    )


def downgrade() -> None:
    for table in ("reading_counts", "readings", "doubtful_pages", "page_corrections"):
        op.drop_table(table)
