-- Reference data of FrançaisFluide. The quotas are ours: source 003 names no plan (decision 0097).
-- An explanation has the name of its rule (reference_app/fluide/checker/rules.py); ids are derived
-- from slugs. An operator's change stays.

INSERT INTO learner_plans
    (id, slug, name, corrections_per_day, exercises_per_day, explanations_per_day, text_chars_max)
SELECT md5('learner_plan/' || slug)::uuid, slug, name, corrections, exercises, explanations, chars
FROM (VALUES
    ('decouverte', 'Découverte',    20,    20,   10,  1000),
    ('essentiel',  'Essentiel',    200,   200,  100,  5000),
    ('intensif',   'Intensif',    2000,  2000, 1000, 10000)
) AS plans (slug, name, corrections, exercises, explanations, chars)
ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE reference_explanations (slug text, title text, body text) ON COMMIT DROP;
INSERT INTO reference_explanations VALUES
    ('espaces-multiples', 'Une seule espace entre deux mots',
     'Deux mots sont séparés par une espace, jamais deux. Les alignements se font avec la mise en page.'),
    ('espace-avant-virgule', 'Pas d''espace avant la virgule ni le point',
     'La virgule et le point suivent le mot sans espace ; une espace vient après eux.'),
    ('espace-apres-virgule', 'Une espace après la virgule',
     'La virgule est suivie d''une espace, sauf dans un nombre : 3,14.'),
    ('espace-avant-signe-double', 'Une espace avant les signes doubles',
     'Les signes en deux parties ; : ! ? sont précédés d''une espace insécable, pour ne pas commencer une ligne.'),
    ('points-de-suspension', 'Les points de suspension',
     'Ils sont trois et forment un seul signe : …'),
    ('etc', 'L''abréviation etc.',
     'Elle finit par un point et n''est pas suivie de points de suspension : elle dit déjà que la liste continue.'),
    ('guillemets', 'Les guillemets français',
     'Une espace insécable suit le guillemet ouvrant et précède le guillemet fermant : « oui ».'),
    ('parentheses', 'Les parenthèses',
     'Les parenthèses touchent ce qu''elles entourent ; les espaces sont à l''extérieur.'),
    ('majuscule', 'La majuscule au début de la phrase',
     'Une phrase commence par une majuscule. Après un point d''exclamation ou d''interrogation, la phrase peut continuer.'),
    ('mois-en-minuscule', 'Les mois et les jours',
     'Les noms des mois et des jours sont des noms communs : en janvier, le lundi.'),
    ('mot-mal-ecrit', 'Des mots souvent mal écrits',
     'Certains mots trompent l''oreille : on écrit « parmi » et « malgré » sans s, « accueil » avec un u après le c.'),
    ('elision', 'L''élision',
     'Devant une voyelle ou un h muet, le, la, je, me, te, se, de, ne et que perdent leur voyelle : l''homme, j''aime, qu''il.'),
    ('cet', 'Ce ou cet',
     'Devant un nom masculin qui commence par une voyelle ou un h muet, « ce » devient « cet » : cet homme.'),
    ('mon-devant-voyelle', 'Mon, ton, son devant une voyelle',
     'Devant un nom féminin qui commence par une voyelle ou un h muet, on emploie mon, ton, son : mon amie.'),
    ('bel-nouvel-vieil', 'Bel, nouvel, vieil',
     'Devant un nom masculin qui commence par une voyelle, beau, nouveau et vieux changent de forme : un bel homme.'),
    ('article-contracte', 'Du, au, des, aux',
     'Devant un nom, « de le » devient « du » et « à le » devient « au ». Devant un verbe, rien ne change : envie de le voir.'),
    ('pluriel', 'Le pluriel du nom',
     'Après les, des, mes, ces ou un nombre, le nom prend la marque du pluriel, le plus souvent un s.'),
    ('genre', 'Le genre du nom',
     'L''article et le nom ont le même genre. Le genre s''apprend avec le mot : un problème, une image.'),
    ('sujet-verbe', 'L''accord du verbe avec le sujet',
     'Le verbe prend la personne de son sujet : je mange, tu manges, ils mangent.'),
    ('participe-infinitif', 'Participe en é ou infinitif en er',
     'Après avoir, on écrit le participe : j''ai mangé. Après un autre verbe ou une préposition, l''infinitif : je peux manger. On remplace par « vendu » ou « vendre ».'),
    ('si-conditionnel', 'Si et le conditionnel',
     'Après « si » qui exprime une condition, on emploie l''imparfait : si j''avais su, je serais venu.'),
    ('a-a-accent', 'A ou à',
     'On écrit « a » quand on peut dire « avait » ; sinon c''est la préposition « à ».'),
    ('est-et', 'Est ou et',
     'On écrit « est » quand on peut dire « était », « et » quand on peut dire « et puis ».'),
    ('son-sont', 'Son ou sont',
     'On écrit « sont » quand on peut dire « étaient », « son » quand on peut dire « mon ».'),
    ('on-ont', 'On ou ont',
     'On écrit « ont » quand on peut dire « avaient », « on » quand on peut dire « il ».'),
    ('ou-ou-accent', 'Ou ou où',
     'On écrit « ou » quand on peut dire « ou bien » ; « où » dit le lieu ou le temps.'),
    ('ces-ses-c-est', 'Ces, ses, c''est, s''est',
     'On écrit « c''est » quand on peut dire « cela est », « s''est » devant un participe : il s''est trompé.'),
    ('se-ce', 'Se ou ce',
     'On écrit « se » devant un verbe et « ce » devant un nom : il se lève, ce matin.'),
    ('peu-peut-peux', 'Peu, peut ou peux',
     '« Peu » est le contraire de « beaucoup » ; je peux, tu peux, il peut viennent du verbe pouvoir.'),
    ('la-l-a', 'La, là ou l''a',
     'On écrit « l''a » quand on peut dire « l''avait » : il l''a vu.'),
    ('quant-a', 'Quand ou quant à',
     '« Quant à » veut dire « en ce qui concerne » : quant à moi. « Quand » dit le moment.'),
    ('sa-ca', 'Sa ou ça',
     'On écrit « ça » quand on peut dire « cela » : ça va. « Sa » se place devant un nom.'),
    ('leur-leurs', 'Leur ou leurs',
     'Devant un verbe, « leur » est invariable : je leur parle.'),
    ('tout-tous', 'Tout ou tous',
     '« Tout » s''accorde avec le nom : tout le monde, tous les jours.'),
    ('ai-est', 'Je n''ai ou je n''est',
     'Avec « je », le verbe avoir s''écrit « ai » : je n''ai pas le temps.');

INSERT INTO explanations (id, slug, rule, title, body)
SELECT md5('explanation/' || slug)::uuid, slug, slug, title, body FROM reference_explanations
ON CONFLICT DO NOTHING;

-- The gap is ___; choices are shown in this order.
CREATE TEMPORARY TABLE reference_exercises
    (rule text, level text, prompt text, choices text[], answer text) ON COMMIT DROP;
INSERT INTO reference_exercises VALUES
    ('espaces-multiples', 'A1', 'Bonjour___madame.', ARRAY[' ', '  '], ' '),
    ('espace-avant-virgule', 'A1', 'Oui___ merci.', ARRAY[' ,', ','], ','),
    ('espace-apres-virgule', 'A1', 'Du pain___du vin et du fromage.', ARRAY[', ', ','], ', '),
    ('espace-avant-signe-double', 'A2', 'Où vas-tu___', ARRAY['?', ' ?'], ' ?'),
    ('points-de-suspension', 'A2', 'Il était une fois___', ARRAY['…', '...'], '…'),
    ('etc', 'B1', 'Des pommes, des poires, ___', ARRAY['etc.', 'etc…'], 'etc.'),
    ('guillemets', 'B1', 'Elle dit ___.', ARRAY['«oui»', '« oui »'], '« oui »'),
    ('parentheses', 'A2', 'Un chat ___ dort.', ARRAY['( le mien )', '(le mien)'], '(le mien)'),
    ('majuscule', 'A1', 'Je dors. ___ chat aussi.', ARRAY['mon', 'Mon'], 'Mon'),
    ('mois-en-minuscule', 'A1', 'Je pars en ___.', ARRAY['Juillet', 'juillet'], 'juillet'),
    ('mot-mal-ecrit', 'B1', 'Une erreur ___ d''autres.', ARRAY['parmis', 'parmi'], 'parmi'),
    ('mot-mal-ecrit', 'B2', 'Un ___ chaleureux.', ARRAY['acceuil', 'accueil'], 'accueil'),
    ('elision', 'A1', 'Voici ___.', ARRAY['le homme', 'l''homme'], 'l''homme'),
    ('elision', 'A1', '___ le chocolat.', ARRAY['Je aime', 'J''aime'], 'J''aime'),
    ('elision', 'A2', 'Je crois ___ dort.', ARRAY['que il', 'qu''il'], 'qu''il'),
    ('cet', 'A2', '___ arbre est grand.', ARRAY['Ce', 'Cet'], 'Cet'),
    ('mon-devant-voyelle', 'A2', '___ amie arrive.', ARRAY['Ma', 'Mon'], 'Mon'),
    ('bel-nouvel-vieil', 'B1', 'C''est un ___ hôtel.', ARRAY['nouveau', 'nouvel'], 'nouvel'),
    ('article-contracte', 'A1', 'Le chat ___ voisin.', ARRAY['de le', 'du'], 'du'),
    ('article-contracte', 'A1', 'Je vais ___ cinéma.', ARRAY['à le', 'au'], 'au'),
    ('pluriel', 'A1', 'Elle achète des ___.', ARRAY['pomme', 'pommes'], 'pommes'),
    ('pluriel', 'A2', 'Il lit trois ___.', ARRAY['journal', 'journaux'], 'journaux'),
    ('genre', 'A1', 'C''est ___ problème.', ARRAY['une', 'un'], 'un'),
    ('genre', 'A1', '___ maison est grande.', ARRAY['Le', 'La'], 'La'),
    ('sujet-verbe', 'A1', 'Tu ___ bien.', ARRAY['parle', 'parles'], 'parles'),
    ('sujet-verbe', 'A1', 'Ils ___ à la gare.', ARRAY['arrive', 'arrivent'], 'arrivent'),
    ('sujet-verbe', 'A2', 'Je ___ venir demain.', ARRAY['peut', 'peux'], 'peux'),
    ('participe-infinitif', 'A2', 'J''ai ___ toute la journée.', ARRAY['travailler', 'travaillé'], 'travaillé'),
    ('participe-infinitif', 'A2', 'Je veux ___ du piano.', ARRAY['joué', 'jouer'], 'jouer'),
    ('si-conditionnel', 'B1', 'Si j''___ le temps, je viendrais.', ARRAY['aurais', 'avais'], 'avais'),
    ('a-a-accent', 'A1', 'Il ___ faim.', ARRAY['à', 'a'], 'a'),
    ('a-a-accent', 'A1', 'Nous sommes prêts ___ partir.', ARRAY['a', 'à'], 'à'),
    ('est-et', 'A1', 'C''___ facile.', ARRAY['et', 'est'], 'est'),
    ('son-sont', 'A2', 'Ils ___ partis.', ARRAY['son', 'sont'], 'sont'),
    ('on-ont', 'A2', 'Elles ___ raison.', ARRAY['on', 'ont'], 'ont'),
    ('ou-ou-accent', 'A2', 'La ville ___ je vis.', ARRAY['ou', 'où'], 'où'),
    ('ces-ses-c-est', 'A2', '___ un ami.', ARRAY['Ces', 'C''est'], 'C''est'),
    ('se-ce', 'A2', 'Il fait froid ___ matin.', ARRAY['se', 'ce'], 'ce'),
    ('se-ce', 'A2', 'Il ___ lève tôt.', ARRAY['ce', 'se'], 'se'),
    ('peu-peut-peux', 'A2', 'Attends un ___.', ARRAY['peut', 'peu'], 'peu'),
    ('la-l-a', 'B1', 'Il ___ mangé.', ARRAY['la', 'l''a'], 'l''a'),
    ('quant-a', 'B2', '___ à moi, je reste.', ARRAY['Quand', 'Quant'], 'Quant'),
    ('sa-ca', 'A1', '___ va bien.', ARRAY['Sa', 'Ça'], 'Ça'),
    ('leur-leurs', 'B1', 'Je ___ parle souvent.', ARRAY['leurs', 'leur'], 'leur'),
    ('tout-tous', 'B1', 'Je lis ___ les jours.', ARRAY['tout', 'tous'], 'tous'),
    ('ai-est', 'A2', 'Je n''___ pas compris.', ARRAY['est', 'ai'], 'ai');

INSERT INTO exercises (id, slug, rule, level, prompt, choices, answer, explanation_id)
SELECT md5('exercise/' || slug)::uuid, slug, rule, level, prompt, choices, answer,
       md5('explanation/' || rule)::uuid
FROM (
    SELECT rule || '-' || row_number() OVER (PARTITION BY rule ORDER BY level, prompt COLLATE "C"),
           rule, level, prompt, choices, answer
    FROM reference_exercises
) AS numbered (slug, rule, level, prompt, choices, answer)
ON CONFLICT DO NOTHING;
