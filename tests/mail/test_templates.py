"""Templates by their ids: an owner's own, and those of packages."""

import pytest

from service.database import open_database
from service.mail.templates import TemplateRows
from tasks.sdk.extend import MAIL_TEMPLATES, MailTemplate


async def test_every_owner_may_send_the_template_of_a_package(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = MailTemplate("acme-thanks", "Thanks", "Thank you", "<p>{{ user.name }}</p>", "{{ user.name }}")
    monkeypatch.setitem(MAIL_TEMPLATES, given.template_id, given)
    async with open_database(sqlite_url) as database:
        found = await TemplateRows(database).find("acme-thanks", "acme")
        assert found is not None and (found.name, found.source.subject) == ("Thanks", "Thank you")
        assert await TemplateRows(database).find("acme-none", "acme") is None
