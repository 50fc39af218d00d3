"""The checker of French: each rule by examples, and texts in which nothing is wrong."""

from __future__ import annotations

import pytest

from reference_app.fluide.checker.check import TEXT_CHARS_MAX, apply, check
from reference_app.fluide.checker.lexicon import GENDERS, plural
from reference_app.fluide.checker.rules import RULES
from scenarios.ff.texts import SENTENCES, text_of
from seed.learners import TEXTS

NARROW, WIDE = "\u202f", "\u00a0"

FLAGGED = {
    "espaces-multiples": [("Un  mot.", "Un mot.")],
    "espace-avant-virgule": [("Oui , merci.", "Oui, merci."), ("C'est fini .", "C'est fini.")],
    "espace-apres-virgule": [("Oui,merci.", "Oui, merci.")],
    "espace-avant-signe-double": [
        ("Vraiment?", f"Vraiment{NARROW}?"),
        ("Attention: danger.", f"Attention{WIDE}: danger."),
        ("Quoi?!", f"Quoi{NARROW}?!"),
        ("(oui)!", f"(oui){NARROW}!"),
    ],
    "points-de-suspension": [("Bon...", "Bon…")],
    "etc": [("Du pain, etc...", "Du pain, etc."), ("Du pain, etc…", "Du pain, etc.")],
    "guillemets": [("«Oui»", f"«{WIDE}Oui{WIDE}»")],
    "parentheses": [("Un chat ( gris ) dort.", "Un chat (gris) dort.")],
    "majuscule": [("Je viens. tu restes.", "Je viens. Tu restes.")],
    "mois-en-minuscule": [("en Janvier", "en janvier")],
    "mot-mal-ecrit": [("Parmis eux.", "Parmi eux."), ("APARTEMENT", "APPARTEMENT")],
    "elision": [
        ("Le homme", "L'homme"),
        ("je aime", "j'aime"),
        ("que il dort", "qu'il dort"),
        ("si il pleut", "s'il pleut"),
        ("jusque à demain", "jusqu'à demain"),
        ("je y vais", "j'y vais"),
        ("quelque un", "quelqu'un"),
    ],
    "cet": [("ce homme", "cet homme"), ("Ce arbre", "Cet arbre")],
    "mon-devant-voyelle": [("ma amie", "mon amie"), ("Sa école", "Son école")],
    "bel-nouvel-vieil": [("un beau hôtel", "un bel hôtel"), ("un vieux ami", "un vieil ami")],
    "article-contracte": [
        ("la fin de le film", "la fin du film"),
        ("à les enfants de les amis", "à les enfants des amis"),
    ],
    "pluriel": [
        ("des pomme", "des pommes"),
        ("trois cheval", "trois chevaux"),
        ("les bateau", "les bateaux"),
    ],
    "genre": [
        ("une problème", "un problème"),
        ("le maison", "la maison"),
        ("un école", "une école"),
        ("mon table", "ma table"),
        ("la café", "le café"),
    ],
    "sujet-verbe": [
        ("tu mange", "tu manges"),
        ("ils mange", "ils mangent"),
        ("je peut", "je peux"),
        ("tu ne parle pas", "tu ne parles pas"),
        ("j'étudies", "j'étudie"),
        ("Elle ont faim", "Elle a faim"),
        ("on avaient", "on avait"),
    ],
    "participe-infinitif": [
        ("j'ai manger", "j'ai mangé"),
        ("je peux mangé", "je peux manger"),
        ("pour visité", "pour visiter"),
    ],
    "si-conditionnel": [
        ("Si j'aurais su", "Si j'avais su"),
        ("S'il serait là", "S'il était là"),
    ],
    "a-a-accent": [("il à faim", "il a faim"), ("Je vais a Lyon", "Je vais à Lyon"),
                   ("prêts a partir", "prêts à partir")],
    "est-et": [("C'et bien", "C'est bien"), ("il et parti", "il est parti")],
    "son-sont": [("ils son partis", "ils sont partis"), ("avec sont ami", "avec son ami")],
    "on-ont": [("elles on raison", "elles ont raison"), ("Ont va voir", "On va voir")],
    "ou-ou-accent": [("la ville ou je vis", "la ville où je vis"), ("D'ou", "D'où"),
                     ("Ou est le chat", "Où est le chat")],
    "ces-ses-c-est": [("Ces un ami", "C'est un ami"), ("il c'est trompé", "il s'est trompé")],
    "se-ce": [("il ce lève", "il se lève"), ("se matin", "ce matin")],
    "peu-peut-peux": [("un peut", "un peu"), ("il peu venir", "il peut venir"),
                      ("je peu venir", "je peux venir")],
    "la-l-a": [("il l'à vu", "il l'a vu"), ("il la mangé", "il l'a mangé")],
    "quant-a": [("Quand à moi", "Quant à moi")],
    "sa-ca": [("Sa va", "Ça va"), ("comme sa.", "comme ça.")],
    "leur-leurs": [("je leurs parle", "je leur parle")],
    "tout-tous": [("tout les jours", "tous les jours"), ("tous le monde", "tout le monde")],
    "ai-est": [("je n'est pas", "je n'ai pas")],
}  # fmt: skip

RIGHT = (
    "Bonjour, comment allez-vous ?",
    "Je le porte et je la montre à mon père.",
    "Il les livre le matin ; elle les garde.",
    "Il la lit tous les soirs.",
    "Le onze mai, le oui l'a emporté.",
    "Le héros et la haine sont deux mots avec un h aspiré.",
    "Le yaourt est bon, la ouate est douce.",
    "Donne-le à Paul et prends-la avec toi.",
    "Puis-je avoir du pain ? Ai-je oublié quelque chose ?",
    "Qu'est-ce que c'est ? Est-ce à toi ?",
    "J'ai envie de le voir et de les entendre.",
    "Mon amie et son école.",
    "Elle vient avec elle et part sans eux.",
    "Les amis que j'ai avec elle sont là.",
    "Il a dit que oui. Ça va, et toi ?",
    "Nous vous parlons ; il nous mange des yeux.",
    "Un peu de pain, peut-être. Il peut venir un peu plus tard.",
    "Je ne sais pas si j'aurais le temps.",
    "La ville ou la campagne ? La mer ou elle ?",
    "Là où il va, on peut le suivre.",
    "Quand à midi la cloche sonne, on mange.",
    "Ses amis et ces gens sont venus. Sa maison est grande.",
    "Tout les oppose. Tous le savent.",
    "Leurs enfants leur parlent.",
    "Il y a 3,14 kg de riz à 10:30, soit 1,5 euro.",
    "Voir https://example.com/a?b=c:d, ou écrire à moi@example.com.",
    "Le fichier data.csv est dans C:\\temp\\x, ligne 3:14.",
    "M. Martin et Mme Durand, cf. p. 12, etc.",
    "« Vraiment ! » dit-il. Hélas ! il est parti.",
    "Elle dit : « Oui. »",
    "- un point\n- un autre\n    une ligne en retrait",
    "La IIIe République, l'ONU et la SNCF.",
    "Le prix de l'iPhone, de Oui et de A à Z.",
    "Un porte-monnaie, des porte-clés, un garde-manger.",
    "Ceux qui en ont peuvent venir.",
    "On est contents, ils ont mangé, elles sont parties.",
    "Je suis le chemin que tu suis.",
    "Il s'est un peu reposé. Elle se livre.",
    "Nous avons une maison, deux chevaux et trois fils.",
    "Le nez, les nez ; le bras, les bras.",
    "Rien de changé, personne de blessé.",
    "L'un dort, l'autre mange. Les uns et les autres.",
    "Cela dépend de toi :) ou de moi ;-)",
    "Le code `x=1;y=2` et <b>le gras</b> restent.",
    "Ce à quoi je pense, c'est à lui.",
    "La une du journal, l'une des pages.",
    "Il en a un, elle l'a vue, on l'avait dit.",
    "",
    "   \n\t  ",
    "!!! ??? ... ,,, ;;;",
)


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [(rule, wrong, right) for rule, pairs in FLAGGED.items() for wrong, right in pairs],
)
def test_a_rule_finds_what_it_is_for(rule: str, wrong: str, right: str) -> None:
    checked = check(wrong)

    assert checked.corrected == right
    assert {issue.rule for issue in checked.issues} == {rule}
    assert all(wrong[issue.start : issue.end] == issue.found for issue in checked.issues)
    assert all(issue.message.endswith(".") for issue in checked.issues)


def test_every_rule_has_an_example() -> None:
    assert FLAGGED.keys() == RULES.keys()


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_or_may_be_is_not_flagged(text: str) -> None:
    assert [(issue.rule, issue.found) for issue in check(text).issues] == []


def test_several_mistakes_of_one_text_are_told_in_its_own_places() -> None:
    text = "Hier  , il à mangé des pomme avec le homme..."

    checked = check(text)

    assert checked.corrected == "Hier, il a mangé des pommes avec l'homme…"
    assert apply(text, checked.issues) == checked.corrected


def test_a_second_mistake_that_a_correction_uncovers_is_found_too() -> None:
    # il on -> ils ont needs no second look, "on" -> "ont" lets the participle be seen
    text = "Ils on manger."

    checked = check(text)

    assert checked.corrected == "Ils ont mangé."
    assert apply(text, checked.issues) == checked.corrected


def test_a_text_beyond_the_bound_is_refused() -> None:
    check("a" * TEXT_CHARS_MAX)
    with pytest.raises(ValueError, match="10001 characters"):
        check("a" * (TEXT_CHARS_MAX + 1))


def test_plurals_of_the_lexicon() -> None:
    irregular = {"cheval": "chevaux", "bateau": "bateaux", "jeu": "jeux", "prix": "prix"}
    assert {noun: plural(noun) for noun in irregular} == irregular
    assert all(noun == noun.lower() for noun in GENDERS)


def test_the_texts_of_the_scenario_are_corrected_as_it_expects() -> None:
    assert [(wrong, check(wrong).corrected) for wrong, _ in SENTENCES] == list(SENTENCES)
    for number in range(0, len(SENTENCES) ** 4, 977):
        text, right = text_of(number)
        assert check(text).corrected == right


def test_the_seeded_corrections_are_those_of_the_checker() -> None:
    for written in TEXTS:
        checked = check(written.text)
        assert checked.corrected == written.corrected
        assert [
            {name: getattr(issue, name) for name in issue.__struct_fields__}
            for issue in checked.issues
        ] == [found.as_json() for found in written.found]
