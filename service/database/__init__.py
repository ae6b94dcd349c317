"""The relational database: SQLite by default, PostgreSQL in production."""

from service.database.connection import Database, open_database
from service.database.events import Event
from service.database.images import ImageRecord
from service.database.mail import Campaign, Delivery, Suppression, Template, User
from service.database.models import Base, Document

__all__ = [
    "Base",
    "Campaign",
    "Database",
    "Delivery",
    "Document",
    "Event",
    "ImageRecord",
    "Suppression",
    "Template",
    "User",
    "open_database",
]
