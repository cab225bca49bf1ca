-- The key vault's PostgreSQL, once: one role that owns its tables (VACUUM FULL is for owners) and may make the server's log of
-- changes forget destroyed keys. The server itself runs with wal_recycle=off. Run by a superuser, with the role's password in
-- the environment:
--   ABRI_VAULT_PASSWORD=... psql -v ON_ERROR_STOP=1 -d postgres -f deploy/keyvault.sql
\getenv password ABRI_VAULT_PASSWORD
CREATE ROLE abri_vault LOGIN PASSWORD :'password';
CREATE DATABASE vault OWNER abri_vault;
REVOKE ALL ON DATABASE vault FROM PUBLIC;
GRANT pg_checkpoint TO abri_vault;
\connect vault
GRANT EXECUTE ON FUNCTION pg_switch_wal() TO abri_vault;
