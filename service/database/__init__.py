"""The relational database: SQLite by default, PostgreSQL in production."""

from service.database.connection import Database, open_database
from service.database.models import Base, Document

__all__ = ["Base", "Database", "Document", "open_database"]
