"""The tables the seed fills, their columns in COPY order, and rows as lines of COPY text.

A line holds one row as PostgreSQL itself writes it with ``DateStyle`` ISO and ``TimeZone`` UTC:
fields separated by tabs, ``\\N`` for NULL. So the line that goes in is byte for byte the line that
``COPY ... TO`` gives back, and one hash serves both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

NULL = "\\N"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the columns the seed writes; it writes all of them, defaults included."""

    name: str
    columns: tuple[str, ...]

    def line(self, *values: object) -> str:
        """One row as a line; for tables too small for a faster way.

        Raises:
            ValueError: The values do not fit the columns, or one needs escaping.
        """
        if len(values) != len(self.columns):
            raise ValueError(f"{len(values)} values for {len(self.columns)} columns of {self.name}")
        texts = [NULL if value is None else str(value) for value in values]
        if any(sign in text for text in texts for sign in "\t\n\r\\" if text != NULL):
            raise ValueError(f"a value of {self.name} needs escaping: {texts}")
        return "\t".join(texts)


USERS = Table("users", ("id", "email", "password_hash", "role", "school_group_id", "created_at"))
GITES = Table(
    "gites",
    (
        "id", "owner_user_id", "nom", "ville", "code_postal", "capacite", "couleur", "actif",
        "ical_url", "last_synced_at", "created_at",
    ),
)  # fmt: skip
RESERVATIONS = Table(
    "reservations",
    (
        "id", "gite_id", "owner_user_id", "date_debut", "date_fin", "client_nom", "client_email",
        "voyageurs", "plateforme", "status", "prix_centimes", "ical_uid", "created_at",
        "updated_at",
    ),
)  # fmt: skip
SCHOOL_GROUPS = Table("school_groups", ("id", "name", "created_at"))
SUBSCRIPTION_PLANS = Table(
    "subscription_plans",
    ("id", "slug", "name", "max_schools", "max_students", "max_staff", "max_storage"),
)
SUBSCRIPTIONS = Table(
    "subscriptions",
    (
        "id", "school_group_id", "plan_id", "status", "cycle", "starts_on", "ends_on",
        "created_at", "updated_at", "period", "anchor_day", "auto_renew", "grace_until",
        "suspended_at",
    ),
)  # fmt: skip
SCHOOLS = Table("schools", ("id", "school_group_id", "name", "city", "created_at"))
STUDENTS = Table("students", ("id", "school_group_id", "school_id", "name", "created_at"))
STAFF = Table("staff", ("id", "school_group_id", "school_id", "name", "position", "created_at"))
STORED_FILES = Table("stored_files", ("id", "school_group_id", "name", "size_bytes", "created_at"))
SCHOOL_MODULES = Table(
    "school_modules", ("school_id", "school_group_id", "module_id", "assigned_at")
)
WEBHOOK_ENDPOINTS = Table(
    "webhook_endpoints",
    (
        "id", "school_group_id", "url", "types", "is_active", "secret_version", "verified_at",
        "created_at", "updated_at",
    ),
)  # fmt: skip

CLIENT_ACCESS_TOKENS = Table(
    "client_access_tokens",
    (
        "id", "token", "reservation_id", "gite_id", "owner_user_id", "scope", "created_at",
        "expires_at", "revoked_at",
    ),
)  # fmt: skip
HOUR_REQUESTS = Table(
    "hour_requests",
    (
        "id", "reservation_id", "gite_id", "owner_user_id", "heure_arrivee", "heure_depart",
        "message", "status", "created_at", "decided_at",
    ),
)  # fmt: skip
GUEST_FEEDBACK = Table(
    "guest_feedback",
    (
        "id", "reservation_id", "gite_id", "owner_user_id", "note", "commentaire", "created_at",
    ),
)  # fmt: skip
ACTIVITES_GITES = Table(
    "activites_gites",
    (
        "id", "gite_id", "owner_user_id", "nom", "categorie", "description", "adresse",
        "distance_m", "created_at",
    ),
)  # fmt: skip
CLEANING_SCHEDULE = Table(
    "cleaning_schedule",
    (
        "id", "gite_id", "owner_user_id", "reservation_id", "date", "status", "intervenant",
        "created_at", "updated_at",
    ),
)  # fmt: skip
LINEN_STOCKS = Table(
    "linen_stocks",
    ("id", "gite_id", "owner_user_id", "article", "total", "propres", "updated_at"),
)
SIMULATIONS_FISCALES = Table(
    "simulations_fiscales",
    ("id", "owner_user_id", "annee", "regime", "resultat", "created_at"),
)
KM_TRAJETS = Table(
    "km_trajets",
    (
        "id", "owner_user_id", "gite_id", "date", "depart", "arrivee", "hectometres", "motif",
        "created_at",
    ),
)  # fmt: skip
NOTIFICATIONS = Table(
    "notifications",
    ("id", "user_id", "kind", "title", "body", "is_read", "created_at", "read_at"),
)
SYNC_QUEUE = Table(
    "sync_queue",
    (
        "task_id", "user_id", "gite_id", "priority", "status", "retries", "created_at",
        "available_at", "started_at", "lease_until", "worker", "completed_at", "failed_at",
        "last_error", "error_message",
    ),
)  # fmt: skip
SYNC_LOGS = Table(
    "sync_logs",
    (
        "id", "task_id", "user_id", "gite_id", "status", "added", "updated", "removed",
        "skipped", "duration_ms", "error", "synced_at",
    ),
)  # fmt: skip
CM_CLIENTS = Table("cm_clients", ("id", "email", "nom", "created_at"))
CM_SUBSCRIPTIONS = Table(
    "cm_subscriptions",
    ("id", "client_id", "formule", "status", "starts_on", "ends_on", "created_at"),
)
CM_SUPPORT_TICKETS = Table(
    "cm_support_tickets",
    ("id", "client_id", "status", "sujet", "message", "created_at", "updated_at"),
)
ERROR_LOGS = Table("error_logs", ("id", "timestamp", "source", "message", "user_id", "request_id"))

INFOS_GITES = Table(
    "infos_gites",
    (
        "id", "gite_id", "owner_user_id", "nom", "adresse", "ville", "code_postal", "latitude",
        "longitude", "wifi_ssid", "wifi_password", "wifi_qr_code", "pays", "capacite_personnes",
        "nombre_chambres", "photo_url", "couleur_calendrier", "actif", "telephone_urgence",
        "email_contact", "wifi_debit_approximatif", "wifi_localisation_box", "wifi_zones_reception",
        "heure_arrivee", "heure_depart", "code_acces", "emplacement_cles", "consignes_arrivee_fr",
        "consignes_sejour_fr", "consignes_sortie_fr", "instructions_parking_fr",
        "consignes_chauffage_fr", "consignes_cuisine_fr", "consignes_tv_fr",
        "consignes_machine_laver_fr", "consignes_piscine_fr", "consignes_poubelles_fr",
        "consignes_arrivee_en", "consignes_sejour_en", "consignes_sortie_en",
        "instructions_parking_en", "consignes_chauffage_en", "consignes_cuisine_en",
        "consignes_tv_en", "consignes_machine_laver_en", "consignes_piscine_en",
        "consignes_poubelles_en", "acces_handicape", "animaux_acceptes", "animaux_supplement",
        "chauffage_type", "chauffage_thermostat", "type_machine_cafe", "a_lave_vaisselle", "a_four",
        "a_micro_ondes", "type_plaques", "a_tv", "netflix", "netflix_login", "amazon_prime",
        "disney_plus", "streaming_codes", "a_console", "a_machine_laver", "a_seche_linge",
        "a_barbecue", "a_piscine", "piscine_chauffee", "a_spa", "a_cheminee", "a_jardin",
        "nom_proprietaire", "telephone_proprietaire", "adresse_proprietaire",
        "disponibilite_proprietaire", "nom_samu", "telephone_samu", "adresse_samu",
        "disponibilite_samu", "nom_pompiers", "telephone_pompiers", "adresse_pompiers",
        "disponibilite_pompiers", "nom_police", "telephone_police", "adresse_police",
        "disponibilite_police", "medecin_local", "telephone_medecin", "adresse_medecin",
        "disponibilite_medecin", "pharmacie_garde", "telephone_pharmacie", "adresse_pharmacie",
        "disponibilite_pharmacie", "plombier_urgence", "telephone_plombier", "adresse_plombier",
        "disponibilite_plombier", "electricien_urgence", "telephone_electricien",
        "adresse_electricien", "disponibilite_electricien", "nom_veterinaire",
        "telephone_veterinaire", "adresse_veterinaire", "disponibilite_veterinaire", "created_at",
        "updated_at", "reserve_1", "reserve_2", "reserve_3", "reserve_4", "reserve_5", "reserve_6",
        "reserve_7", "reserve_8", "reserve_9",
    ),
)  # fmt: skip
"""One row a gîte, 119 columns (B-98)."""

LEARNERS = Table("learners", ("user_id", "plan_id", "level", "created_at"))
LEARNING_SESSIONS = Table("learning_sessions", ("id", "user_id", "started_at", "ended_at"))
CORRECTIONS = Table(
    "corrections",
    (
        "id", "user_id", "session_id", "text", "corrected", "issues", "issue_count",
        "created_at",
    ),
)  # fmt: skip
EXERCISE_ANSWERS = Table(
    "exercise_answers",
    ("id", "user_id", "session_id", "exercise_id", "answer", "is_right", "created_at"),
)

TABLES = (
    USERS, GITES, INFOS_GITES, RESERVATIONS, CLIENT_ACCESS_TOKENS, HOUR_REQUESTS, GUEST_FEEDBACK,
    ACTIVITES_GITES, CLEANING_SCHEDULE, LINEN_STOCKS, SIMULATIONS_FISCALES, KM_TRAJETS,
    NOTIFICATIONS, SYNC_QUEUE, SYNC_LOGS, CM_CLIENTS, CM_SUBSCRIPTIONS, CM_SUPPORT_TICKETS,
    ERROR_LOGS, SCHOOL_GROUPS, SUBSCRIPTION_PLANS, SUBSCRIPTIONS, SCHOOLS, STUDENTS, STAFF,
    STORED_FILES, SCHOOL_MODULES, WEBHOOK_ENDPOINTS, LEARNERS, LEARNING_SESSIONS, CORRECTIONS,
    EXERCISE_ANSWERS,
)  # fmt: skip
"""In an order in which each row's references exist already."""

Lines = dict[Table, list[str]]
"""Rows as lines, table by table."""
