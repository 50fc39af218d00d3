"""The map of the gîtes' information: 119 columns, and where each split keeps them (decision 0031).

A column that is added to the wide table and not to this map would be lost in a split; a test holds
the map against the database's own catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, LiteralString

Layout = Literal["wide", "split_json", "split_flat"]
Split = Literal["split_json", "split_flat"]
Language = Literal["fr", "en"]
ContactType = Literal[
    "proprietaire",
    "samu",
    "pompiers",
    "police",
    "medecin",
    "pharmacie",
    "plombier",
    "electricien",
    "veterinaire",
]

LANGUAGES: tuple[Language, ...] = ("fr", "en")

TEXTS: tuple[LiteralString, ...] = (
    "consignes_arrivee",
    "consignes_sejour",
    "consignes_sortie",
    "instructions_parking",
    "consignes_chauffage",
    "consignes_cuisine",
    "consignes_tv",
    "consignes_machine_laver",
    "consignes_piscine",
    "consignes_poubelles",
)
"""What is said in every language; the wide column is the name with ``_fr`` or ``_en``."""

CONTACTS: dict[ContactType, tuple[LiteralString, LiteralString, LiteralString, LiteralString]] = {
    "proprietaire": (
        "nom_proprietaire",
        "telephone_proprietaire",
        "adresse_proprietaire",
        "disponibilite_proprietaire",
    ),
    "samu": ("nom_samu", "telephone_samu", "adresse_samu", "disponibilite_samu"),
    "pompiers": (
        "nom_pompiers",
        "telephone_pompiers",
        "adresse_pompiers",
        "disponibilite_pompiers",
    ),
    "police": ("nom_police", "telephone_police", "adresse_police", "disponibilite_police"),
    "medecin": (
        "medecin_local",
        "telephone_medecin",
        "adresse_medecin",
        "disponibilite_medecin",
    ),
    "pharmacie": (
        "pharmacie_garde",
        "telephone_pharmacie",
        "adresse_pharmacie",
        "disponibilite_pharmacie",
    ),
    "plombier": (
        "plombier_urgence",
        "telephone_plombier",
        "adresse_plombier",
        "disponibilite_plombier",
    ),
    "electricien": (
        "electricien_urgence",
        "telephone_electricien",
        "adresse_electricien",
        "disponibilite_electricien",
    ),
    "veterinaire": (
        "nom_veterinaire",
        "telephone_veterinaire",
        "adresse_veterinaire",
        "disponibilite_veterinaire",
    ),
}
"""The wide columns of each contact: name, telephone, address, hours; in the order of the answer."""

CONTACT_PARTS: tuple[LiteralString, ...] = ("nom", "telephone", "adresse", "disponibilite")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a split keeps a value.

    Attributes:
        source: Alias of the row, see ``SOURCES``.
        column: Column of that row.
        key: Key in the JSONB column; None for a column of its own.
        lines: The column is an array, with an element for each line of the text.
        also: Further rows that hold the same value.
    """

    source: LiteralString
    column: LiteralString
    key: LiteralString | None = None
    lines: bool = False
    also: tuple[LiteralString, ...] = ()


@dataclass(frozen=True, slots=True)
class InContact:
    """The value is part of one contact, and that is a row of its own."""

    type: ContactType
    part: LiteralString


@dataclass(frozen=True, slots=True)
class Source:
    """A row that a split has of every gîte.

    Attributes:
        table: Its table.
        gite: The column with the gîte's id.
        language: The row is the one of this language.
    """

    table: LiteralString
    gite: LiteralString = "gite_id"
    language: Language | None = None


SOURCES: dict[Split, dict[LiteralString, Source]] = {
    "split_json": {
        "core": Source("infos_gites_core"),
        "wifi": Source("infos_gites_wifi"),
        "fr": Source("infos_gites_consignes", language="fr"),
        "en": Source("infos_gites_consignes", language="en"),
        "equipements": Source("infos_gites_equipements"),
        "complements": Source("infos_gites_complements"),
    },
    "split_flat": {
        "base": Source("gites_base", gite="id"),
        "wifi": Source("gites_wifi"),
        "consignes": Source("gites_consignes"),
        "contacts": Source("gites_contacts"),
        "equipements": Source("gites_equipements"),
        "complements": Source("gites_complements"),
    },
}
"""By alias; the first row of a split is the one that says whose gîte it is."""

CONTACTS_TABLE: LiteralString = "infos_gites_contacts"
"""Of ``split_json``: a row for each contact there is."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the wide table.

    Attributes:
        name: Its name there.
        type: Its SQL type.
        default: What it is when nobody said; only of columns that are never null.
        json: Its place in ``split_json``.
        flat: Its place in ``split_flat``.
    """

    name: LiteralString
    type: LiteralString
    default: LiteralString | None
    json: Place | InContact
    flat: Place

    def place(self, split: Split) -> Place | InContact:
        """Where ``split`` keeps it."""
        return self.json if split == "split_json" else self.flat


def _core(
    name: LiteralString,
    type_: LiteralString,
    default: LiteralString | None = None,
    json: Place | None = None,
) -> Column:
    place = Place("complements", "donnees", key=name) if json is None else json
    return Column(name, type_, default, place, Place("base", name))


def _text(topic: LiteralString, language: Language) -> Column:
    # Of the ten texts, source 002 has four in its table of instructions, and manuals in JSONB.
    suffix: LiteralString = "" if language == "fr" else "_en"
    json = {
        "consignes_arrivee": Place(language, "consignes_arrivee"),
        "consignes_sejour": Place(language, "consignes_sejour"),
        "consignes_sortie": Place(language, "consignes_sortie"),
        "instructions_parking": Place(language, "instructions_parking"),
        "consignes_chauffage": Place("equipements", "chauffage", f"mode_emploi{suffix}"),
        "consignes_cuisine": Place("equipements", "cuisine", f"mode_emploi{suffix}"),
        "consignes_tv": Place("equipements", "multimedia", f"mode_emploi{suffix}"),
        "consignes_piscine": Place("equipements", "exterieur", f"mode_emploi_piscine{suffix}"),
        "consignes_machine_laver": Place(
            "equipements", "divers", f"mode_emploi_machine_laver{suffix}"
        ),
        "consignes_poubelles": Place("equipements", "divers", f"poubelles{suffix}"),
    }[topic]
    flat = {
        "consignes_arrivee": Place("consignes", f"instructions_arrivee_{language}"),
        "consignes_sejour": Place("complements", f"consignes_sejour_{language}"),
        "consignes_sortie": Place("consignes", f"checklist_sortie_{language}"),
    }.get(topic, Place("consignes", f"{topic}_{language}"))
    return Column(f"{topic}_{language}", "text", None, json, flat)


def _equipment(
    name: LiteralString,
    column: LiteralString,
    key: LiteralString,
    type_: LiteralString = "boolean",
    default: LiteralString | None = None,
    flat: LiteralString = "equipements",
) -> Column:
    return Column(name, type_, default, Place("equipements", column, key), Place(flat, name))


def _contact(type_: ContactType) -> tuple[Column, ...]:
    # gites_contacts of source 004 has no addresses and hours, and not every name and telephone.
    missing = {"nom_proprietaire", "nom_samu", "nom_pompiers", "nom_police", "telephone_pharmacie"}
    return tuple(
        Column(
            name,
            "text",
            None,
            InContact(type_, part),
            Place(
                "complements"
                if part in ("adresse", "disponibilite") or type_ == "veterinaire" or name in missing
                else "contacts",
                name,
            ),
        )
        for name, part in zip(CONTACTS[type_], CONTACT_PARTS, strict=True)
    )


_BOTH: tuple[LiteralString, ...] = ("en",)

COLUMNS: tuple[Column, ...] = (
    # id and gite_id are one number, checked by the table
    Column("id", "uuid", None, Place("core", "gite_id"), Place("base", "id")),
    Column("gite_id", "uuid", None, Place("core", "gite_id"), Place("base", "id")),
    Column(
        "owner_user_id",
        "uuid",
        None,
        Place("core", "owner_user_id"),
        Place("base", "owner_user_id"),
    ),
    _core("nom", "text", json=Place("core", "nom")),
    _core("adresse", "text", json=Place("core", "adresse_complete")),
    _core("ville", "text"),
    _core("code_postal", "text"),
    _core("latitude", "numeric(10,8)", json=Place("core", "latitude")),
    _core("longitude", "numeric(11,8)", json=Place("core", "longitude")),
    Column("wifi_ssid", "text", None, Place("wifi", "ssid"), Place("wifi", "ssid")),
    Column(
        "wifi_password", "text", None, Place("wifi", "wifi_password"), Place("wifi", "password")
    ),
    Column(
        "wifi_qr_code", "text", None, Place("wifi", "qr_code_url"), Place("wifi", "qr_code_url")
    ),
    _core("pays", "text", "'France'"),
    _core("capacite_personnes", "integer"),
    _core("nombre_chambres", "integer"),
    _core("photo_url", "text"),
    _core("couleur_calendrier", "text", "'#3b82f6'"),
    _core("actif", "boolean", "true"),
    Column(
        "telephone_urgence",
        "text",
        None,
        Place("core", "telephone_urgence"),
        Place("contacts", "telephone_urgence"),
    ),
    Column(
        "email_contact",
        "text",
        None,
        Place("core", "email_contact"),
        Place("contacts", "email_contact"),
    ),
    Column(
        "wifi_debit_approximatif",
        "text",
        None,
        Place("wifi", "debit_approximatif"),
        Place("wifi", "debit_approximatif"),
    ),
    Column(
        "wifi_localisation_box",
        "text",
        None,
        Place("wifi", "localisation_box"),
        Place("wifi", "localisation_box"),
    ),
    Column(
        "wifi_zones_reception",
        "text",
        None,
        Place("wifi", "zones_reception", lines=True),
        Place("wifi", "zones_bonne_reception"),
    ),
    Column(
        "heure_arrivee",
        "time",
        "'16:00'",
        Place("fr", "horaire_arrivee", also=_BOTH),
        Place("consignes", "heure_arrivee"),
    ),
    Column(
        "heure_depart",
        "time",
        "'10:00'",
        Place("fr", "horaire_depart", also=_BOTH),
        Place("consignes", "heure_depart"),
    ),
    Column(
        "code_acces",
        "text",
        None,
        Place("fr", "code_acces", also=_BOTH),
        Place("consignes", "code_acces"),
    ),
    Column(
        "emplacement_cles",
        "text",
        None,
        Place("complements", "donnees", key="emplacement_cles"),
        Place("consignes", "emplacement_cles"),
    ),
    *(_text(topic, language) for language in LANGUAGES for topic in TEXTS),
    _equipment("acces_handicape", "divers", "acces_handicape", default="false", flat="consignes"),
    _equipment("animaux_acceptes", "divers", "animaux_acceptes", default="false", flat="consignes"),
    _equipment(
        "animaux_supplement", "divers", "animaux_supplement", "numeric(10,2)", flat="consignes"
    ),
    _equipment("chauffage_type", "chauffage", "type", "text", flat="complements"),
    _equipment("chauffage_thermostat", "chauffage", "thermostat", "text", flat="complements"),
    _equipment("type_machine_cafe", "cuisine", "machine_cafe", "text"),
    _equipment("a_lave_vaisselle", "cuisine", "lave_vaisselle", default="false"),
    _equipment("a_four", "cuisine", "four", default="true"),
    _equipment("a_micro_ondes", "cuisine", "micro_ondes", default="true"),
    _equipment("type_plaques", "cuisine", "plaques", "text"),
    _equipment("a_tv", "multimedia", "tv", default="true"),
    _equipment("netflix", "multimedia", "netflix", default="false"),
    _equipment("netflix_login", "multimedia", "netflix_login", "text"),
    _equipment("amazon_prime", "multimedia", "amazon_prime", default="false"),
    _equipment("disney_plus", "multimedia", "disney_plus", default="false"),
    _equipment("streaming_codes", "multimedia", "streaming_codes", "text", flat="complements"),
    _equipment("a_console", "multimedia", "console", default="false", flat="complements"),
    _equipment("a_machine_laver", "divers", "machine_laver", default="false"),
    _equipment("a_seche_linge", "divers", "seche_linge", default="false"),
    _equipment("a_barbecue", "exterieur", "barbecue", default="false"),
    _equipment("a_piscine", "exterieur", "piscine", default="false"),
    _equipment("piscine_chauffee", "exterieur", "piscine_chauffee", default="false"),
    _equipment("a_spa", "exterieur", "spa", default="false"),
    _equipment("a_cheminee", "chauffage", "cheminee", default="false"),
    _equipment("a_jardin", "exterieur", "jardin", default="false", flat="complements"),
    *(column for type_ in CONTACTS for column in _contact(type_)),
    _core("created_at", "timestamptz", "now()", json=Place("core", "created_at")),
    _core("updated_at", "timestamptz", "now()", json=Place("core", "updated_at")),
    *(
        Column(
            name,
            "text",
            None,
            Place("complements", "donnees", key=name),
            Place("complements", name),
        )
        for name in (
            "reserve_1",
            "reserve_2",
            "reserve_3",
            "reserve_4",
            "reserve_5",
            "reserve_6",
            "reserve_7",
            "reserve_8",
            "reserve_9",
        )
    ),
)
"""In the order of the table."""

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
