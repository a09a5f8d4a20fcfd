"""Lets people in who proved elsewhere who they are, and gives them what their groups mean here."""

from typing import Final

from pydantic import TypeAdapter, ValidationError

from libs.contracts.audit import audit
from libs.contracts.auth import UserDisabled, UserRolesChanged
from libs.kit.acting import Actor, current_actor
from libs.kit.db import Database, Transaction, reads, writes
from libs.kit.logging import get_logger
from services.auth.domain import username_key
from services.auth.errors import LastAdmin
from services.auth.grants.service import end_what_leavers_gave
from services.auth.identities.domain import MAX_SUBJECT, Person, Rules
from services.auth.identities.repository import IdentityRepository
from services.auth.models import User, UserRole
from services.auth.repository import AdminRepository, UserRepository
from services.auth.schemas import Username
from services.auth.service import Proven, end_logins

NO_HASH: Final = "!"
"""In the place of a password's hash: no password fits."""
MAX_EMAIL: Final = 254
MAX_DISPLAY_NAME: Final = 128

log = get_logger(__name__)

_USERNAME: TypeAdapter[str] = TypeAdapter(Username)


class Identities:
    """Use cases around people of elsewhere. Nobody takes over a user by having the same name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @writes
    def admit(self, tx: Transaction, person: Person, rules: Rules) -> Proven | None:
        """The user that a person is, made at the first time, with roles and groups as they are now.

        None for whoever may not come in: disabled here, not provided for by the rules, or new
        under a name that is taken or that cannot be a user's name.
        """
        if not person.subject or len(person.subject) > MAX_SUBJECT:
            _refuse(tx, person, "There is no usable lasting id.")
            return None
        identities = IdentityRepository(tx)
        user_id = identities.user_id_of(person.provider, person.subject)
        counting = rules.counting(person.groups)
        if rules.provision == "mapped" and not counting:
            _refuse(tx, person, "No group that counts here.", user_id)
            return None
        if user_id is None:
            user_id = self._made(tx, person, rules)
            if user_id is None:
                return None
        # In this order everywhere: two logins of one person at once must not add a role twice.
        admins = AdminRepository(tx).hold_still()
        user = UserRepository(tx).held(user_id)
        if user is None or not user.is_active:
            _refuse(tx, person, "The user is disabled.", user_id)
            return None
        identities.seen(person.provider, person.subject, person.label[:MAX_SUBJECT])
        self._describe(tx, user, person)
        self._share(tx, user, person, rules, admins)
        return Proven(user.id, user.password_hash)

    def _made(self, tx: Transaction, person: Person, rules: Rules) -> int | None:
        """The new user, or the one that another login of the same person made meanwhile."""
        if rules.provision == "known":
            _refuse(tx, person, "Nobody is let in for the first time.")
            return None
        try:
            username = _USERNAME.validate_python(person.username)
        except ValidationError:
            _refuse(tx, person, "The name cannot be a user's name.")
            return None
        if UserRepository(tx).by_key(username_key(username)) is not None:
            return self._made_meanwhile(tx, person)
        user = User(
            username=username,
            username_key=username_key(username),
            password_hash=NO_HASH,
            is_active=True,
            is_first_admin=False,
            must_change_password=False,
            created_at=tx.now,
            updated_at=tx.now,
            password_changed_at=tx.now,
            last_login_at=None,
            origin=person.origin,
        )
        known = IdentityRepository(tx).roles_called(rules.default_roles)
        user.roles = [UserRole(role=key) for key in sorted(set(known.values()))]
        made = IdentityRepository(tx).make(
            user, provider=person.provider, subject=person.subject, label=person.label[:MAX_SUBJECT]
        )
        if not made:
            return self._made_meanwhile(tx, person)
        after = {"origin": person.origin, "provider": person.provider, "label": person.label}
        by = Actor(0, person.provider, "system", current_actor().address)
        audit(tx, "user.provision", kind="user", id=user.id, name=username, after=after, by=by)
        return user.id

    def _made_meanwhile(self, tx: Transaction, person: Person) -> int | None:
        """Whose name it is: the same person's, who logged in at the same moment, or another's."""
        by_now = IdentityRepository(tx).user_id_of(person.provider, person.subject)
        if by_now is None:
            _refuse(tx, person, "The name belongs to another user.")
        return by_now

    def _describe(self, tx: Transaction, user: User, person: Person) -> None:
        name, email = person.display_name.strip(), person.email.strip()
        if name and len(name) <= MAX_DISPLAY_NAME and name.isprintable():
            user.display_name = name
        if email.count("@") == 1 and len(email) <= MAX_EMAIL and email.isprintable():
            user.email = email
        tx.flush()

    def _share(
        self, tx: Transaction, user: User, person: Person, rules: Rules, admins: set[int]
    ) -> None:
        """Gives and takes what rules mention; the last administrator stays one."""
        before = _state(tx, user)
        try:
            with tx.session.begin_nested():
                self._apply(tx, user, person, rules)
                AdminRepository(tx).refuse_to_lose(admins)
        except LastAdmin:
            tx.session.refresh(user, ["roles"])
            log.warning("The last administrator keeps its role.", user_id=user.id)
            return
        after = _state(tx, user)
        if after != before:
            tx.emit(UserRolesChanged(user_id=user.id))
            by = Actor(0, person.provider, "system", current_actor().address)
            audit(
                tx,
                "user.update_from_groups",
                kind="user",
                id=user.id,
                name=user.username,
                before=before,
                after=after,
                by=by,
            )

    def _apply(self, tx: Transaction, user: User, person: Person, rules: Rules) -> None:
        identities = IdentityRepository(tx)
        managed, given = rules.managed, rules.given(person.groups)
        keys = identities.roles_called(managed.roles)
        ids = identities.groups_called(managed.groups)
        missing = sorted((managed.roles - set(keys)) | (managed.groups - set(ids)))
        if missing:
            log.warning("A rule for groups mentions what is not there.", missing=missing[:20])
        wanted = {keys[name] for name in given.roles if name in keys}
        kept = [h for h in user.roles if h.role not in keys.values() or h.role in wanted]
        new = wanted - {held.role for held in kept}
        user.roles = sorted([*kept, *(UserRole(role=key) for key in new)], key=lambda h: h.role)
        tx.flush()
        belongs = identities.groups_of(user.id)
        joins = {ids[name] for name in given.groups if name in ids}
        identities.join(user.id, joins - belongs)
        leaves = (belongs & frozenset(ids.values())) - joins
        identities.leave(user.id, leaves)
        if leaves:
            end_what_leavers_gave(tx, leaves, [user.id])

    @reads
    def subject_of(self, tx: Transaction, provider: str, user_id: int) -> str | None:
        """The lasting id of a user at a provider; None for everybody else."""
        return IdentityRepository(tx).subject_of(provider, user_id)

    @reads
    def provider_of(self, tx: Transaction, user_id: int) -> str | None:
        """Where a user of elsewhere came in from the last time; None for everybody else."""
        return IdentityRepository(tx).provider_of(user_id)

    @reads
    def active_at(self, tx: Transaction, provider: str) -> dict[str, int]:
        """The active users of a provider: user by lasting id."""
        return IdentityRepository(tx).active_at(provider)

    @writes
    def leave(self, tx: Transaction, provider: str, user_id: int) -> bool:
        """Disables a user who is gone at the provider; False for the last administrator."""
        admins = AdminRepository(tx).hold_still()
        user = UserRepository(tx).by_id(user_id)
        if user is None or not user.is_active or admins == {user_id}:
            return False
        user.is_active = False
        user.updated_at = tx.now
        end_logins(tx, user_id)
        tx.emit(UserDisabled(user_id=user_id))
        by = Actor(0, provider, "system")
        audit(tx, "user.disable", kind="user", id=user_id, name=user.username, by=by)
        return True


def _state(tx: Transaction, user: User) -> dict[str, object]:
    return {
        "roles": sorted(held.role for held in user.roles),
        "groups": sorted(IdentityRepository(tx).groups_of(user.id)),
    }


def _refuse(tx: Transaction, person: Person, why: str, user_id: int | None = None) -> None:
    """Written down for administrators; the person learns no reason."""
    audit(
        tx,
        "login.refused",
        kind="user",
        id=user_id or "",
        name=person.label,
        outcome="denied",
        detail=f"{person.provider}: {why}",
        by=Actor(0, "", "anonymous", current_actor().address, current_actor().user_agent),
    )
