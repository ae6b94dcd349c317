"""Uploaded files."""

from tasks.exports.columns import Column, Kind
from tasks.exports.dataset import Dataset, Readers
from tasks.exports.filters import Between, Match, Search

DATASET = Dataset(
    name="documents",
    title="Documents",
    table="documents",
    columns=(
        Column("file_id", width=40),
        Column("owner"),
        Column("name", width=40),
        Column("bytes", Kind.INTEGER),
        Column("sha256", width=66),
        Column("media_type"),
        Column("pages", Kind.INTEGER),
        Column("created_at", Kind.MOMENT),
    ),
    filters={
        "created_at": Between("created_at"),
        "file_id": Match("file_id"),
        "media_type": Match("media_type"),
        "sha256": Match("sha256"),
        "bytes": Between("bytes", Kind.INTEGER),
        "pages": Between("pages", Kind.INTEGER),
        "search": Search(("name",)),
    },
    order=("created_at", "file_id"),
    readers=Readers.OWNER,
    owner="owner",
)
