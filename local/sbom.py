"""The list of parts of an installation, as CycloneDX JSON: `python -m local.sbom FILE` (ECMA-424, version 1.6).

It is made from the lock, so it names what is installed and nothing else, with the hashes pip holds the files against;
and it names no address, since where files come from is each machine's own affair.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from packaging.requirements import Requirement

from local.processes import CHECKOUT

LOCK = CHECKOUT / "requirements" / "app.txt"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# Long texts and old words that packages give in place of an SPDX name.
_WORDS = {
    "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0", "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0", "bsd": "BSD-3-Clause", "bsd license": "BSD-3-Clause",
    "mit license": "MIT", "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0", "mpl 2.0": "MPL-2.0",
    "isc license (iscl)": "ISC", "python software foundation license": "PSF-2.0", "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause", "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
}  # fmt: skip


def pins(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of everything a lock names."""
    found = {}
    for block in re.split(r"\n(?=\S)", lock.read_text(encoding="utf-8")):
        if pin := _PIN.match(block):
            found[canonical(pin[1])] = (pin[2], _HASH.findall(block))
    return found


def canonical(name: str) -> str:
    """A name as the index writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: str) -> str:
    """The licence of an installed package as an SPDX expression; empty when it is not installed or says none."""
    try:
        told: Any = distribution(package).metadata
    except PackageNotFoundError:
        return ""  # for other machines than this one
    if expression := told.get("License-Expression"):
        return str(expression)
    names = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if line.startswith("License ::")]
    said = [name for name in names if name != "OSI Approved"] or [str(told.get("License") or "")]
    known = sorted({_WORDS.get(name.strip().lower(), name.strip()) for name in said if "\n" not in name})
    return " OR ".join(filter(None, known))


def _needs(package: str, known: dict[str, Any]) -> list[str]:
    try:
        found: Distribution = distribution(package)
    except PackageNotFoundError:
        return []
    asked = [Requirement(line) for line in found.requires or []]
    there = [need for need in asked if need.marker is None or need.marker.evaluate({"extra": ""})]
    return sorted({canonical(need.name) for need in there} & known.keys())


def bill_of_materials(lock: Path = LOCK) -> dict[str, Any]:
    """The whole document; the same lock always gives the same."""
    known = pins(lock)
    refs = {name: f"pkg:pypi/{name}@{version}" for name, (version, _) in known.items()}
    ours = distribution("scriptorium")
    me = f"pkg:pypi/scriptorium@{ours.version}"
    parts = []
    for name, (version, hashes) in known.items():
        part: dict[str, Any] = {
            "type": "library",
            "bom-ref": refs[name],
            "name": name,
            "version": version,
            "purl": refs[name],
            "hashes": [{"alg": "SHA-256", "content": value} for value in hashes],
        }
        if expression := licence(name):
            part["licenses"] = [{"expression": expression}]
        parts.append(part)
    direct = {canonical(Requirement(line).name) for line in ours.requires or [] if "extra ==" not in line}
    edges = {me: sorted(direct & known.keys()), **{refs[name]: _needs(name, known) for name in known}}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, lock.read_text(encoding='utf-8'))}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": me,
                "name": "scriptorium",
                "version": ours.version,
                "licenses": [{"expression": "MIT"}],
            }
        },
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": [refs[name] for name in needs]} for ref, needs in edges.items()],
    }


def main(arguments: list[str]) -> int:
    """Write it where the one argument says."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m local.sbom FILE\n")
        return 2
    target = Path(arguments[0])
    made = bill_of_materials()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{target}: {len(made['components'])} parts")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
