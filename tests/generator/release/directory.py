"""A directory server (slapd) on loopback with people, one group and TLS."""

import contextlib
import socket
import subprocess
import time

from tests.loopback import free_port

BASE = "dc=example,dc=com"
BIND_USER = f"cn=reader,{BASE}"
BIND_PASSWORD = "re'ad\"er{{x}}"
ADMINS = f"cn=admins,ou=groups,{BASE}"

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/slapd.pid
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
security simple_bind=1
database mdb
suffix "{base}"
rootdn "{bind_user}"
rootpw "{password}"
directory {folder}/data
overlay memberof
"""

_ENTRIES = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{BASE}
objectClass: organizationalUnit
ou: groups

dn: uid=ada,ou=people,{BASE}
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
givenName: Ada
sn: Lovelace
mail: ada@example.com
userPassword: analytical
memberOf: {ADMINS}

dn: uid=bob,ou=people,{BASE}
objectClass: inetOrgPerson
uid: bob
cn: Bob
givenName: Bob
sn: Builder
mail: bob@example.com
userPassword: builder

dn: {ADMINS}
objectClass: groupOfNames
cn: admins
member: uid=ada,ou=people,{BASE}
"""


@contextlib.contextmanager
def serve(slapd, folder, ca, certificate, key):
    """Addresses with StartTLS and with TLS from the start; passwords need one of them."""
    (folder / "data").mkdir()
    config = folder / "slapd.conf"
    password = BIND_PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    config.write_text(
        _CONFIG.replace("{base}", BASE)
        .replace("{bind_user}", BIND_USER)
        .replace("{password}", password)
        .replace("{folder}", str(folder))
        .replace("{ca}", str(ca))
        .replace("{certificate}", str(certificate))
        .replace("{key}", str(key))
    )
    entries = folder / "entries.ldif"
    entries.write_text(_ENTRIES)
    add = [slapd, "-T", "add", "-f", str(config), "-l", str(entries)]
    subprocess.run(add, check=True, capture_output=True)
    plain, tls = free_port(), free_port()
    # By number: libldap takes "localhost" for this machine's own name, which no certificate has.
    addresses = (f"ldap://127.0.0.1:{plain}", f"ldaps://127.0.0.1:{tls}")
    log = (folder / "slapd.log").open("wb")
    command = [slapd, "-f", str(config), "-h", " ".join(addresses), "-d", "0"]
    with log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _wait(plain)
            yield addresses
        finally:
            server.terminate()


def _wait(port):
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError("slapd did not start")
