-- Reference data (B-07 ... B-10): the four plans, and what each grants. Limits are data, not code
-- (B-11): ON CONFLICT DO NOTHING leaves what an operator changed as it is.
-- Each plan contains the smaller ones. Premium 6/20 and Pro 9/47 are the sources' figures; Free
-- 3/8 and Institutional 12/100 are ours (decision 0023). Ids are derived from slugs.

INSERT INTO subscription_plans (id, slug, name, max_schools, max_students, max_staff, max_storage)
SELECT md5('plan/' || slug)::uuid, slug, name, max_schools, max_students, max_staff, max_storage
FROM (VALUES
    ('free',          'Gratuit',         1,   100,   5,   1),
    ('premium',       'Premium',         3,   500,  20,  10),
    ('pro',           'Pro',            10,  2000,  50,  50),
    ('institutional', 'Institutionnel', 999, 50000, 500, 500)
) AS plans (slug, name, max_schools, max_students, max_staff, max_storage)
ON CONFLICT DO NOTHING;

-- rank: the smallest plan that grants it; 1 free, 2 premium, 3 pro, 4 institutional
CREATE TEMPORARY TABLE reference_categories (slug text, name text, rank integer) ON COMMIT DROP;
INSERT INTO reference_categories VALUES
    ('scolarite', 'Scolarité', 1),
    ('vie-scolaire', 'Vie scolaire', 1),
    ('communication', 'Communication', 1),
    ('pedagogie', 'Pédagogie', 2),
    ('evaluations', 'Évaluations', 2),
    ('finances', 'Finances', 2),
    ('ressources-humaines', 'Ressources humaines', 3),
    ('cantine', 'Restauration', 3),
    ('transport', 'Transport scolaire', 3),
    ('pilotage', 'Pilotage', 4),
    ('patrimoine', 'Patrimoine', 4),
    ('integrations', 'Intégrations', 4);

CREATE TEMPORARY TABLE reference_modules (category text, rank integer, names text[]) ON COMMIT DROP;
INSERT INTO reference_modules VALUES
    ('scolarite', 1, ARRAY['Inscriptions', 'Dossiers des élèves', 'Classes']),
    ('scolarite', 2, ARRAY['Réinscriptions']),
    ('scolarite', 3, ARRAY['Certificats', 'Transferts', 'Listes d''attente']),
    ('scolarite', 4, ARRAY['Fratries', 'Bourses', 'Archives scolaires', 'Recensement']),
    ('vie-scolaire', 1, ARRAY['Absences', 'Retards', 'Emploi du temps']),
    ('vie-scolaire', 2, ARRAY['Sanctions']),
    ('vie-scolaire', 3, ARRAY['Permanences', 'Internat', 'Infirmerie']),
    ('vie-scolaire', 4, ARRAY['Orientation', 'Délégués', 'Clubs', 'Sorties']),
    ('communication', 1, ARRAY['Messagerie', 'Annonces']),
    ('communication', 2, ARRAY['Agenda partagé']),
    ('communication', 3, ARRAY['SMS aux familles', 'Sondages', 'Rendez-vous']),
    ('communication', 4, ARRAY[
        'Lettre d''information', 'Site de l''école', 'Alertes d''urgence', 'Traductions']),
    ('pedagogie', 2, ARRAY['Cahier de textes', 'Devoirs', 'Progressions']),
    ('pedagogie', 3, ARRAY['Ressources en ligne', 'Bibliothèque']),
    ('pedagogie', 4, ARRAY['Projets', 'Tutorat', 'Besoins particuliers', 'Formation à distance']),
    ('evaluations', 2, ARRAY['Notes', 'Bulletins', 'Compétences']),
    ('evaluations', 3, ARRAY['Conseils de classe', 'Examens blancs']),
    ('evaluations', 4, ARRAY[
        'Livret scolaire', 'Examens nationaux', 'Sujets', 'Statistiques de réussite']),
    ('finances', 2, ARRAY['Frais de scolarité', 'Encaissements', 'Relances']),
    ('finances', 3, ARRAY['Facturation', 'Remises']),
    ('finances', 4, ARRAY['Budget', 'Comptabilité', 'Caisse', 'Rapprochement bancaire']),
    ('ressources-humaines', 3, ARRAY['Personnel', 'Contrats', 'Congés', 'Pointage']),
    ('ressources-humaines', 4, ARRAY['Paie', 'Recrutement', 'Formation continue', 'Entretiens']),
    ('cantine', 3, ARRAY['Menus', 'Repas', 'Régimes', 'Badges']),
    ('cantine', 4, ARRAY['Stocks', 'Fournisseurs', 'Allergènes', 'Hygiène']),
    ('transport', 3, ARRAY['Lignes', 'Arrêts', 'Véhicules', 'Chauffeurs']),
    ('transport', 4, ARRAY['Suivi des trajets', 'Entretien des véhicules', 'Abonnements']),
    ('pilotage', 4, ARRAY[
        'Tableau de bord du groupe', 'Comparaison des écoles', 'Prévisions d''effectifs', 'Objectifs', 'Rapports', 'Audit']),
    ('patrimoine', 4, ARRAY[
        'Bâtiments', 'Salles', 'Réservations de salles', 'Matériel', 'Inventaire', 'Maintenance']),
    ('integrations', 4, ARRAY[
        'Interface de programmation', 'Notifications sortantes', 'Annuaire', 'Authentification unique', 'Imports', 'Exports']);

INSERT INTO categories (id, slug, name)
SELECT md5('category/' || slug)::uuid, slug, name FROM reference_categories
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE ranked_modules ON COMMIT DROP AS
SELECT m.category, m.rank, named.name,
       m.category || '-' || lpad(
           (row_number() OVER (PARTITION BY m.category ORDER BY m.rank, named.place))::text, 2, '0'
       ) AS slug
FROM reference_modules m, unnest(m.names) WITH ORDINALITY AS named (name, place);

INSERT INTO modules (id, category_id, slug, name)
SELECT md5('module/' || slug)::uuid, md5('category/' || category)::uuid, slug, name
FROM ranked_modules
ON CONFLICT DO NOTHING;

-- Grants only at the first time: an operator may have taken some away since.
INSERT INTO plan_categories (plan_id, category_id)
SELECT md5('plan/' || p.slug)::uuid, md5('category/' || c.slug)::uuid
FROM (VALUES ('free', 1), ('premium', 2), ('pro', 3), ('institutional', 4)) AS p (slug, rank)
JOIN reference_categories c ON c.rank <= p.rank
WHERE NOT EXISTS (SELECT FROM plan_categories);

INSERT INTO plan_modules (plan_id, module_id)
SELECT md5('plan/' || p.slug)::uuid, md5('module/' || m.slug)::uuid
FROM (VALUES ('free', 1), ('premium', 2), ('pro', 3), ('institutional', 4)) AS p (slug, rank)
JOIN ranked_modules m ON m.rank <= p.rank
WHERE NOT EXISTS (SELECT FROM plan_modules);
