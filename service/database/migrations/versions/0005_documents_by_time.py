"""Documents of every owner, newest first."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_documents_created_at_file_id", "documents", ["created_at", "file_id"])


def downgrade() -> None:
    op.drop_index("ix_documents_created_at_file_id", "documents")
