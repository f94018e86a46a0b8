"""Licences: one name for each, and what may go together into a published set.

spdx("CC BY 4.0")                      # 'CC-BY-4.0', an identifier of https://spdx.org/licenses
check(["CC-BY-4.0", ""], "publish")    # UserError: one story's licence is not known
Ledger                                 # stories, characters and attributions by source and licence; add and merge
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from corpora.errors import UserError

Purpose = Literal["publish", "train"]

_ALIASES = {
    "APACHE": "Apache-2.0",
    "APACHE-2": "Apache-2.0",
    "CC-0": "CC0-1.0",
    "CC-ZERO": "CC0-1.0",
    "CC0": "CC0-1.0",
    "CDLA-PERMISSIVE": "CDLA-Permissive-2.0",
    "CDLA-SHARING": "CDLA-Sharing-1.0",
    "GFDL": "GFDL-1.3-or-later",
    "GPL": "GPL-3.0-or-later",
    "GPL-2.0+": "GPL-2.0-or-later",
    "GPL-3.0+": "GPL-3.0-or-later",
    "ODBL": "ODbL-1.0",
    "ODC-BY": "ODC-By-1.0",
    "PDDL": "PDDL-1.0",
    "PUBLIC-DOMAIN": "LicenseRef-Public-Domain",
    "ALL-RIGHTS-RESERVED": "LicenseRef-All-Rights-Reserved",
    "NO-LICENSE": "",
    "NONE": "",
    "OTHER": "",
    "UNKNOWN": "",
}
_COMMONS = re.compile(r"CC-(BY(?:-NC)?(?:-SA|-ND)?|BY-(?:SA|ND)-NC)(?:-(\d\.\d))?(?:-(?:INTERNATIONAL|UNPORTED|DEED))?")
_ADDRESS = re.compile(r"https?://creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)|publicdomain/(zero|mark)/1\.0)")
_NAMES = ("CREATIVE-COMMONS", "ATTRIBUTION", "SHARE-ALIKE", "SHAREALIKE", "NON-COMMERCIAL", "NONCOMMERCIAL")
_SHORT = ("CC", "BY", "SA", "SA", "NC", "NC")
_FAMILIES = {
    "CC-BY-SA-1": "CC BY-SA 1.0",
    "CC-BY-SA": "CC BY-SA",
    "CC-BY-NC-SA": "CC BY-NC-SA",
    "CDLA-Sharing": "CDLA-Sharing",
    "GFDL": "GFDL",
    "GPL": "GPL",
    "AGPL": "AGPL",
    "LGPL": "LGPL",
    "ODbL": "ODbL",
}
"""Licences that ask for the same licence again, by how their identifiers begin; versions of one go together."""


def spdx(license: str) -> str:
    """The SPDX identifier of a licence as people, footers and the Hub write it; empty where they say it is unknown.

    A Creative Commons licence without a version is taken as 4.0. UserError for one that is not known.
    """
    written = license.strip().strip("[]").strip()
    if match := _ADDRESS.match(written.lower()):
        kind, version, public = match.groups()
        if public:
            return "CC0-1.0" if public == "zero" else "LicenseRef-Public-Domain"
        return f"CC-{kind.upper()}-{version}"
    plain = re.sub(r"[\s_-]+", "-", re.sub(r"(?i)\s*licen[sc]e\b|,|\bversion\b", " ", written)).strip("-").upper()
    for name, short in zip(_NAMES, _SHORT, strict=True):
        plain = plain.replace(name, short)
    if not plain or plain in _ALIASES:
        return _ALIASES.get(plain, "")
    if match := _COMMONS.fullmatch(plain):
        kind = {"BY-SA-NC": "BY-NC-SA", "BY-ND-NC": "BY-NC-ND"}.get(match[1], match[1])
        return f"CC-{kind}-{match[2] or '4.0'}"
    return _registered(written) or _registered(plain) or _unknown(license)


def _registered(name: str) -> str:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(name))
    except InvalidLicenseExpression:
        return ""


def _unknown(license: str) -> str:
    raise UserError(
        f"the licence {license!r} is not known; write its identifier from https://spdx.org/licenses, e.g. CC-BY-4.0, "
        "or LicenseRef-NAME for one that has none."
    )


def check(licenses: Iterable[str], purpose: Purpose) -> None:
    """UserError, with the reason and what to do, if stories under these licences cannot be used together so.

    For "publish" every licence has to be known and has to allow sharing changed texts with anybody, and at most one
    family of licences may ask for itself again. For "train", on one's own machine, only "all rights reserved" is
    refused. This holds common licences' plain terms and is no legal advice.

    Args:
        licenses: SPDX identifiers; empty for unknown.
        purpose: what the stories are used for.
    """
    found = sorted({spdx(license) for license in licenses})
    instead = "leave those stories out, or do not publish the set"
    for license in found:
        if license == "LicenseRef-All-Rights-Reserved":
            raise UserError(
                "all rights of some stories are reserved, so they may not be used; leave those stories out."
            )
        if purpose == "train":
            continue
        if not license:
            raise UserError(
                "the licence of some stories is not known, so nobody may be given them; pass --source.license if you "
                f"know it, else {instead}."
            )
        if re.search(r"-NC\b", license):
            raise UserError(
                f"{license} forbids commercial use, and a published set cannot hold others to that; {instead}."
            )
        if re.search(r"-ND\b", license):
            raise UserError(f"{license} forbids sharing changed texts, and cleaning changes them; {instead}.")
    families = {name: license for license in found if (name := _family(license))}
    if purpose == "publish" and len(families) > 1:
        raise UserError(
            f"{' and '.join(families.values())} each ask that the whole be shared under themselves alone; publish one "
            "data set for each."
        )


def _family(license: str) -> str:
    """The family of a licence that asks for itself again; empty if it does not."""
    return next((name for start, name in _FAMILIES.items() if license.startswith(start)), "")


def hub_name(license: str) -> str:
    """The Hub's name for a licence: the SPDX identifier in lower case, `other` or `unknown`."""
    if not license:
        return "unknown"
    return "other" if license.startswith("LicenseRef-") or " " in license else license.lower()


def address(license: str) -> str:
    """Where a licence's terms stand; empty if it has no page."""
    if match := re.fullmatch(r"CC-([A-Z-]+)-(\d\.\d)", license):
        return f"https://creativecommons.org/licenses/{match[1].lower()}/{match[2]}/"
    if license == "CC0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    return f"https://spdx.org/licenses/{license}.html" if license and not license.startswith("LicenseRef-") else ""
