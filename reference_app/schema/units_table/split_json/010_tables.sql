-- The split of source 002 (B-101 ... B-105): few columns, JSONB, a row a language and a row a contact.
-- Its five tables have exactly the sources' 47 columns; infos_gites_complements holds what they have
-- no place for.

CREATE TABLE infos_gites_core (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gite_id           uuid NOT NULL,
    owner_user_id     uuid NOT NULL,
    nom               text NOT NULL,
    adresse_complete  text NOT NULL DEFAULT '',
    latitude          numeric(10,8),
    longitude         numeric(11,8),
    telephone_urgence text,
    email_contact     text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE infos_gites_wifi (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gite_id            uuid NOT NULL,
    ssid               text,
    wifi_password      text,
    qr_code_url        text,
    debit_approximatif text,
    localisation_box   text,
    zones_reception    text[],
    created_at         timestamptz NOT NULL DEFAULT now()
);

-- hours and access code are the gîte's, so both languages say the same
CREATE TABLE infos_gites_consignes (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gite_id              uuid NOT NULL,
    langue               text NOT NULL DEFAULT 'fr' CHECK (langue IN ('fr', 'en')),
    consignes_arrivee    text,
    consignes_sejour     text,
    consignes_sortie     text,
    code_acces           text,
    instructions_parking text,
    horaire_arrivee      time NOT NULL DEFAULT '16:00',
    horaire_depart       time NOT NULL DEFAULT '10:00',
    created_at           timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE infos_gites_equipements (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gite_id    uuid NOT NULL,
    chauffage  jsonb NOT NULL DEFAULT '{}',
    cuisine    jsonb NOT NULL DEFAULT '{}',
    multimedia jsonb NOT NULL DEFAULT '{}',
    exterieur  jsonb NOT NULL DEFAULT '{}',
    divers     jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE infos_gites_contacts (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    gite_id       uuid NOT NULL,
    type          text NOT NULL CHECK (type IN
        ('proprietaire', 'samu', 'pompiers', 'police', 'medecin', 'pharmacie', 'plombier',
         'electricien', 'veterinaire')),
    nom           text,
    telephone     text,
    adresse       text,
    disponibilite text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(nom, telephone, adresse, disponibilite) > 0)
);

CREATE TABLE infos_gites_complements (
    gite_id uuid PRIMARY KEY,
    donnees jsonb NOT NULL DEFAULT '{}'
);
