"""A gîte's information over HTTP: the same in all three layouts, whole under concurrency."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from app_support import Site, site, site_on

from reference_app.information.columns import LANGUAGES, TEXTS, Layout
from reference_app.migrate import migrate
from reference_app.variant import Variant

pytestmark = pytest.mark.db

LAYOUTS: tuple[Layout, ...] = ("wide", "split_json", "split_flat")

TEXTS_OF = {language: {text: f"{text} in {language}" for text in TEXTS} for language in LANGUAGES}

EVERYTHING: dict[str, Any] = {
    "core": {
        "nom": "Les Tilleuls",
        "adresse": "3 rue des Tilleuls\nderrière l'église",
        "ville": "Dole",
        "code_postal": "39100",
        "pays": "France",
        "latitude": 47.09248123,
        "longitude": -5.48993456,
        "capacite_personnes": 6,
        "nombre_chambres": 3,
        "photo_url": "https://photos.example/1.jpg",
        "couleur_calendrier": "#00ff00",
        "actif": False,
        "telephone_urgence": "+33 3 84 00 00 00",
        "email_contact": "tilleuls@example.com",
    },
    "wifi": {
        "ssid": "tilleuls",
        "password": "synthetic % 'only'",
        "qr_code_url": "https://codes.example/1",
        "debit_approximatif": "30 Mbit/s",
        "localisation_box": "salon",
        "zones_reception": ["salon", 'chambre "bleue"'],
    },
    "instructions": {
        "heure_arrivee": "17:30:00",
        "heure_depart": "09:00:00",
        "code_acces": "1234A",
        "emplacement_cles": "sous le pot",
        **TEXTS_OF,
    },
    "equipment": {
        "acces_handicape": True,
        "animaux_acceptes": True,
        "animaux_supplement": 12.35,
        "chauffage_type": "poêle",
        "chauffage_thermostat": "entrée",
        "type_machine_cafe": "filtre",
        "a_lave_vaisselle": True,
        "a_four": False,
        "a_micro_ondes": False,
        "type_plaques": "induction",
        "a_tv": False,
        "netflix": True,
        "netflix_login": "synthetic",
        "amazon_prime": True,
        "disney_plus": True,
        "streaming_codes": "0000",
        "a_console": True,
        "a_machine_laver": True,
        "a_seche_linge": True,
        "a_barbecue": True,
        "a_piscine": True,
        "piscine_chauffee": True,
        "a_spa": True,
        "a_cheminee": True,
        "a_jardin": True,
    },
    "contacts": [
        {
            "type": kind,
            "nom": f"nom {kind}",
            "telephone": "0384000000",
            "adresse": "ici",
            "disponibilite": "8-20 h",
        }
        for kind in ("proprietaire", "police", "medecin", "pharmacie", "plombier", "veterinaire")
    ],
}


@pytest.fixture(scope="module", params=LAYOUTS)
def house(request: pytest.FixtureRequest, fresh_database: Any) -> Iterator[Site]:
    with (
        fresh_database() as url,
        site(url, Variant(units_table=request.param, row_security="wrapped")) as up,
    ):
        yield up


def path(unit: uuid.UUID) -> str:
    return f"/api/units/{unit}/information"


@pytest.mark.covers("B-97", "B-113")
def test_a_new_gite_has_information_with_the_stated_defaults(house: Site) -> None:
    owner = house.world.owner()
    body = {"nom": "Neuf", "ville": "Arbois", "code_postal": "39600", "capacite": 4}
    unit = house.call("POST", "/api/units", owner, json=body).json()["id"]

    found = house.call("GET", path(unit), owner).json()

    assert found["unit_id"] == unit
    assert found["core"]["nom"] == "Neuf"
    assert found["core"]["ville"] == "Arbois"
    assert found["core"]["capacite_personnes"] == 4
    assert found["core"]["pays"] == "France"
    assert found["core"]["couleur_calendrier"] == "#3b82f6"
    assert found["instructions"]["heure_arrivee"] == "16:00:00"
    assert found["instructions"]["heure_depart"] == "10:00:00"
    assert {(c["type"], c["telephone"]) for c in found["contacts"]} == {
        ("samu", "15"),
        ("pompiers", "18"),
        ("police", "17"),
    }
    assert found["equipment"]["a_four"] is True
    assert found["equipment"]["a_piscine"] is False


def test_everything_that_is_put_is_there_afterwards(house: Site) -> None:
    owner = house.world.owner()
    unit = house.world.unit(owner)

    put = house.call("PUT", path(unit), owner, json=EVERYTHING)

    assert put.status_code == 200, put.text
    assert put.json() == {"unit_id": str(unit), **EVERYTHING}
    assert house.call("GET", path(unit), owner).json() == put.json()


def test_a_section_that_is_put_replaces_itself_and_nothing_else(house: Site) -> None:
    owner = house.world.owner()
    unit, other = house.world.unit(owner), house.world.unit(owner)
    for each in (unit, other):
        house.call("PUT", path(each), owner, json=EVERYTHING)
    expected: dict[str, Any] = {**EVERYTHING}
    for section, new in {
        "wifi": {"ssid": "neu"},
        "contacts": [{"type": "medecin", "telephone": "1"}, {"type": "electricien", "nom": "E"}],
        "equipment": {"a_piscine": True},
        "core": {"nom": "Autre"},
        "instructions": {"en": {"consignes_tv": "press"}},
    }.items():
        answer = house.call("PUT", path(unit), owner, json={section: new})

        found = answer.json()
        expected[section] = found[section]
        assert found == {"unit_id": str(unit), **expected}, section
        given = [contact["type"] for contact in new] if isinstance(new, list) else new
        if isinstance(new, list):
            assert [contact["type"] for contact in found["contacts"]] == given
        else:
            assert new.items() <= found[section].items() or section == "instructions"
    assert found["wifi"]["password"] is None
    assert found["instructions"]["en"]["consignes_tv"] == "press"
    assert found["instructions"]["fr"]["consignes_tv"] is None
    assert house.call("GET", path(other), owner).json() == {"unit_id": str(other), **EVERYTHING}


def test_nothing_put_changes_nothing(house: Site) -> None:
    owner = house.world.owner()
    unit = house.world.unit(owner)
    before = house.call("PUT", path(unit), owner, json=EVERYTHING).json()
    assert house.call("PUT", path(unit), owner, json={}).json() == before


@pytest.mark.covers("B-116", "F-30")
def test_the_information_of_others_is_not_there(house: Site) -> None:
    mine, theirs = house.world.owner(), house.world.owner()
    unit = house.world.unit(theirs)
    for who, where in ((mine, unit), (theirs, uuid.uuid4())):
        assert house.call("GET", path(where), who).status_code == 404
        assert house.call("PUT", path(where), who, json=EVERYTHING).status_code == 404
    assert house.call("GET", path(unit), theirs).json()["core"]["adresse"] == ""
    assert house.call("GET", path(unit)).status_code == 401
    assert house.call("GET", path(unit), house.world.group()).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"core": {}},
        {"core": {"nom": ""}},
        {"core": {"nom": "x", "latitude": 91}},
        {"core": {"nom": "x", "couleur_calendrier": "red"}},
        {"core": {"nom": "x", "telephone_urgence": "1" * 21}},
        {"core": {"nom": "x", "surprise": 1}},
        {"wifi": {"zones_reception": ["a\nb"]}},
        {"wifi": {"zones_reception": [""]}},
        {"wifi": {"ssid": "nul \x00"}},
        {"instructions": {"heure_arrivee": "25:00:00"}},
        {"instructions": {"heure_arrivee": None}},
        {"instructions": {"de": {}}},
        {"equipment": {"animaux_supplement": -1}},
        {"contacts": [{"type": "medecin"}]},
        {"contacts": [{"type": "voisin", "nom": "x"}]},
        {"contacts": [{"type": "medecin", "nom": "a"}, {"type": "medecin", "nom": "b"}]},
        {"wifi": None},
        {"else": {}},
        [],
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(house: Site, body: Any) -> None:
    owner = house.world.owner()
    unit = house.world.unit(owner)
    before = house.call("GET", path(unit), owner).json()

    answer = house.call("PUT", path(unit), owner, json=body)

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert house.call("GET", path(unit), owner).json() == before


def marked(mark: int) -> dict[str, Any]:
    """Everything, so that each part of each row says whose it is."""
    kinds = ["proprietaire", "samu", "medecin", "plombier", "veterinaire"]
    chosen = random.Random(mark).sample(kinds, 3)
    return {
        "core": {"nom": f"{mark}", "adresse": f"{mark}", "ville": f"{mark}"},
        "wifi": {"ssid": f"{mark}", "zones_reception": [f"{mark}"] * (1 + mark % 3)},
        "instructions": {
            "code_acces": f"{mark}",
            "fr": dict.fromkeys(TEXTS, f"{mark}"),
            "en": dict.fromkeys(TEXTS, f"{mark}"),
        },
        "equipment": {"chauffage_type": f"{mark}", "netflix_login": f"{mark}"},
        "contacts": [{"type": kind, "nom": f"{mark}"} for kind in kinds if kind in chosen],
    }


@pytest.mark.covers("B-98", "B-101", "B-106")
def test_64_changes_of_one_gite_leave_one_of_them_whole(house: Site) -> None:
    for repetition in range(3):
        owner = house.world.owner()
        unit = house.world.unit(owner)
        marks = range(repetition * 100, repetition * 100 + 64)

        answers = house.app.together(
            [("PUT", path(unit), owner, {"json": marked(mark)}) for mark in marks]
        )

        assert [answer.status_code for answer in answers] == [200] * 64
        left = house.call("GET", path(unit), owner).json()
        mark = int(left["core"]["nom"])
        assert mark in marks
        given = marked(mark)
        for section in ("core", "wifi", "equipment"):
            assert given[section].items() <= left[section].items()
        assert {c["type"]: c["nom"] for c in left["contacts"]} == {
            c["type"]: c["nom"] for c in given["contacts"]
        }
        for language in LANGUAGES:
            assert set(left["instructions"][language].values()) == {f"{mark}"}
        # each answer is one state, too
        for answer in answers:
            seen = answer.json()
            assert seen["wifi"]["ssid"] == seen["core"]["nom"] == seen["core"]["ville"]


@pytest.mark.covers("F-14", "X-34", "X-21")
def test_the_application_gives_the_same_answer_in_every_layout(fresh_database: Any) -> None:
    """Written in one layout, read in all; written again in the next."""
    answers = []
    with fresh_database() as url:
        with site(url, Variant(units_table="wide")) as up:
            owner = up.world.owner()
            unit = up.world.unit(owner)
            answers.append(up.call("PUT", path(unit), owner, json=EVERYTHING).json())
            app_url = up.app_url

        for layout in ("split_json", "split_flat", "wide"):
            variant = Variant(units_table=layout)  # type: ignore[arg-type]
            migrate(url, "after-data", variant)
            with site_on(url, app_url, variant) as up:
                answers.append(up.call("GET", path(unit), owner).json())
                again = up.call("PUT", path(unit), owner, json=EVERYTHING)
                answers.append(again.json())
    assert all(answer == answers[0] for answer in answers)
