"""The use cases of roles."""

import json
from collections.abc import Collection

from libs.contracts.audit import audit
from libs.contracts.auth import PolicyChanged
from libs.kit.auth import Principal
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.ids import new_id
from services.auth.domain import username_key
from services.auth.errors import (
    ExceedsOwnRights,
    RoleInUse,
    RoleIsBuiltIn,
    RoleNameTaken,
    RoleNotFound,
    UnknownRole,
)
from services.auth.models import RoleRow
from services.auth.roles.repository import RoleRepository
from services.auth.roles.schemas import RoleCreate, RoleOut, RolePatch

MOST_ROLES = 200


class Roles:
    """Roles, built in and custom. What a role allows is never more than its maker holds."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @reads
    def all(self, tx: Transaction) -> list[RoleOut]:
        """Every role; there are few."""
        roles = RoleRepository(tx)
        return roles.counted(roles.all())

    @reads
    def one(self, tx: Transaction, role_id: int) -> RoleOut:
        """A role; raises RoleNotFound."""
        return _counted(tx, _required(tx, role_id))

    @writes
    def create(self, tx: Transaction, spec: RoleCreate, by: Principal) -> RoleOut:
        """A new role; raises RoleNameTaken or ExceedsOwnRights."""
        roles = RoleRepository(tx)
        must_hold(by, frozenset(spec.permissions))
        if roles.name_is_taken(spec.name):
            raise RoleNameTaken(name=spec.name)
        row = RoleRow(
            key=new_id(),
            name=spec.name,
            name_key=username_key(spec.name),
            description=spec.description,
            permissions=json.dumps(spec.permissions),
            is_built_in=False,
            require_two_factor=spec.require_two_factor,
            created_at=tx.now,
            updated_at=tx.now,
        )
        made = _counted(tx, roles.store(row))
        audit(tx, "role.create", kind="role", id=row.id, name=row.name, after=made)
        return made

    @writes
    def change(self, tx: Transaction, role_id: int, patch: RolePatch, by: Principal) -> RoleOut:
        """Changes a role for everybody who holds it.

        Raises RoleIsBuiltIn, RoleNameTaken, and ExceedsOwnRights for a role that allows more than
        the caller holds, before or after.
        """
        roles, row = RoleRepository(tx), _required(tx, role_id)
        before = _counted(tx, row)
        if row.is_built_in and patch.model_fields_set - {"require_two_factor"}:
            raise RoleIsBuiltIn(role=row.name)
        must_hold(by, frozenset(before.permissions))
        if patch.name is not None:
            if roles.name_is_taken(patch.name, but=role_id):
                raise RoleNameTaken(name=patch.name)
            row.name, row.name_key = patch.name, username_key(patch.name)
        if patch.permissions is not None:
            must_hold(by, frozenset(patch.permissions))
            row.permissions = json.dumps(patch.permissions)
        if patch.description is not None:
            row.description = patch.description
        if patch.require_two_factor is not None:
            row.require_two_factor = patch.require_two_factor
        row.updated_at = tx.now
        roles.store(row)
        tx.emit(PolicyChanged(version=roles.policy().version))
        after = _counted(tx, row)
        audit(tx, "role.update", kind="role", id=row.id, name=row.name, before=before, after=after)
        return after

    @writes
    def delete(self, tx: Transaction, role_id: int, by: Principal) -> None:
        """Deletes a custom role that nobody holds; raises RoleIsBuiltIn or RoleInUse."""
        roles, row = RoleRepository(tx), _required(tx, role_id)
        if row.is_built_in:
            raise RoleIsBuiltIn(role=row.name)
        must_hold(by, roles.permissions_of([row.key]))
        if roles.is_held(row.key):
            raise RoleInUse(role=row.name)
        audit(tx, "role.delete", kind="role", id=row.id, name=row.name, before=_counted(tx, row))
        roles.remove(row)
        tx.emit(PolicyChanged(version=roles.policy().version))


def may_give(tx: Transaction, keys: Collection[str], by: Principal) -> None:
    """Raises UnknownRole, or ExceedsOwnRights for roles that allow more than the caller holds."""
    roles = RoleRepository(tx)
    try:
        roles.known(keys)
    except RoleNotFound as unknown:
        raise UnknownRole(missing=unknown.details["missing"]) from None
    must_hold(by, roles.permissions_of(keys))


def must_hold(by: Principal, permissions: frozenset[str]) -> None:
    """Raises ExceedsOwnRights unless the caller holds all of these permissions."""
    beyond = sorted(name for name in permissions if not by.can(name))
    if beyond:
        raise ExceedsOwnRights(permissions=beyond)


def _required(tx: Transaction, role_id: int) -> RoleRow:
    row = RoleRepository(tx).by_id(role_id)
    if row is None:
        raise RoleNotFound(role_id=role_id)
    return row


def _counted(tx: Transaction, row: RoleRow) -> RoleOut:
    return RoleRepository(tx).counted([row])[0]
