"""The only module that speaks LDAP: asks a directory who somebody is. Blocks its thread."""

import ssl
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

import ldap3
from ldap3.core.exceptions import (
    LDAPException,
    LDAPInvalidCredentialsResult,
    LDAPNoSuchObjectResult,
    LDAPSizeLimitExceededResult,
)

from libs.kit.ids import new_id
from libs.kit.logging import get_logger
from services.auth.directory.domain import (
    DirectoryDown,
    Entry,
    Place,
    escaped,
    filled,
    folded_dn,
    place_of,
)
from services.auth.settings import DirectorySettings

MOST_GROUPS: Final = 1000
_BINARY_IDS: Final = frozenset({"objectguid"})

log = get_logger(__name__)

_TROUBLE: Final = (LDAPException, OSError, ValueError, TypeError)
"""What comes out of ldap3 when a connection or an answer is bad."""


class _CheckedTls(ldap3.Tls):
    """TLS as the standard library does it: the chain and the host name have to fit.

    ldap3's own way knows no modern check of names and loses sockets when a check fails.
    """

    def __init__(self, ca_file: Path | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = ssl.create_default_context(cafile=ca_file)

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        """Encrypts the connection's socket; SSLError for a server that cannot prove its name."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


class LdapDirectory:
    """Questions to a directory; each is a conversation of its own.

    The first server that answers is asked. Raises DirectoryDown when none does, or when the
    searching account is refused.
    """

    def __init__(self, settings: DirectorySettings) -> None:
        self._settings = settings
        self._places = [place_of(url) for url in settings.urls]
        self._tls = _CheckedTls(settings.ca_file)

    def prove(self, username: str, password: str) -> Entry | None:
        """Who has this name and this password; None for nobody, or somebody disabled there.

        An empty password is None at once: a server would take it for an anonymous visitor.
        """
        password = unicodedata.normalize("NFC", password)
        if not password or "\0" in password or not username:
            return None
        with self._searching() as searcher:
            found = self._found(searcher, username)
            dn = found.dn if found is not None else f"cn={new_id()},{self._settings.base_dn}"
            # Somebody who does not exist costs a bind too, so that time tells nothing.
            proven = self._binds(searcher.server, dn, password)
            return found if found is not None and proven else None

    def missing(self, subjects: Sequence[str]) -> set[str]:
        """Those of these lasting ids that nobody has any more, or somebody disabled there."""
        with self._searching() as searcher:
            return {subject for subject in subjects if not self._is_there(searcher, subject)}

    def _is_there(self, searcher: ldap3.Connection, subject: str) -> bool:
        name = self._settings.subject_attribute
        value = escaped(subject)
        if name.casefold() in _BINARY_IDS:
            value = "".join(f"\\{byte:02x}" for byte in bytes.fromhex(subject))
        wanted = f"({name}={value})"
        rows = self._search(searcher, self._settings.base_dn, wanted, [], size=2)
        return len(rows) == 1 and not self._is_disabled(searcher, rows[0][0])

    def _is_disabled(self, searcher: ldap3.Connection, dn: str) -> bool:
        wanted = self._settings.disabled_filter
        if not wanted:
            return False
        return bool(self._search(searcher, dn, wanted, [], size=1, scope=ldap3.BASE))

    def _found(self, searcher: ldap3.Connection, username: str) -> Entry | None:
        settings = self._settings
        attributes = [
            settings.username_attribute,
            settings.subject_attribute,
            settings.display_name_attribute,
            settings.email_attribute,
            *([settings.group_attribute] if settings.group_attribute else []),
        ]
        wanted = filled(settings.user_filter, username=username)
        rows = self._search(searcher, settings.base_dn, wanted, attributes, size=2)
        if len(rows) != 1:
            return None  # nobody, or a filter that does not tell people apart
        dn, values = rows[0]
        if self._is_disabled(searcher, dn):
            return None
        return Entry(
            dn=dn,
            subject=_subject(values, settings.subject_attribute),
            username=_first(values, settings.username_attribute),
            display_name=_first(values, settings.display_name_attribute),
            email=_first(values, settings.email_attribute),
            groups=self._groups(searcher, dn, values),
        )

    def _groups(
        self, searcher: ldap3.Connection, dn: str, values: Mapping[str, Sequence[bytes]]
    ) -> frozenset[str]:
        settings = self._settings
        if settings.group_base_dn:
            wanted = filled(settings.group_filter, dn=dn)
            rows = self._search(searcher, settings.group_base_dn, wanted, [], size=MOST_GROUPS)
            return frozenset(folded_dn(group) for group, _ in rows)
        raw = values.get(settings.group_attribute.casefold(), ())
        return frozenset(folded_dn(one.decode("utf-8", "replace")) for one in raw[:MOST_GROUPS])

    # ---- the conversation ------------------------------------------------------------------

    @contextmanager
    def _searching(self) -> Iterator[ldap3.Connection]:
        """A connection as the searching account, to the first server that answers."""
        settings = self._settings
        failures: list[str] = []
        for place in self._places:
            server = self._server(place)
            try:
                searcher = self._connected(
                    server, settings.bind_dn, settings.bind_password.get_secret_value()
                )
            except _TROUBLE as error:
                failures.append(f"{place.host}:{place.port}: {type(error).__name__}")
                continue
            try:
                yield searcher
            except _TROUBLE as error:
                log.error("A conversation with the directory broke.", reason=type(error).__name__)
                raise DirectoryDown(type(error).__name__) from error
            finally:
                _close(searcher)
            return
        log.error("No server of the directory can be asked.", failures=failures)
        raise DirectoryDown("; ".join(failures))

    def _server(self, place: Place) -> ldap3.Server:
        return ldap3.Server(
            place.host,
            port=place.port,
            use_ssl=place.is_tls,
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=self._settings.seconds,
            mode=ldap3.IP_SYSTEM_DEFAULT,
        )

    def _connected(self, server: ldap3.Server, dn: str, password: str) -> ldap3.Connection:
        """An encrypted connection on which this account is bound; LDAPException otherwise."""
        connection = ldap3.Connection(
            server,
            user=dn or None,
            # As bytes: text is "prepared" on the way, and may arrive empty, that is as nobody's.
            password=password.encode() or None,  # type: ignore[arg-type]
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            auto_bind=ldap3.AUTO_BIND_NONE,
            client_strategy=ldap3.SYNC,
            auto_referrals=False,
            read_only=True,
            raise_exceptions=True,
            check_names=False,
            receive_timeout=self._settings.seconds,
        )
        try:
            connection.open()
            if not server.ssl:
                connection.start_tls()
            connection.bind()
        except BaseException:
            _close(connection)
            raise
        return connection

    def _binds(self, server: ldap3.Server, dn: str, password: str) -> bool:
        """Whether this is the password of the account."""
        try:
            connection = self._connected(server, dn, password)
        except LDAPInvalidCredentialsResult:
            return False
        except LDAPException as error:
            if getattr(error, "result", None) is None:
                raise
            return False  # an answer, such as "locked" or "must change first": not in
        _close(connection)
        return True

    def _search(
        self,
        searcher: ldap3.Connection,
        base: str,
        wanted: str,
        attributes: Sequence[str],
        *,
        size: int,
        scope: Literal["BASE", "SUBTREE"] = ldap3.SUBTREE,
    ) -> list[tuple[str, dict[str, Sequence[bytes]]]]:
        try:
            searcher.search(
                base,
                wanted,
                search_scope=scope,
                attributes=list(attributes) or None,
                size_limit=size,
                time_limit=self._settings.seconds,
            )
        except LDAPSizeLimitExceededResult as error:
            answer = error.response
        except LDAPNoSuchObjectResult:
            return []
        else:
            answer = searcher.response
        return [
            (row["dn"], {name.casefold(): raw for name, raw in row["raw_attributes"].items()})
            for row in answer or []
            if row["type"] == "searchResEntry"
        ]


def _close(connection: ldap3.Connection) -> None:
    with suppress(*_TROUBLE):
        connection.unbind()
    if connection.socket is not None:
        connection.socket.close()


def _first(values: Mapping[str, Sequence[bytes]], name: str) -> str:
    raw = values.get(name.casefold(), ())
    return raw[0].decode("utf-8", "replace") if raw else ""


def _subject(values: Mapping[str, Sequence[bytes]], name: str) -> str:
    """The lasting id: text, or hexadecimal for the one that an Active Directory keeps in binary."""
    raw = values.get(name.casefold(), ())
    if not raw:
        return ""
    return raw[0].hex() if name.casefold() in _BINARY_IDS else raw[0].decode("utf-8", "replace")
