-- The rows' PostgreSQL, once: one role, its database, and a database of their own for tombstones, which is dumped alone and is
-- never rolled back with a backup of the rows. Run by a superuser, with the role's password in the environment:
--   ABRI_DATABASE_PASSWORD=... psql -v ON_ERROR_STOP=1 -d postgres -f deploy/database.sql
\getenv password ABRI_DATABASE_PASSWORD
CREATE ROLE abri_service LOGIN PASSWORD :'password';
CREATE DATABASE abri OWNER abri_service;
CREATE DATABASE tombstones OWNER abri_service;
REVOKE ALL ON DATABASE abri, tombstones FROM PUBLIC;
