"""Templates as they are kept: each belongs to an owner, and another's does not exist."""

import secrets
from collections.abc import Sequence

from sqlalchemy import select, tuple_

from service.database import Database, Template
from service.database.column_types import utc_now
from tasks.mail.template import Source
from tasks.ports.mail import StoredTemplate
from tasks.sdk.errors import Permanent
from tasks.sdk.extend import MAIL_TEMPLATES


class NoSuchTemplate(Permanent):
    """There is no such template, or it belongs to another owner."""

    def __init__(self, template_id: str) -> None:
        super().__init__(f"There is no template {template_id[:80]}.")


class TemplateRows:
    """Templates in the database. That their texts work is checked before they come here."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, template_id: str, owner: str) -> StoredTemplate | None:
        """The owner's template, or a package's, which all owners may send; None where there is neither."""
        if (given := MAIL_TEMPLATES.get(template_id)) is not None:
            return StoredTemplate(given.template_id, given.name, Source(given.subject, given.html, given.text))
        try:
            row = await self.get(template_id, owner)
        except NoSuchTemplate:
            return None
        return StoredTemplate(row.template_id, row.name, Source(row.subject, row.html, row.text))

    async def get(self, template_id: str, owner: str) -> Template:
        """The row. Raises NoSuchTemplate."""
        async with self._database.reading() as session:
            row = await session.get(Template, template_id)
        if row is None or row.owner != owner:
            raise NoSuchTemplate(template_id)
        return row

    async def list(self, owner: str) -> list[Template]:
        """The owner's templates, newest first."""
        statement = select(Template).where(Template.owner == owner)
        async with self._database.reading() as session:
            return list(await session.scalars(statement.order_by(Template.created_at.desc(), Template.template_id)))

    async def of_anybody(self, template_id: str) -> Template:
        """The row of any owner: for operators. Raises NoSuchTemplate."""
        async with self._database.reading() as session:
            row = await session.get(Template, template_id)
        if row is None:
            raise NoSuchTemplate(template_id)
        return row

    async def page(self, limit: int, before: str | None = None) -> Sequence[Template]:
        """Templates of all owners, newest first, at most `limit`; those older than the template `before`."""
        newest_first = (Template.created_at.desc(), Template.template_id.desc())
        statement = select(Template).order_by(*newest_first).limit(limit)
        if before is not None:
            last = await self.of_anybody(before)
            position = tuple_(Template.created_at, Template.template_id)
            statement = statement.where(position < tuple_(last.created_at, last.template_id))
        async with self._database.reading() as session:
            return (await session.scalars(statement)).all()

    async def create(self, owner: str, name: str, source: Source) -> Template:
        """Keep a new template."""
        row = Template(
            template_id=f"template-{secrets.token_hex(10)}",
            owner=owner,
            name=name,
            subject=source.subject,
            html=source.html,
            text=source.text,
        )
        async with self._database.writing() as session:
            session.add(row)
        return row

    async def replace(self, template_id: str, owner: str, name: str, source: Source) -> Template:
        """Change a template; campaigns that have begun keep the words they began with. Raises NoSuchTemplate."""
        async with self._database.writing() as session:
            row = await session.get(Template, template_id, with_for_update=True)
            if row is None or row.owner != owner:
                raise NoSuchTemplate(template_id)
            row.name, row.subject, row.html, row.text = name, source.subject, source.html, source.text
            row.updated_at = utc_now()
        return row

    async def delete(self, template_id: str, owner: str) -> None:
        """Remove a template. Raises NoSuchTemplate."""
        async with self._database.writing() as session:
            row = await session.get(Template, template_id)
            if row is None or row.owner != owner:
                raise NoSuchTemplate(template_id)
            await session.delete(row)
