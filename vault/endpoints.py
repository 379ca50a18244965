"""What is called of the server's API: only what HashiCorp Vault and OpenBao both document, so that either will do.

No namespaces, no events, no leases-count quotas, no static seal at run time.  `*` stands for one name.  A path that is not
listed here fails the tests, which read every request out of OpenBao's own audit log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SHARED = (
    # the server: https://developer.hashicorp.com/vault/api-docs/system and https://openbao.org/api-docs/system
    "sys/health",
    "sys/seal-status",
    "sys/init",
    "sys/seal",
    "sys/unseal",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/mounts",
    "sys/mounts/*",
    "sys/auth",
    "sys/auth/*",
    "sys/audit",
    "sys/audit/*",
    "sys/policy/*",
    "sys/policies/acl/*",
    "sys/leases/renew",
    "sys/leases/revoke",
    "sys/leases/lookup/database/creds/*",
    "sys/leases/revoke-prefix/database/creds/*",
    "sys/wrapping/lookup",
    "sys/wrapping/unwrap",
    "sys/wrapping/wrap",
    # who signs in
    "auth/approle/login",
    "auth/approle/role/*",
    "auth/approle/role/*/role-id",
    "auth/approle/role/*/secret-id",
    "auth/token/accessors",
    "auth/token/create",
    "auth/token/create/*",
    "auth/token/lookup",
    "auth/token/lookup-accessor",
    "auth/token/lookup-self",
    "auth/token/renew-self",
    "auth/token/revoke",
    "auth/token/revoke-accessor",
    "auth/token/revoke-self",
    "auth/token/roles/*",
    # keys and values, version 2
    "kv/config",
    "kv/data/*/*",
    "kv/data/*",
    "kv/delete/*/*",
    "kv/destroy/*/*",
    "kv/metadata/*/*",
    "kv/metadata/*",
    "kv/undelete/*/*",
    # transit
    "transit/datakey/*/*",
    "transit/decrypt/*",
    "transit/encrypt/*",
    "transit/export/*/*",
    "transit/keys/*",
    "transit/keys/*/config",
    "transit/keys/*/rotate",
    "transit/rewrap/*",
    "transit/sign/*",
    # database logins
    "database/config/*",
    "database/creds/*",
    "database/roles/*",
    "database/rotate-role/*",
    "database/rotate-root/*",
    "database/static-creds/*",
    "database/static-roles/*",
)
_PATTERN = re.compile("|".join(re.escape(path).replace(r"\*", "[^/]+") for path in SHARED))


def unshared(paths: Iterable[str]) -> list[str]:
    """The paths that only one of the two servers may know."""
    return sorted({path for path in paths if not _PATTERN.fullmatch(path.rstrip("/"))})
