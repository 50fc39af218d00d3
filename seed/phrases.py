"""French sentences of guests, owners and the service: frozen pools, without a sign COPY escapes."""

from __future__ import annotations

HOUR_MESSAGES = (
    "Notre train arrive tard, est-ce possible ?",
    "Nous avons un jeune enfant et préférons arriver plus tôt.",
    "Nous venons de Bretagne, la route est longue.",
    "Pourrions-nous laisser les bagages avant ?",
    "Nous repartons tôt, merci de nous dire où laisser la clé.",
    "Un mariage dans le village nous retiendra jusqu'au soir.",
    "",
)
COMMENTS_BY_NOTE: dict[int, tuple[str, ...]] = {
    1: ("Le chauffage ne marchait pas, nous sommes partis avant la fin.",),
    2: ("Ménage insuffisant à notre arrivée.", "Beaucoup plus bruyant que nous ne pensions."),
    3: (
        "Correct, mais la literie est à changer.",
        "Bel endroit, le wifi ne va pas jusqu'à la chambre.",
    ),
    4: (
        "Très bon séjour, la cuisine est un peu petite.",
        "Accueil chaleureux, l'accès est difficile à trouver.",
        "",
    ),
    5: (
        "Séjour parfait, nous reviendrons !",
        "Maison magnifique et très bien équipée.",
        "Les enfants ont adoré la piscine et le jardin.",
        "Merci pour l'accueil et les bonnes adresses.",
        "",
    ),
}
