-- Upkeep itself runs as the owner of the tables; the application reads what it leaves.
GRANT SELECT ON reservations_all TO app_user;
