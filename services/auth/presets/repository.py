"""Templates of grants in the database."""

import json
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from libs.kit.db import Transaction
from services.auth.domain import username_key
from services.auth.errors import TemplateNameTaken
from services.auth.grants.schemas import PartIn, PartOut
from services.auth.models import GrantTemplate
from services.auth.presets.schemas import TemplateOut


class TemplateRepository:
    """Questions about templates."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def by_id(self, template_id: int) -> GrantTemplate | None:
        """The template with this id."""
        return self._tx.get(GrantTemplate, template_id)

    def all(self) -> Sequence[GrantTemplate]:
        """All templates, by name."""
        query = select(GrantTemplate).order_by(GrantTemplate.name_key)
        return self._tx.scalars(query).all()

    def store(self, template: GrantTemplate) -> GrantTemplate:
        """Sends a new or changed template; raises TemplateNameTaken."""
        template.name_key = username_key(template.name)
        twin = select(GrantTemplate.id).where(
            GrantTemplate.name_key == template.name_key, GrantTemplate.id != (template.id or 0)
        )
        with self._tx.session.no_autoflush:
            if self._tx.scalar(twin) is not None:
                raise TemplateNameTaken(name=template.name)
        self._tx.add(template)
        try:
            self._tx.flush()
        except IntegrityError as error:
            raise TemplateNameTaken(name=template.name) from error
        return template

    def remove(self, template: GrantTemplate) -> None:
        """Deletes a template; grants made of it stay."""
        self._tx.delete(template)
        self._tx.flush()


def template_out(row: GrantTemplate) -> TemplateOut:
    """A template as it is shown."""
    return TemplateOut(
        id=row.id,
        name=row.name,
        description=row.description,
        parts=[PartOut.model_validate(part) for part in json.loads(row.parts)],
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def parts_text(parts: Sequence[PartIn]) -> str:
    """The parts of a template as they are kept."""
    return json.dumps([PartOut.of(part.part()).model_dump(mode="json") for part in parts])
