"""The relational database: SQLite by default, PostgreSQL in production."""

from service.database.api_keys import ApiKey
from service.database.audit import Event
from service.database.base import Base, Document
from service.database.connection import Database, changed_rows, open_database
from service.database.corrections import DoubtfulPageRow, PageCorrectionRow, ReadingCount, ReadingRow
from service.database.dashboard_users import DashboardSession, DashboardUserRow
from service.database.images import ImageRecord
from service.database.mail import Campaign, Delivery, Suppression, Template, User
from service.database.owner_alerts import AlertAddress, AlertMail
from service.database.owners import Owner, OwnerMonth
from service.database.saved_views import DefaultView, SavedView
from service.database.uploads import Upload, UploadPiece
from service.database.usage import UsageBatch, UsageEntry
from service.database.webhooks import Webhook, WebhookDelivery

__all__ = [
    "AlertAddress",
    "AlertMail",
    "ApiKey",
    "Base",
    "Campaign",
    "DashboardSession",
    "DashboardUserRow",
    "Database",
    "DefaultView",
    "Delivery",
    "Document",
    "DoubtfulPageRow",
    "Event",
    "ImageRecord",
    "Owner",
    "OwnerMonth",
    "PageCorrectionRow",
    "ReadingCount",
    "ReadingRow",
    "SavedView",
    "Suppression",
    "Template",
    "Upload",
    "UploadPiece",
    "UsageBatch",
    "UsageEntry",
    "User",
    "Webhook",
    "WebhookDelivery",
    "changed_rows",
    "open_database",
]
