"""A gîte's information as clients see it: five sections, the same in every layout.

A section's struct is read, validated and sent in one shape. Between it and the database stands a
flat mapping by the names of the wide table's columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import time
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from reference_app.information.columns import (
    CONTACT_PARTS,
    CONTACTS,
    LANGUAGES,
    TEXTS,
    ContactType,
    Language,
)
from reference_app.problems import FieldError, invalid

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Short = Annotated[str, Meta(max_length=255)]
Long = Annotated[str, Meta(max_length=10_000)]
Code = Annotated[str, Meta(max_length=100)]
Phone = Annotated[str, Meta(max_length=20)]
Colour = Annotated[str, Meta(pattern="^#[0-9a-fA-F]{6}$", max_length=7)]
# one zone a line of the stored text
Zone = Annotated[str, Meta(min_length=1, max_length=255, pattern="^[^\\n\\r]+$")]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Count = Annotated[int, Meta(ge=0, le=1000)]
Amount = Annotated[float, Meta(ge=0, le=99_999_999)]
Hour = Annotated[time, Meta(tz=False)]

Section = Literal["core", "wifi", "instructions", "equipment", "contacts"]
SECTIONS: tuple[Section, ...] = get_args(Section)


class Core(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The house: what it is called, where it stands, how many it sleeps."""

    nom: Name
    adresse: Long = ""
    ville: Code | None = None
    code_postal: Annotated[str, Meta(max_length=10)] | None = None
    pays: Annotated[str, Meta(max_length=50)] = "France"
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    capacite_personnes: Count | None = None
    nombre_chambres: Count | None = None
    photo_url: Short | None = None
    couleur_calendrier: Colour = "#3b82f6"
    actif: bool = True
    telephone_urgence: Phone | None = None
    email_contact: Short | None = None


class Wifi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to get into the network."""

    ssid: Short | None = None
    password: Short | None = None
    qr_code_url: Short | None = None
    debit_approximatif: Annotated[str, Meta(max_length=50)] | None = None
    localisation_box: Long | None = None
    zones_reception: Annotated[Sequence[Zone], Meta(max_length=50)] = ()


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said in one language."""

    consignes_arrivee: Long | None = None
    consignes_sejour: Long | None = None
    consignes_sortie: Long | None = None
    instructions_parking: Long | None = None
    consignes_chauffage: Long | None = None
    consignes_cuisine: Long | None = None
    consignes_tv: Long | None = None
    consignes_machine_laver: Long | None = None
    consignes_piscine: Long | None = None
    consignes_poubelles: Long | None = None


class Instructions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to arrive, stay and leave; hours and codes are the same in both languages."""

    heure_arrivee: Hour = time(16)
    heure_depart: Hour = time(10)
    code_acces: Code | None = None
    emplacement_cles: Long | None = None
    fr: Texts = Texts()
    en: Texts = Texts()


class Equipment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the house."""

    acces_handicape: bool = False
    animaux_acceptes: bool = False
    animaux_supplement: Amount | None = None
    chauffage_type: Code | None = None
    chauffage_thermostat: Code | None = None
    type_machine_cafe: Annotated[str, Meta(max_length=50)] | None = None
    a_lave_vaisselle: bool = False
    a_four: bool = True
    a_micro_ondes: bool = True
    type_plaques: Annotated[str, Meta(max_length=50)] | None = None
    a_tv: bool = True
    netflix: bool = False
    netflix_login: Short | None = None
    amazon_prime: bool = False
    disney_plus: bool = False
    streaming_codes: Long | None = None
    a_console: bool = False
    a_machine_laver: bool = False
    a_seche_linge: bool = False
    a_barbecue: bool = False
    a_piscine: bool = False
    piscine_chauffee: bool = False
    a_spa: bool = False
    a_cheminee: bool = False
    a_jardin: bool = False


class Contact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody to call; at least one of the four is known."""

    type: ContactType
    nom: Code | None = None
    telephone: Phone | None = None
    adresse: Long | None = None
    disponibilite: Short | None = None


class Information(msgspec.Struct, frozen=True):
    """Everything a guest may want to know of a gîte."""

    unit_id: UUID
    core: Core
    wifi: Wifi
    instructions: Instructions
    equipment: Equipment
    contacts: Sequence[Contact]


class InformationChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sections to replace as a whole; the others stay as they are."""

    core: Core | UnsetType = UNSET
    wifi: Wifi | UnsetType = UNSET
    instructions: Instructions | UnsetType = UNSET
    equipment: Equipment | UnsetType = UNSET
    contacts: Annotated[Sequence[Contact], Meta(max_length=len(CONTACTS))] | UnsetType = UNSET


_WIFI = {
    "ssid": "wifi_ssid",
    "password": "wifi_password",
    "qr_code_url": "wifi_qr_code",
    "debit_approximatif": "wifi_debit_approximatif",
    "localisation_box": "wifi_localisation_box",
}
_ARRIVAL = ("heure_arrivee", "heure_depart", "code_acces", "emplacement_cles")

NAMES: dict[Section, tuple[str, ...]] = {
    "core": Core.__struct_fields__,
    "wifi": (*_WIFI.values(), "wifi_zones_reception"),
    "instructions": (
        *_ARRIVAL,
        *(f"{text}_{language}" for language in LANGUAGES for text in TEXTS),
    ),
    "equipment": Equipment.__struct_fields__,
    "contacts": tuple(name for names in CONTACTS.values() for name in names),
}
"""The wide columns of each section."""


# from the database ------------------------------------------------------------------------


def read_core(row: Mapping[str, Any]) -> Core:
    """The section from wide columns by name."""
    return Core(*(_plain(row[name]) for name in NAMES["core"]))


def read_wifi(row: Mapping[str, Any]) -> Wifi:
    """The section from wide columns by name."""
    lines: str | None = row["wifi_zones_reception"]
    return Wifi(
        **{field: row[name] for field, name in _WIFI.items()},
        zones_reception=lines.split("\n") if lines else (),
    )


def read_texts(row: Mapping[str, Any], language: Language) -> Texts:
    """What is said in one language, from wide columns by name."""
    return Texts(*(row[f"{text}_{language}"] for text in TEXTS))


def read_instructions(row: Mapping[str, Any]) -> Instructions:
    """The section from wide columns by name."""
    return Instructions(
        **{name: row[name] for name in _ARRIVAL},
        fr=read_texts(row, "fr"),
        en=read_texts(row, "en"),
    )


def read_equipment(row: Mapping[str, Any]) -> Equipment:
    """The section from wide columns by name."""
    return Equipment(*(_plain(row[name]) for name in NAMES["equipment"]))


def read_contacts(row: Mapping[str, Any]) -> list[Contact]:
    """The contacts of whom something is known, in a fixed order."""
    found = ((kind, [row[name] for name in names]) for kind, names in CONTACTS.items())
    return [Contact(kind, *parts) for kind, parts in found if parts != [None] * len(parts)]


def read_information(unit_id: UUID, row: Mapping[str, Any]) -> Information:
    """All sections."""
    return Information(
        unit_id,
        read_core(row),
        read_wifi(row),
        read_instructions(row),
        read_equipment(row),
        read_contacts(row),
    )


def _plain(value: Any) -> Any:
    # Places and amounts have so few digits that a float gives each of them back.
    return value if value is None or isinstance(value, str | bool | int) else float(value)


# to the database --------------------------------------------------------------------------


def given_sections(change: InformationChange) -> tuple[Section, ...]:
    """The sections that are to be replaced."""
    return tuple(name for name in SECTIONS if getattr(change, name) is not UNSET)


def to_columns(change: InformationChange) -> dict[str, Any]:
    """New values by wide column, all columns of the sections that are given.

    Raises:
        Problem: 400; a contact says nothing, or is there twice.
    """
    return {
        name: value
        for section in given_sections(change)
        for name, value in _COLUMNS_OF[section](getattr(change, section))
    }


def _same_names(section: Core | Equipment) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(section, name)) for name in section.__struct_fields__)


def _wifi_columns(wifi: Wifi) -> Iterator[tuple[str, Any]]:
    for field, name in _WIFI.items():
        yield name, getattr(wifi, field)
    yield "wifi_zones_reception", "\n".join(wifi.zones_reception) or None


def _instruction_columns(instructions: Instructions) -> Iterator[tuple[str, Any]]:
    for name in _ARRIVAL:
        yield name, getattr(instructions, name)
    for language in LANGUAGES:
        texts: Texts = getattr(instructions, language)
        for text in TEXTS:
            yield f"{text}_{language}", getattr(texts, text)


def _contact_columns(contacts: Sequence[Contact]) -> Iterator[tuple[str, Any]]:
    by_type = {contact.type: contact for contact in contacts}
    if len(by_type) < len(contacts):
        raise invalid(FieldError("contacts", "one contact of a type"))
    for kind, names in CONTACTS.items():
        contact = by_type.get(kind, Contact(kind))
        parts = [getattr(contact, part) for part in CONTACT_PARTS]
        if kind in by_type and parts == [None] * len(parts):
            raise invalid(
                FieldError("contacts", f"{kind}: {', '.join(CONTACT_PARTS)}: one is needed")
            )
        yield from zip(names, parts, strict=True)


_COLUMNS_OF: dict[Section, Any] = {
    "core": _same_names,
    "wifi": _wifi_columns,
    "instructions": _instruction_columns,
    "equipment": _same_names,
    "contacts": _contact_columns,
}
