"""A real OpenLDAP server of a test's own: people, groups, encryption, and ways to change it all."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ldap3
from ldap3.core.exceptions import LDAPException

from tests.support.certificates import Authority
from tests.support.waiting import eventually_sync

BINARY: Final = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:/usr/lib/openldap:/usr/bin")
SCHEMAS: Final = Path("/etc/ldap/schema")
BASE: Final = "dc=corp,dc=test"
ROOT: Final = f"cn=root,{BASE}"
SEARCHER: Final = f"cn=searcher,{BASE}"
PASSWORD: Final = "directory password"
SEARCHER_PASSWORD: Final = "the searcher's own"
OPS: Final = f"cn=Ops,ou=groups,{BASE}"
DEV: Final = f"cn=dev,ou=groups,{BASE}"

_CONFIG: Final = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.1 NAME 'windowsAccount'
  SUP top AUXILIARY MAY userAccountControl )
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {ca_file}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {certificate}
allow bind_anon_cred
disallow bind_anon
security simple_bind=128
database mdb
maxsize 16777216
suffix "{base}"
rootdn "{root}"
rootpw {password}
directory {folder}/data
index objectClass,uid eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{searcher}" read by anonymous auth by * none
"""

_PEOPLE: Final = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: {SEARCHER}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: searcher
userPassword: {SEARCHER_PASSWORD}
"""


def dn_of(uid: str) -> str:
    """Where a person is."""
    return f"uid={uid},ou=people,{BASE}"


@dataclass
class Slapd:
    """A running server; `url` begins encrypted, `plain_url` needs StartTLS."""

    url: str
    plain_url: str
    ca_file: Path

    def add_person(self, uid: str, *, password: str = PASSWORD, **more: str) -> str:
        """Somebody new; gives the lasting id."""
        attributes = {"cn": uid, "sn": uid, "uid": uid, "userPassword": password, **more}
        with self._as_root() as root:
            root.add(dn_of(uid), ["inetOrgPerson"], attributes)  # type: ignore[no-untyped-call]
            root.search(dn_of(uid), "(uid=*)", attributes=["entryUUID"])
            return str(root.entries[0].entryUUID)

    def set_groups(self, groups: Mapping[str, list[str]]) -> None:
        """Which groups there are, with whom in them."""
        with self._as_root() as root:
            root.search(f"ou=groups,{BASE}", "(objectClass=groupOfNames)")
            for entry in list(root.entries):
                root.delete(entry.entry_dn)  # type: ignore[no-untyped-call]
            for dn, members in groups.items():
                root.add(dn, ["groupOfNames"], {"member": [dn_of(uid) for uid in members]})  # type: ignore[no-untyped-call]

    def change(self, uid: str, **attributes: str) -> None:
        """Other values of attributes."""
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in attributes.items()}
        with self._as_root() as root:
            root.modify(dn_of(uid), changes)  # type: ignore[no-untyped-call]

    def disable(self, uid: str) -> None:
        """What an Active Directory does to somebody who left."""
        with self._as_root() as root:
            root.modify(  # type: ignore[no-untyped-call]
                dn_of(uid),
                {
                    "objectClass": [(ldap3.MODIFY_ADD, ["windowsAccount"])],
                    "userAccountControl": [(ldap3.MODIFY_REPLACE, ["514"])],
                },
            )

    def remove(self, uid: str) -> None:
        """Takes somebody away."""
        with self._as_root() as root:
            root.delete(dn_of(uid))  # type: ignore[no-untyped-call]

    @contextmanager
    def _as_root(self) -> Iterator[ldap3.Connection]:
        host, _, port = self.url.removeprefix("ldaps://").partition(":")
        server = ldap3.Server(host, port=int(port), use_ssl=True, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, PASSWORD, raise_exceptions=True)
        try:
            connection.open()
            connection.bind()
            yield connection
            connection.unbind()
        finally:
            if connection.socket is not None:
                connection.socket.close()


@contextmanager
def started(folder: Path) -> Iterator[Slapd]:
    """A server on free ports of this machine, with its data in the folder."""
    assert BINARY is not None
    (folder / "data").mkdir(parents=True)
    authority = Authority(folder)
    authority.server("localhost")
    config = folder / "slapd.conf"
    config.write_text(
        _CONFIG.format(
            schemas=SCHEMAS,
            folder=folder,
            ca_file=authority.ca_file,
            certificate=folder / "localhost.pem",
            base=BASE,
            root=ROOT,
            password=PASSWORD.join('""'),
            searcher=SEARCHER,
        )
    )
    people = folder / "people.ldif"
    people.write_text(_PEOPLE)
    subprocess.run(
        [BINARY, "-T", "add", "-f", str(config), "-l", str(people)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    plain, encrypted = _free_port(), _free_port()
    listening = f"ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{encrypted}"
    process = subprocess.Popen(
        [BINARY, "-f", str(config), "-h", listening, "-d", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Slapd(f"ldaps://localhost:{encrypted}", f"ldap://localhost:{plain}", authority.ca_file)
    try:
        _wait(server)
        yield server
    finally:
        process.kill()
        process.wait(timeout=10)


def _wait(server: Slapd) -> None:
    def answers() -> bool:
        try:
            with server._as_root():
                return True
        except LDAPException:
            return False

    eventually_sync(answers, message="slapd does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
