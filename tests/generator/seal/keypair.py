"""A key pair and a controller's side of the cipher, written from the format, not from our code."""

import base64
import datetime
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import NameOID

from generator.seal import certificate

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def private_key(number=0, bits=2048):
    return _key(number, bits)


@functools.cache
def _key(number, bits):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.cache
def elliptic_key():
    return ec.generate_private_key(ec.SECP256R1())


def pem(key=None, *, not_before=NOW - DAY, not_after=NOW + 30 * DAY):
    key = key or private_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sealed-secrets")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def sealing_certificate(number=0):
    return certificate.parse(pem(private_key(number)), "certs/test.pem")


def unseal(ciphertext, label, number=0):
    """Open one ciphertext as the controller does; raises where the controller would refuse."""
    raw = base64.b64decode(ciphertext, validate=True)
    length = raw[0] * 256 + raw[1]
    wrapped, body = raw[2 : 2 + length], raw[2 + length :]
    mask = padding.MGF1(hashes.SHA256())
    session_key = private_key(number).decrypt(
        wrapped, padding.OAEP(mgf=mask, algorithm=hashes.SHA256(), label=label.encode())
    )
    assert len(session_key) == 32
    gcm = modes.GCM(b"\0" * 12, tag=body[-16:])
    opener = Cipher(algorithms.AES(session_key), gcm).decryptor()
    return opener.update(body[:-16]) + opener.finalize()
