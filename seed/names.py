"""French names of people, towns and houses, drawn from committed pools."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files

HOUSES = (
    "La Bergerie", "La Bastide", "La Chaumière", "La Closerie", "La Ferme", "La Grange",
    "La Longère", "La Magnanerie", "La Maison", "La Métairie", "Le Cabanon", "Le Chalet",
    "Le Colombier", "Le Mas", "Le Moulin", "Le Pigeonnier", "Le Presbytère", "Le Pressoir",
    "Les Écuries", "L'Étable", "L'Oustal", "La Péniche", "Le Séchoir", "Le Four à pain",
)  # fmt: skip
PLACES = (
    "des Tilleuls", "du Lavoir", "de la Fontaine", "des Amandiers", "du Vieux Chêne",
    "de la Rivière", "des Glycines", "du Bout du Monde", "des Hirondelles", "du Château",
    "de l'Étang", "des Lavandes", "du Clocher", "des Noyers", "de la Vallée", "des Coquelicots",
    "du Pré vert", "de l'Écluse", "des Cigales", "du Puits", "des Mûriers", "de la Forêt",
    "du Phare", "des Oliviers", "de la Source", "des Bruyères", "du Rocher", "des Vignes",
)  # fmt: skip
STREETS = (
    "rue de la Mairie", "chemin des Écoliers", "place de l'Église", "route de la Plage",
    "impasse du Moulin", "rue du Général Leclerc", "avenue de la Gare", "quai des Pêcheurs",
    "chemin du Bois", "rue des Lilas", "rue Victor Hugo", "route des Crêtes",
)  # fmt: skip
SCHOOL_KINDS = ("École", "Collège", "Lycée", "Institut", "Complexe scolaire")
SCHOOL_PATRONS = (
    "Aimé Césaire", "Jules Ferry", "Marie Curie", "Victor Hugo", "Léopold Sédar Senghor",
    "Simone Veil", "Antoine de Saint-Exupéry", "George Sand", "Émile Zola", "Louis Pasteur",
    "Jeanne d'Arc", "Frantz Fanon", "Françoise Dolto", "Molière", "Félix Éboué",
    "Saint-Joseph", "Notre-Dame", "Les Bâtisseurs", "La Réussite", "Les Étoiles",
)  # fmt: skip
POSITIONS = (
    "Directrice", "Directeur", "Professeur des écoles", "Professeur de mathématiques",
    "Professeur de français", "Secrétaire", "Surveillant", "Comptable", "Infirmière",
    "Conseillère d'éducation",
)  # fmt: skip


@cache
def first_names() -> tuple[str, ...]:
    return pool("first_names.txt")


@cache
def last_names() -> tuple[str, ...]:
    return pool("last_names.txt")


@cache
def towns() -> tuple[tuple[str, str], ...]:
    """Pairs of postcode and town."""
    return tuple((code, town) for code, town in (line.split(" ", 1) for line in pool("towns.txt")))


@cache
def address_parts(pool: tuple[str, ...]) -> tuple[str, ...]:
    """Each name as it is written in an e-mail address: "Inès Le Goff" is "ines.le.goff"."""
    return tuple(_address_part(name) for name in pool)


def _address_part(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "".join(sign if sign.isalnum() else "." for sign in plain.lower())


def pool(name: str) -> tuple[str, ...]:
    """Lines of a committed pool."""
    text = files("seed").joinpath("pools", name).read_text(encoding="utf-8")
    return tuple(text.splitlines())
