"""The use cases of templates of grants."""

from libs.contracts.audit import audit
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from services.auth.errors import TemplateNotFound
from services.auth.grants.schemas import GrantOut, PartIn
from services.auth.grants.service import Grants
from services.auth.models import GrantTemplate
from services.auth.presets.repository import TemplateRepository, parts_text, template_out
from services.auth.presets.schemas import (
    TemplateApply,
    TemplateCreate,
    TemplateOut,
    TemplatePatch,
)


class GrantTemplates:
    """Named sets of parts. Making one gives nobody anything; applying one is judged as giving."""

    def __init__(self, db: Database, grants: Grants) -> None:
        self._db = db
        self._grants = grants

    @reads
    def all(self, tx: Transaction) -> list[TemplateOut]:
        """All templates; there are few."""
        return [template_out(one) for one in TemplateRepository(tx).all()]

    @reads
    def one(self, tx: Transaction, template_id: int) -> TemplateOut:
        """A template; raises TemplateNotFound."""
        return template_out(_required(tx, template_id))

    @writes
    def create(self, tx: Transaction, spec: TemplateCreate, by: Principal) -> TemplateOut:
        """A new template; raises TemplateNameTaken."""
        row = GrantTemplate(
            name=spec.name,
            description=spec.description,
            parts=parts_text(spec.parts),
            created_by=by.id,
            created_at=tx.now,
            updated_at=tx.now,
        )
        made = template_out(TemplateRepository(tx).store(row))
        audit(
            tx, "grant_template.create", kind="grant_template", id=row.id, name=row.name, after=made
        )
        return made

    @writes
    def change(self, tx: Transaction, template_id: int, patch: TemplatePatch) -> TemplateOut:
        """Changes what is given; grants made of it stay as they are."""
        row = _required(tx, template_id)
        before = template_out(row)
        row.name = patch.name or row.name
        if patch.description is not None:
            row.description = patch.description
        if patch.parts is not None:
            row.parts = parts_text(patch.parts)
        row.updated_at = tx.now
        after = template_out(TemplateRepository(tx).store(row))
        audit(
            tx, "grant_template.update", kind="grant_template", id=row.id, name=row.name,
            before=before, after=after,
        )  # fmt: skip
        return after

    @writes
    def delete(self, tx: Transaction, template_id: int) -> None:
        """Deletes a template; grants made of it stay."""
        row = _required(tx, template_id)
        audit(
            tx, "grant_template.delete", kind="grant_template", id=row.id, name=row.name,
            before=template_out(row),
        )  # fmt: skip
        TemplateRepository(tx).remove(row)

    async def apply(self, template_id: int, wanted: TemplateApply, by: Principal) -> list[GrantOut]:
        """Gives every part to every subject, all or nothing; raises what giving raises."""
        template = await self.one(template_id)
        parts = [
            PartIn.model_validate_json(part.model_dump_json()).part(
                wanted.starts_at, wanted.expires_at
            )
            for part in template.parts
        ]
        return await self._grants.give_all(
            parts, wanted.subjects, by, reason=wanted.reason, template_id=template_id
        )


def _required(tx: Transaction, template_id: int) -> GrantTemplate:
    row = TemplateRepository(tx).by_id(template_id)
    if row is None:
        raise TemplateNotFound(template_id=template_id)
    return row
