"""Saved views as rows."""

import pytest

from service.access.users import Users
from service.database import Database
from service.database.saved_views import NAME_MAX, OWN_MAX, SHARED, BadView, NoSuchView, SavedViews
from settings.credentials import Role

pytestmark = pytest.mark.both_databases


async def test_a_user_sees_its_own_views_and_the_shared_ones(database: Database) -> None:
    views = SavedViews(database)
    own = await views.save("  Failed   today ", "state:failed created:>1d", user="eva", by="eva")
    shared = await views.save("Failed today", "state:failed", user=SHARED, by="admin")
    assert [(view.id, view.name, view.shared) for view in await views.of("eva")] == [
        (own.id, "Failed today", False), (shared.id, "Failed today", True),
    ]  # fmt: skip
    assert [view.id for view in await views.of("ben")] == [shared.id]
    with pytest.raises(NoSuchView):
        await views.get(own.id, "ben")
    await views.make_default("eva", own)
    await views.make_default("ben", shared)
    assert [(await views.default_of(name) or own).id for name in ("eva", "ben")] == [own.id, shared.id]
    await views.delete(shared)
    assert await views.default_of("ben") is None and [view.id for view in await views.of("ben")] == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (" ", "A view needs a name."),
        ("x" * (NAME_MAX + 1), "The name has 61 characters: 60 at most are kept."),
        ("abc\u202egpj.exe", "The name has a sign that cannot be seen"),
        ("Mine", "There is a view Mine already: choose another name."),
    ],
)
async def test_a_name_that_cannot_be_kept_is_refused(database: Database, name: str, sentence: str) -> None:
    views = SavedViews(database)
    await views.save("Mine", "state:failed", user="eva", by="eva")
    other = await views.save("Other", "state:failed", user="eva", by="eva")
    with pytest.raises(BadView, match=sentence):
        await views.save(name, "state:failed", user="eva", by="eva")
    with pytest.raises(BadView, match=sentence):
        await views.rename(other, name)
    assert {view.name for view in await views.of("eva")} == {"Mine", "Other"}


async def test_numbers_are_bounded_and_a_removed_user_leaves_none(database: Database) -> None:
    views, users = SavedViews(database), Users(database)
    await users.add("eva", "a password of hers", Role.VIEWER, created_by="admin", personal=False)
    for number in range(OWN_MAX):
        last = await views.save(f"View {number}", "state:failed", user="eva", by="eva")
    with pytest.raises(BadView, match=f"You have {OWN_MAX} views already: delete one first."):
        await views.save("One more", "state:failed", user="eva", by="eva")
    with pytest.raises(BadView, match="A view needs a filter"):
        await views.save("All", "", user="ben", by="ben")
    await views.make_default("eva", last)
    await users.remove("eva")
    assert await views.of("eva") == [] and await views.default_of("eva") is None
