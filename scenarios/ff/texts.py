"""What learners write: sentences with mistakes, and as they should be.

The answer of the service is compared with the right ones; a test holds them against the checker.
"""

from __future__ import annotations

from typing import Final

SENTENCES: Final = (
    ("Hier, nous avons visiter le musée de la ville.",
     "Hier, nous avons visité le musée de la ville."),
    ("Il à oublié sa valise à la gare.", "Il a oublié sa valise à la gare."),
    ("Mes voisins on deux chien et trois chat.", "Mes voisins on deux chiens et trois chats."),
    ("Le homme que j'attends arrive en Juillet.", "L'homme que j'attends arrive en juillet."),
    ("Tu parle trop vite pour moi.", "Tu parles trop vite pour moi."),
    ("Je vais a la plage tout les jours.", "Je vais à la plage tous les jours."),
    ("Ils son partis avant la fin du film.", "Ils sont partis avant la fin du film."),
    ("Ma amie habite une maison au bord de la mer.",
     "Mon amie habite une maison au bord de la mer."),
    ("C'et un problème difficile , mais je comprends.",
     "C'est un problème difficile, mais je comprends."),
    ("Elle achète des pomme, du pain, etc...", "Elle achète des pommes, du pain, etc."),
    ("Je ne sais pas encore où je passerai l'été.", "Je ne sais pas encore où je passerai l'été."),
    ("Il ce lève tôt car il travaille loin.", "Il se lève tôt car il travaille loin."),
    ("La ville ou je vis est calme le soir.", "La ville où je vis est calme le soir."),
    ("On peut lire le journal au café.", "On peut lire le journal au café."),
    ("Je leurs parle souvent de mon pays.", "Je leur parle souvent de mon pays."),
    ("Sa va mieux depuis ce matin.", "Ça va mieux depuis ce matin."),
)  # fmt: skip
"""(as written, as it should be); each ends a sentence, so they can be put one behind another. What
the rules do not see stays: learners' texts have that, too."""

SENTENCES_A_TEXT: Final = 4


def text_of(number: int) -> tuple[str, str]:
    """Text ``number``, as written and as it should be: one of 16^4."""
    chosen = [
        SENTENCES[number // len(SENTENCES) ** place % len(SENTENCES)]
        for place in range(SENTENCES_A_TEXT)
    ]
    return " ".join(wrong for wrong, _ in chosen), " ".join(right for _, right in chosen)
