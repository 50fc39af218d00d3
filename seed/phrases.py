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
ACTIVITIES = (
    ("Sentier des crêtes", "randonnee", "Boucle balisée de deux heures, vue sur la vallée."),
    ("Musée du village", "visite", "Ouvert du mercredi au dimanche, gratuit pour les enfants."),
    ("Auberge du pont", "restaurant", "Cuisine du marché, terrasse au bord de l'eau."),
    ("Plage du lac", "baignade", "Surveillée en juillet et en août, pédalos à louer."),
    ("Marché des producteurs", "marche", "Le samedi matin, fromages et légumes d'ici."),
    ("Ferme pédagogique", "enfants", "Les enfants nourrissent les animaux à dix heures."),
    ("Location de vélos", "sport", "Vélos électriques et remorques, sur réservation."),
    ("Distillerie", "autre", "Visite de la salle des alambics, dégustation pour les adultes."),
    ("Gorges et belvédères", "randonnee", "Départ au parking du pont, prévoir de l'eau."),
    ("Château fort", "visite", "Visite aux flambeaux le vendredi soir en été."),
    ("Crêperie du port", "restaurant", "Galettes au blé noir, cidre fermier."),
    ("Piscine municipale", "baignade", "Bassin couvert, toboggan, fermée le lundi."),
    ("Marché de nuit", "marche", "Le jeudi en été, artisans et musique."),
    ("Parc d'aventure", "enfants", "Parcours dans les arbres dès quatre ans."),
    ("Canoë sur la rivière", "sport", "Descente de huit kilomètres, retour en navette."),
    ("Observatoire", "autre", "Soirées d'astronomie quand le ciel est clair."),
    ("Voie verte", "randonnee", "Ancienne voie ferrée, plate et ombragée."),
    ("Abbaye romane", "visite", "Cloître et jardin médicinal, concerts en été."),
    ("Table du vigneron", "restaurant", "Menu unique, vins du domaine, réserver la veille."),
    ("Cascade", "baignade", "Vasque d'eau fraîche à vingt minutes à pied."),
    ("Foire aux fleurs", "marche", "Premier dimanche du mois sur la place."),
    ("Labyrinthe de maïs", "enfants", "Ouvert de juillet à septembre, énigmes pour tous."),
    ("Parapente", "sport", "Baptême en biplace avec un moniteur."),
    ("Atelier de poterie", "autre", "Initiation de deux heures, pièces cuites sur place."),
)
"""Name, category and description of things to do; neighbours are of different categories."""
TRIP_REASONS = (
    "Accueil des voyageurs", "Ménage", "État des lieux", "Courses", "Réparation", "Jardin",
    "Remise des clés", "Rendez-vous avec un artisan", "Dépôt du linge", "Déchetterie",
)  # fmt: skip
NOTICES = (
    ("reservation", "Nouvelle réservation", "Un séjour a été réservé sur une plateforme."),
    ("reservation", "Réservation modifiée", "Les dates d'un séjour ont changé."),
    ("reservation", "Réservation annulée", "Un voyageur a annulé son séjour."),
    ("reservation", "Arrivée demain", "Un voyageur arrive demain, le ménage est prévu."),
    ("hour_request", "Demande d'horaire", "Un voyageur souhaite arriver à une autre heure."),
    ("feedback", "Nouvel avis", "Un voyageur a laissé un avis sur son séjour."),
    ("sync", "Calendrier synchronisé", "De nouvelles dates ont été importées."),
    ("sync", "Calendrier injoignable", "La plateforme ne répond pas, un nouvel essai suivra."),
    ("system", "Maintenance prévue", "Le service sera interrompu cette nuit pendant une heure."),
)
"""Kind, title and body."""

FEED_ERRORS = (
    "no answer within 10 s",
    "HTTP 503",
    "HTTP 404",
    "connection refused",
    "not an iCalendar file",
)
ERRORS = (
    ("reservations", "La réservation n'a pas pu être enregistrée."),
    ("calendar", "Le calendrier n'a pas pu être affiché."),
    ("statistics", "Les statistiques ne répondent pas."),
    ("exports", "Le téléchargement a été interrompu."),
    ("network", "Le réseau est indisponible."),
    ("sync", "La synchronisation a échoué."),
)
"""Where an error was caught, and its message."""

TICKETS = (
    ("Calendrier en double", "Deux réservations apparaissent le même jour."),
    ("Plateforme non connectée", "Le lien iCal de la plateforme n'est plus accepté."),
    ("Changement de formule", "Je souhaite passer à la formule premium."),
    ("Facture manquante", "Je ne trouve pas la facture du mois dernier."),
    ("Tarifs décalés", "Les prix affichés ne sont pas ceux que j'ai saisis."),
    ("Mot de passe oublié", "Je ne reçois pas le message de réinitialisation."),
    ("Ajout d'un gîte", "Comment ajouter un deuxième gîte ?"),
)
"""Subject and message of what clients ask."""
