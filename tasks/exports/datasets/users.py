"""Everybody who may be written to."""

from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Readers
from tasks.exports.filters import Between, Flag, Match, Search

DATASET = Dataset(
    name="users",
    title="Users",
    table="users",
    columns=(
        Column("id", Kind.INTEGER),
        Column("email", width=32, personal=True),
        Column("name", width=28, personal=True),
        Column("active", Kind.FLAG),
        Column("locale"),
        Column("plan"),
        Column("digest", Kind.FLAG),
        Column("created_at", Kind.MOMENT),
    ),
    filters={
        "created_at": Between("created_at"),
        "id": Match("id", Kind.INTEGER),
        "email": Match("email"),
        "active": Flag("active"),
        "locale": Match("locale"),
        "plan": Match("plan"),
        "digest": Flag("digest"),
        "search": Search(("email", "name")),
    },
    order=("id",),
    # One list for the installation, to which every key may already send campaigns.
    readers=Readers.EVERY_KEY,
)
