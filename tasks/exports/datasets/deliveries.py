"""Result of each message of each campaign."""

from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Readers
from tasks.exports.filters import Between, Match, Search

DATASET = Dataset(
    name="deliveries",
    title="Deliveries",
    table="deliveries JOIN campaigns ON campaigns.campaign_id = deliveries.campaign_id",
    columns=(
        Column("campaign_id", source="deliveries.campaign_id", width=36),
        Column("campaign", source="campaigns.name", width=28),
        Column("position", Kind.INTEGER, source="deliveries.position"),
        Column("user_id", Kind.INTEGER, source="deliveries.user_id", personal=True),
        Column("email", source="deliveries.email", width=32, personal=True),
        Column("status", source="deliveries.status"),
        Column("tries", Kind.INTEGER, source="deliveries.tries"),
        Column("smtp_code", Kind.INTEGER, source="deliveries.smtp_code"),
        Column("smtp_text", source="deliveries.smtp_text", width=40, personal=True),
        Column("message_id", source="deliveries.message_id", width=40),
        Column("changed_at", Kind.MOMENT, source="deliveries.changed_at"),
    ),
    filters={
        "changed_at": Between("deliveries.changed_at"),
        "campaign_id": Match("deliveries.campaign_id"),
        "user_id": Match("deliveries.user_id", Kind.INTEGER),
        "status": Match("deliveries.status"),
        "smtp_code": Between("deliveries.smtp_code", Kind.INTEGER),
        "search": Search(("deliveries.email", "deliveries.smtp_text")),
    },
    order=("deliveries.campaign_id", "deliveries.position"),
    readers=Readers.OWNER,
    owner="campaigns.owner",
)
