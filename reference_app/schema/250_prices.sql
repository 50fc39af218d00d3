-- What a period of each plan costs (ours: no source gives a price). A quarter is three months; a year
-- is ten, the usual rebate for paying in advance. An operator's change stays.
INSERT INTO plan_prices (plan_id, cycle, cents)
SELECT p.id, cycle.name, month.cents * cycle.months
FROM (VALUES ('premium', 4900), ('pro', 14900), ('institutional', 49900)) AS month (slug, cents)
JOIN subscription_plans p USING (slug)
CROSS JOIN (VALUES ('monthly', 1), ('quarterly', 3), ('yearly', 10)) AS cycle (name, months)
ON CONFLICT DO NOTHING;
