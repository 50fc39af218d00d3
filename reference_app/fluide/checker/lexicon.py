"""Frequent nouns with their gender, and the sounds at the start of words.

Only words of one gender are in; ``une mode`` and ``un mode`` are two words, so neither is. Words
that are a verb form too (``il la porte``) are marked, for rules that would take a pronoun for an
article.
"""

from __future__ import annotations

from typing import Final, Literal

Gender = Literal["m", "f"]


def listed(words: str) -> tuple[str, ...]:
    """Words of a text, as rules list them."""
    return tuple(words.split())


_MASCULINE: Final = """
homme garçon père frère fils ami chat chien oiseau cheval animal arbre jardin village pays jour
matin soir mois an siècle moment instant temps bureau problème exemple exercice film roman mot
texte verbe nom prénom numéro repas pain vin fromage gâteau café thé fruit légume poisson riz sac
stylo cahier crayon ordinateur téléphone bateau train avion vélo camion bus métro chemin mur
fauteuil miroir tableau chapeau manteau pantalon pied bras doigt cœur corps visage nez dos ventre
directeur acteur chanteur roi soldat voisin cousin oncle été hiver printemps automne ciel soleil
vent nuage orage océan fleuve lac désert monde hôtel restaurant magasin musée cinéma théâtre
hôpital collège lycée examen diplôme résultat succès échec projet plan cadeau anniversaire mariage
billet argent prix salaire métier client groupe match sport jeu ballon football bruit silence
accident danger feu papier verre couteau courage bonheur malheur plaisir besoin espoir amour
gouvernement peuple président message courriel journal article chapitre paragraphe dictionnaire
accent pluriel singulier genre souvenir exposé défaut escalier appartement immeuble étage quartier
étudiant
"""
_FEMININE: Final = """
femme fille mère sœur tante amie cousine voisine maison école leçon langue phrase lettre histoire
ville rue route voiture fenêtre chambre salle table chaise lampe clé photo image musique chanson
semaine année journée soirée nuit heure minute fois saison pluie mer plage montagne forêt campagne
rivière île fleur herbe feuille pomme eau viande soupe salade tarte bouteille assiette tasse
cuillère fourchette robe jupe chemise chaussure veste main tête jambe bouche oreille dent peau voix
vie santé maladie idée question réponse erreur faute grammaire orthographe conjugaison dictée
moyenne matière science religion loi guerre paix société entreprise usine machine télévision radio
église mairie bibliothèque librairie boulangerie pharmacie banque valise chose personne raison
vérité liberté beauté bonté qualité quantité partie vitesse peur joie colère tristesse chance
promesse famille émotion habitude adresse aventure activité absence étude opinion envie
expérience étoile étudiante
"""

_VERB_FORMS_TOO: Final = frozenset(
    listed(
        """
        souvenir adresse aventure étude envie voyage bois lit cours porte place classe note
        montre danse cuisine garde aide reste demande cause force charge marche pense livre
        règle gare équipe seconde fête neige rêve travail
        """
    )
)
"""Nouns that follow the pronouns ``le``, ``la`` and ``les`` as verbs."""

_MASCULINE_VERBS: Final = "voyage bois lit cours rêve travail"
_FEMININE_VERBS: Final = """
porte place classe note montre danse cuisine demande cause force charge marche règle gare équipe
seconde fête neige
"""

GENDERS: Final[dict[str, Gender]] = {
    **dict.fromkeys(f"{_MASCULINE} {_MASCULINE_VERBS}".split(), "m"),
    **dict.fromkeys(f"{_FEMININE} {_FEMININE_VERBS}".split(), "f"),
}
"""Nouns in the singular."""

_IRREGULAR: Final = {"cheval": "chevaux", "animal": "animaux", "journal": "journaux",
                     "hôpital": "hôpitaux", "travail": "travaux"}  # fmt: skip


def plural(noun: str) -> str:
    """The plural of a noun of the lexicon."""
    if noun in _IRREGULAR:
        return _IRREGULAR[noun]
    if noun.endswith(("s", "x", "z")):
        return noun
    return noun + ("x" if noun.endswith(("eau", "eu")) else "s")


PLURALS: Final[frozenset[str]] = frozenset(plural(noun) for noun in GENDERS)


def is_verb_form_too(noun: str) -> bool:
    return noun in _VERB_FORMS_TOO


# sounds -------------------------------------------------------------------------------------

_VOWELS: Final = frozenset("aàâäeéèêëiîïoôöuùûüœæ")

_MUTE_H: Final = frozenset(
    listed(
        """
        habile habit habits habitant habitants habitante habitude habitudes haleine hameçon
        harmonie hectare herbe herbes heure heures heureux heureuse hésitation hier histoire
        histoires historien historique hiver hivers hommage homme hommes honnête honnêteté
        honneur honneurs honte horaire horaires horizon horloge horreur hôpital hôpitaux hôte
        hôtel hôtels hôtesse huile huître humain humaine humains humanité humeur humidité
        humilité humour hygiène hymne hypothèse habiter hésiter
        """
    )
)
"""Of frequent words with an h, those whose h is mute; any other h is left alone."""

_NO_LINK: Final = frozenset(
    listed(
        """
        onze onzième onzièmes oui ouistiti ouistitis oued oueds uhlan ululement un une unième et
        ou où ah eh oh euh ier ière
        """
    )
)
"""They begin with a vowel, and nothing, or not everything, is elided before them."""


def begins_with_vowel(word: str) -> bool:
    """A word, in small letters, before which ``le`` becomes ``l'``; unsure means no."""
    if len(word) < 2:
        return word == "y"
    if word in _NO_LINK or word.startswith("oua"):
        return False
    return word[0] in _VOWELS or word in _MUTE_H
