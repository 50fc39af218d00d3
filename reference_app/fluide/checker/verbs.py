"""Forms of frequent verbs: present and imperfect, infinitive and past participle.

A form is known by the persons it can stand for; what is not in the table is not judged.
"""

from __future__ import annotations

from typing import Final

from reference_app.fluide.checker.lexicon import listed

Persons = tuple[str, str, str, str, str, str]
"""je, tu, il, nous, vous, ils."""

_IRREGULAR: Final[dict[str, str]] = {
    "être": "suis es est sommes êtes sont",
    "avoir": "ai as a avons avez ont",
    "aller": "vais vas va allons allez vont",
    "faire": "fais fais fait faisons faites font",
    "pouvoir": "peux peux peut pouvons pouvez peuvent",
    "vouloir": "veux veux veut voulons voulez veulent",
    "devoir": "dois dois doit devons devez doivent",
    "savoir": "sais sais sait savons savez savent",
    "dire": "dis dis dit disons dites disent",
    "voir": "vois vois voit voyons voyez voient",
    "venir": "viens viens vient venons venez viennent",
    "prendre": "prends prends prend prenons prenez prennent",
    "mettre": "mets mets met mettons mettez mettent",
    "finir": "finis finis finit finissons finissez finissent",
    "choisir": "choisis choisis choisit choisissons choisissez choisissent",
    "partir": "pars pars part partons partez partent",
    "lire": "lis lis lit lisons lisez lisent",
    "écrire": "écris écris écrit écrivons écrivez écrivent",
    "attendre": "attends attends attend attendons attendez attendent",
    "comprendre": "comprends comprends comprend comprenons comprenez comprennent",
    "apprendre": "apprends apprends apprend apprenons apprenez apprennent",
}

REGULAR: Final = listed(
    """
    aider aimer apporter arriver chanter chercher commencer compter continuer couper cuisiner
    danser demander dessiner donner écouter entrer étudier expliquer fermer gagner garder
    habiter inviter jouer laver manger marcher monter montrer oublier parler passer penser
    porter poser préparer présenter quitter raconter regarder rencontrer rentrer rester rêver
    tomber toucher travailler traverser trouver utiliser visiter voyager
    """
)
"""Of the first group, without those whose stem changes beyond ``ge`` and ``ç``."""


def _present(infinitive: str) -> Persons:
    stem = infinitive.removesuffix("er")
    soft = stem + "e" if stem.endswith("g") else stem.removesuffix("c") + "ç"
    we = (soft if stem.endswith(("g", "c")) else stem) + "ons"
    return (stem + "e", stem + "es", stem + "e", we, stem + "ez", stem + "ent")


def _imperfect(infinitive: str, we: str) -> Persons:
    stem = "ét" if infinitive == "être" else we.removesuffix("ons")
    # before i the g and the c need no help
    light = stem
    if infinitive.endswith("ger"):
        light = stem.removesuffix("e")
    elif infinitive.endswith("cer"):
        light = stem.removesuffix("ç") + "c"
    return (
        stem + "ais", stem + "ais", stem + "ait", light + "ions", light + "iez", stem + "aient",
    )  # fmt: skip


def _tables() -> dict[tuple[str, str], Persons]:
    tables: dict[tuple[str, str], Persons] = {}
    for infinitive, forms in _IRREGULAR.items():
        first, second, third, we, you, they = forms.split()
        tables[infinitive, "présent"] = (first, second, third, we, you, they)
    for infinitive in REGULAR:
        tables[infinitive, "présent"] = _present(infinitive)
    for (infinitive, _), present in list(tables.items()):
        tables[infinitive, "imparfait"] = _imperfect(infinitive, present[3])
    return tables


TABLES: Final = _tables()

_FORMS: dict[str, list[tuple[str, str]]] = {}
for _key, _persons in TABLES.items():
    for _form in dict.fromkeys(_persons):
        _FORMS.setdefault(_form, []).append(_key)

PERSONS: Final = {"je": 0, "j'": 0, "tu": 1, "il": 2, "elle": 2, "on": 2, "ils": 5, "elles": 5}
"""Subjects that a verb follows; ``nous`` and ``vous`` may be objects and are left out."""


def is_form(word: str) -> bool:
    return word in _FORMS


def agreeing(word: str, person: int) -> str | None:
    """The form that agrees, for one that does not; None when it agrees or it is not clear."""
    tables = [TABLES[key] for key in _FORMS.get(word, ())]
    if not tables or any(table[person] == word for table in tables):
        return None
    forms = {table[person] for table in tables}
    return forms.pop() if len(forms) == 1 else None


INFINITIVES: Final = {infinitive: infinitive.removesuffix("er") + "é" for infinitive in REGULAR}
PARTICIPLES: Final = {participle: infinitive for infinitive, participle in INFINITIVES.items()}

HAVING: Final = frozenset((*TABLES["avoir", "présent"], *TABLES["avoir", "imparfait"]))
