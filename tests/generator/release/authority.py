"""A certificate authority for one test, and a certificate for this machine."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def write(folder):
    """Paths of the authority's certificate, and of a server's certificate and key."""
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _builder("test authority", ca_key, "test authority")
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    server = _builder("localhost", server_key, "test authority")
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = server.add_extension(x509.SubjectAlternativeName(names), critical=False)
    parts = {
        "ca.pem": _pem(ca.sign(ca_key, hashes.SHA256())),
        "server.pem": _pem(server.sign(ca_key, hashes.SHA256())),
        "server.key": server_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    }
    for name, content in parts.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in parts)


def _builder(subject, key, issuer):
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
