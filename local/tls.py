"""A certificate authority of this state alone and the certificate it gives the local site."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.addresses import is_everywhere
from local.folders import write_private

CA_DAYS, LEAF_DAYS, RENEW_DAYS = 3650, 90, 30


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def certify(folder: Path, hosts: Collection[str]) -> None:
    """Keep `certificate.pem`, `key.pem` and the authority's `ca.pem` in `folder`, valid for `hosts` and loopback.

    What is there is kept until it misses a host or has less than 30 days left, so that a browser told to trust the
    authority once stays content.
    """
    names = {host.strip("[]") for host in hosts if not is_everywhere(host)}
    names |= {"localhost", "127.0.0.1", "::1"} | ({socket.gethostname()} if len(names) < len(hosts) else set())
    if not _is_good(folder / "certificate.pem", names):
        authority = _authority(folder)
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(folder / "key.pem", _pem(key))
        chain = (_leaf(authority, key, names), authority.certificate)
        write_private(folder / "certificate.pem", "".join(part.public_bytes(Encoding.PEM).decode() for part in chain))


def _is_good(path: Path, names: Collection[str]) -> bool:
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(name.value) for name in held}
    left = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
    return known >= set(names) and left > dt.timedelta(days=RENEW_DAYS)


def _authority(folder: Path) -> Authority:
    if not ((folder / "ca.pem").exists() and (folder / "ca.key").exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(folder / "ca.key", _pem(key))
        write_private(folder / "ca.pem", _ca_certificate(key).public_bytes(Encoding.PEM).decode())
    loaded = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{folder / 'ca.key'} is not a key made here")
    return Authority(x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()), loaded)


def _ca_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Scriptorium local authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(authority: Authority, key: ec.EllipticCurvePrivateKey, names: Collection[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return (
        _builder(subject, authority.certificate.subject, key.public_key(), LEAF_DAYS)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in sorted(names)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
