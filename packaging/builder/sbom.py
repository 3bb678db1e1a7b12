# SPDX-License-Identifier: EUPL-1.2
"""A CycloneDX 1.6 bill of materials of each frozen folder, and the licences page's list made from the same components.

The same build gives the same bytes: the time is `places.epoch`, the serial number a UUID of the content.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import contents
import parts
from contents import Frozen
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from parts import Part
from places import OUT, epoch, version

from app import licences

_NAMESPACE = uuid.UUID("6f0b7a52-3a41-5d0e-9b43-6a8f0c1f5a10")


def make(frozen: Frozen) -> Path:
    """Writes the bill into build/packages, and into the folder the licences: the client's page, the server's text."""
    there = contents.read(frozen)
    program, found = parts.ours(frozen, there), parts.of(frozen, there)
    listed = licences.ordered([licences.own()[0], *(c for part in found for c in _flat(part))])
    if frozen.name == "kansli":
        (frozen.folder / contents.PAGE).write_bytes(licences.encode(listed))
    else:
        (frozen.folder / contents.TEXT).write_text(_readable(listed), encoding="utf-8")
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{frozen.name}-{version()}-{frozen.target.name}-x86_64.cdx.json"
    path.write_text(document(program, found, frozen.target.name), encoding="utf-8")
    return path


def document(program: Part, found: tuple[Part, ...], system: str) -> str:
    """The bill as JSON. SystemExit if the schema refuses it."""
    root = _component(program, "")
    bom = Bom(
        components=[_component(part, "") for part in found],
        metadata=BomMetaData(
            component=root,
            timestamp=datetime.fromtimestamp(epoch(), UTC),
            properties=[Property(name="kansli:system", value=f"{system}-x86_64")],
        ),
        serial_number=uuid.UUID(int=0),
    )
    by_name = {c.purl.name: c for c in bom.components if c.purl is not None and c.purl.type == "pypi"}
    bom.register_dependency(root, bom.components)
    for part, component in ((p, by_name[p.purl.name]) for p in found if p.purl.type == "pypi"):
        bom.register_dependency(component, [by_name[name] for name in part.needs if name in by_name])
    bom.serial_number = uuid.uuid5(_NAMESPACE, _text(bom))
    text = _text(bom)
    fault = broken_rule(text)
    if fault is not None:
        raise SystemExit(f"packages: the bill of materials breaks CycloneDX 1.6: {fault}")
    return text


def broken_rule(text: str) -> str | None:
    """What in a bill of materials (JSON) breaks the schema of CycloneDX 1.6; None if it keeps it."""
    # only here: what reads the schema takes a second to import
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return str(fault) if fault is not None else None


def _text(bom: Bom) -> str:
    document = _sorted(json.loads(JsonV1Dot6(bom).output_as_string()))
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _sorted(value: object) -> object:
    """Every array of a bill is a set, and the library gives some in the order of their hashes, another in each run."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value


def _readable(listed: tuple[licences.Component, ...]) -> str:
    """Every part's name, version and licence, then every text once with the names that it is for."""
    users: dict[str, list[str]] = {}
    for component in listed:
        for text in component.texts:
            users.setdefault(text, []).append(component.name)
    rows = (f"{c.name} {c.version}".strip() + f": {c.licence}" + f" (in {c.within})" * bool(c.within) for c in listed)
    texts = (f"{'=' * 80}\n{', '.join(dict.fromkeys(names))}\n\n{text.strip()}\n" for text, names in users.items())
    return "\n".join([*rows, "", *texts])


def _component(part: Part, above: str) -> Component:
    reference = f"{above}{part.purl.to_string()}"
    return Component(
        type=ComponentType(part.kind),
        name=part.component.name,
        version=part.component.version or None,
        bom_ref=reference,
        purl=part.purl,
        licenses=[LicenseExpression(part.component.licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=part.sha256)] if part.sha256 else [],
        evidence=ComponentEvidence(occurrences=[Occurrence(location=name) for name in part.files])
        if part.files
        else None,
        components=[_component(inner, f"{reference}#") for inner in part.within],
    )


def _flat(part: Part) -> list[licences.Component]:
    return [part.component, *(inner.component for inner in part.within)]
