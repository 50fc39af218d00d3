"""What a guest may want to know of a gîte: one row of 119 columns each (B-98).

Most of a row is chosen from pools whose texts are made once; only what names the house is put
together. Secrets are drawn, and telephone numbers are of the ranges that the French regulator
keeps for works of fiction, so nobody is called.

Source: ARCEP, decision 2018-0881, numbers for audiovisual works (02 61 91, 03 53 01, 04 65 71,
05 36 49, 06 39 98 and 01 99 00).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from palier.model.identity import owner_email
from seed.clock import clock_at
from seed.draws import below, row_keys
from seed.gites import Gites, colour_of
from seed.ids import GiteIds, OwnerIds
from seed.instructions import notes, topics
from seed.names import STREETS, first_names, last_names, towns
from seed.owners import MINUTES_A_DAY
from seed.spec import DatasetSpec
from seed.tables import INFOS_GITES, NULL

FICTION_PREFIXES = ("01 99 00", "02 61 91", "03 53 01", "04 65 71", "05 36 49", "06 39 98")

# Where a house may stand, in hundred-millionths of a degree: mainland France, roughly.
SOUTH, NORTH = 4_300_000_000, 5_000_000_000
WEST, EAST = -400_000_000, 700_000_000
DEGREE = 100_000_000

SPEEDS = ("8 Mb/s", "30 Mb/s", "100 Mb/s", "300 Mb/s", "1 Gb/s")
BOXES = ("salon, derrière la télévision", "entrée, sur l'étagère", "bureau", "palier de l'étage")
ZONES = ("salon\\ncuisine", "salon\\nchambres\\nterrasse", "rez-de-chaussée", "toute la maison")
"""One zone a line; COPY writes a line end as a backslash and an n."""

KEY_PLACES = ("boîte à clés près de la porte", "chez la voisine", "remise en main propre")
HEATINGS = ("gaz", "électrique", "poêle à bois", "pompe à chaleur", "fioul")
THERMOSTATS = ("couloir", "salon", "aucun", "sur chaque radiateur")
COFFEE = ("filtre", "dosettes souples", "capsules", "expresso à grains", "italienne")
HOBS = ("induction", "gaz", "vitrocéramique", "électrique")
HOURS = ("24 h sur 24", "8 h à 20 h", "9 h à 12 h et 14 h à 19 h", "sur rendez-vous", "le week-end")
ARRIVALS = ("16:00:00",) * 7 + ("15:00:00", "17:00:00", "18:00:00")
DEPARTURES = ("10:00:00",) * 7 + ("09:00:00", "11:00:00", "12:00:00")
"""B-113's hours are the usual ones."""

PERCENT_OF_FLAG = {
    "acces_handicape": 12, "animaux_acceptes": 45, "a_lave_vaisselle": 70, "a_four": 95,
    "a_micro_ondes": 90, "a_tv": 92, "netflix": 35, "amazon_prime": 20, "disney_plus": 15,
    "a_console": 10, "a_machine_laver": 80, "a_seche_linge": 30, "a_barbecue": 75, "a_piscine": 30,
    "piscine_chauffee": 12, "a_spa": 10, "a_cheminee": 40, "a_jardin": 85,
}  # fmt: skip
EMERGENCY_NUMBERS = {"samu": "15", "pompiers": "18", "police": "17"}
TRADES = {
    "medecin": ("medecin_local", "Cabinet médical"),
    "pharmacie": ("pharmacie_garde", "Pharmacie"),
    "plombier": ("plombier_urgence", "Plomberie"),
    "electricien": ("electricien_urgence", "Électricité"),
    "veterinaire": ("nom_veterinaire", "Clinique vétérinaire"),
}
"""Contact, the column of its name, and what the name begins with."""

PERCENT_TRADE_KNOWN = 80


def information_lines(spec: DatasetSpec, gites: Gites) -> list[str]:
    """COPY lines (``tables.INFOS_GITES``), in the order of the gîtes."""
    columns = _columns(spec, gites)
    return list(map("\t".join, zip(*(columns[name] for name in INFOS_GITES.columns), strict=True)))


class _Drawer:
    """Draws of the rows, one field number after the other, in the order of the code below."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys
        self._field = 0

    def below(self, bound: int) -> NDArray[np.int64]:
        drawn = below(self._keys, self._field, bound)
        self._field += 1
        return drawn

    def whether(self, percent: int) -> NDArray[np.bool_]:
        is_so: NDArray[np.bool_] = self.below(100) < percent
        return is_so

    def of(self, pool: tuple[str, ...]) -> list[str]:
        return [pool[place] for place in self.below(len(pool)).tolist()]

    def phones(self) -> list[str]:
        return [
            f"{FICTION_PREFIXES[number // 10_000]} {number // 100 % 100:02d} {number % 100:02d}"
            for number in self.below(10_000 * len(FICTION_PREFIXES)).tolist()
        ]

    def streets(self) -> list[str]:
        return [
            f"{1 + number} {street}"
            for number, street in zip(self.below(90).tolist(), self.of(STREETS), strict=True)
        ]

    def degrees(self, least: int, most: int) -> list[str]:
        return [_degree(least + more) for more in self.below(most - least).tolist()]


def _columns(spec: DatasetSpec, gites: Gites) -> dict[str, list[str]]:
    """Every column by name, as text of COPY."""
    draw = _Drawer(
        row_keys(seed=spec.seed, kind="information", tenants=gites.owner, indexes=gites.index)
    )
    flags = {name: draw.whether(percent) for name, percent in PERCENT_OF_FLAG.items()}
    # A heated pool is a pool, and streaming needs a television.
    flags["piscine_chauffee"] &= flags["a_piscine"]
    for service in ("netflix", "amazon_prime", "disney_plus"):
        flags[service] &= flags["a_tv"]
    return (
        _house(spec, gites, draw)
        | _wifi(spec, gites, draw)
        | _instructions(draw)
        | _equipment(flags, draw)
        | {name: ["t" if is_so else "f" for is_so in flag.tolist()] for name, flag in flags.items()}
        | _contacts(gites, draw)
        | {f"reserve_{number}": draw.of(notes()) for number in range(1, 10)}
    )


def _house(spec: DatasetSpec, gites: Gites, draw: _Drawer) -> dict[str, list[str]]:
    clock, owner_ids, ids = clock_at(spec.anchor), OwnerIds(spec.seed), _ids(spec, gites)
    towns_of = [towns()[town] for town in gites.town.tolist()]
    owners = gites.owner.tolist()
    changed = gites.created_minute + draw.below(1_000 * MINUTES_A_DAY)
    return {
        "id": ids,
        "gite_id": ids,
        "owner_user_id": [owner_ids[owner] for owner in owners],
        "nom": gites.names(),
        "adresse": draw.streets(),
        "ville": [town for _, town in towns_of],
        "code_postal": [postcode for postcode, _ in towns_of],
        "latitude": draw.degrees(SOUTH, NORTH),
        "longitude": draw.degrees(WEST, EAST),
        "pays": ["France"] * len(ids),
        "capacite_personnes": [str(sleeps) for sleeps in gites.sleeps.tolist()],
        "nombre_chambres": [str(sleeps // 2) for sleeps in gites.sleeps.tolist()],
        "photo_url": [f"https://photos.example/gites/{gite}.jpg" for gite in ids],
        "couleur_calendrier": [colour_of(index) for index in gites.index.tolist()],
        "actif": ["t" if is_active else "f" for is_active in gites.is_active.tolist()],
        "telephone_urgence": draw.phones(),
        "email_contact": [owner_email(owner) for owner in owners],
        "created_at": [clock.minute(minute) for minute in gites.created_minute.tolist()],
        "updated_at": [clock.minute(minute) for minute in changed.tolist()],
    }


def _wifi(spec: DatasetSpec, gites: Gites, draw: _Drawer) -> dict[str, list[str]]:
    numbers, secrets = draw.below(10_000).tolist(), draw.below(1_000_000_000).tolist()
    return {
        "wifi_ssid": [f"Gite-{number:04d}" for number in numbers],
        "wifi_password": [f"seeded-{secret:09d}" for secret in secrets],
        "wifi_qr_code": [f"https://photos.example/wifi/{gite}.png" for gite in _ids(spec, gites)],
        "wifi_debit_approximatif": draw.of(SPEEDS),
        "wifi_localisation_box": draw.of(BOXES),
        "wifi_zones_reception": draw.of(ZONES),
    }


def _instructions(draw: _Drawer) -> dict[str, list[str]]:
    columns = {
        "heure_arrivee": draw.of(ARRIVALS),
        "heure_depart": draw.of(DEPARTURES),
        "code_acces": [f"{code:04d}" for code in draw.below(10_000).tolist()],
        "emplacement_cles": draw.of(KEY_PLACES),
    }
    for topic, wordings in topics().items():
        chosen = [wordings[place] for place in draw.below(len(wordings)).tolist()]
        columns[f"{topic}_fr"] = [french for french, _ in chosen]
        columns[f"{topic}_en"] = [english for _, english in chosen]
    return columns


def _equipment(flags: dict[str, NDArray[np.bool_]], draw: _Drawer) -> dict[str, list[str]]:
    logins, codes, euros = draw.below(1_000), draw.below(10_000), draw.below(6)
    return {
        "animaux_supplement": _where(flags["animaux_acceptes"], euros, "{}.00", each=5),
        "chauffage_type": draw.of(HEATINGS),
        "chauffage_thermostat": draw.of(THERMOSTATS),
        "type_machine_cafe": draw.of(COFFEE),
        "type_plaques": draw.of(HOBS),
        "netflix_login": _where(flags["netflix"], logins, "sejour{}@example.net"),
        "streaming_codes": _where(flags["a_tv"], codes, "code parental {:04d}"),
    }


def _contacts(gites: Gites, draw: _Drawer) -> dict[str, list[str]]:
    """Nine contacts: always the owner and the emergency services, trades where they are known."""
    rows = len(gites.index)
    postcode_towns = [" ".join(towns()[town]) for town in gites.town.tolist()]
    columns = {
        "nom_proprietaire": _people(draw),
        "telephone_proprietaire": draw.phones(),
        "adresse_proprietaire": [
            f"{street}, {town}" for street, town in _placed(draw, postcode_towns)
        ],
        "disponibilite_proprietaire": draw.of(HOURS),
    }
    for service, number in EMERGENCY_NUMBERS.items():
        columns |= {
            f"nom_{service}": [service.capitalize() if service != "samu" else "SAMU"] * rows,
            f"telephone_{service}": [number] * rows,
            f"adresse_{service}": [NULL] * rows,
            f"disponibilite_{service}": [HOURS[0]] * rows,
        }
    for trade, (name_column, begins) in TRADES.items():
        is_known = draw.whether(PERCENT_TRADE_KNOWN).tolist()
        known = {
            name_column: [f"{begins} {name}" for name in draw.of(last_names())],
            f"telephone_{trade}": draw.phones(),
            f"adresse_{trade}": [
                f"{street}, {town}" for street, town in _placed(draw, postcode_towns)
            ],
            f"disponibilite_{trade}": draw.of(HOURS),
        }
        columns |= {
            name: [text if is_so else NULL for text, is_so in zip(texts, is_known, strict=True)]
            for name, texts in known.items()
        }
    return columns


def _placed(draw: _Drawer, towns_of: list[str]) -> zip[tuple[str, str]]:
    return zip(draw.streets(), towns_of, strict=True)


def _people(draw: _Drawer) -> list[str]:
    return [
        f"{first} {last}"
        for first, last in zip(draw.of(first_names()), draw.of(last_names()), strict=True)
    ]


def _where(
    wanted: NDArray[np.bool_], numbers: NDArray[np.int64], form: str, *, each: int = 1
) -> list[str]:
    """``form`` with a number where it is wanted, else NULL."""
    return [
        form.format(each * number) if is_so else NULL
        for is_so, number in zip(wanted.tolist(), numbers.tolist(), strict=True)
    ]


def _ids(spec: DatasetSpec, gites: Gites) -> list[str]:
    ids = GiteIds(spec.seed)
    return [ids[gite] for gite in zip(gites.owner.tolist(), gites.index.tolist(), strict=True)]


def _degree(value: int) -> str:
    """Eight digits behind the point, as numeric(11,8) is written."""
    whole, rest = divmod(abs(value), DEGREE)
    return f"{'-' if value < 0 else ''}{whole}.{rest:08d}"
