#!/usr/bin/env bash
# A database for every service, and roles that can do what they are for and nothing else:
#   opsjob_NAME       owns the database; migrations alone use it
#   opsjob_NAME_run   the service: reads and writes rows, makes and changes no table
#   opsjob_NAME_read  the signer, of execution: reads rows
# No role may enter the database of another service. Runs by itself when the volume is new; may be
# run again at any time, for roles and passwords that were not there before.
set -euo pipefail

ask() {
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$1" \
    --set owner="opsjob_$service" --set run="opsjob_${service}_run" \
    --set read="opsjob_${service}_read" --set run_password="$run_password"
}

for service in auth hosts execution; do
  upper=$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')
  run_password="OPSJOB_DATABASE_PASSWORD_$upper"
  ask postgres <<'SQL'
\getenv owner_password OPSJOB_DATABASE_PASSWORD
\getenv signer_password OPSJOB_DATABASE_PASSWORD_SIGNER
\getenv service_password :run_password
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'owner', :'run', :'read']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"owner" LOGIN PASSWORD :'owner_password';
ALTER ROLE :"run" LOGIN PASSWORD :'service_password';
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8'' LOCALE ''C.UTF-8''', :'owner', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'owner') \gexec
REVOKE ALL ON DATABASE :"owner" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"owner" TO :"run", :"read";
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', :'read', :'signer_password')
WHERE :'owner' = 'opsjob_execution' \gexec
SQL
  ask "opsjob_$service" <<'SQL'
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"run", :"read";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"run";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO :"run";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT ON TABLES TO :"read";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"run";
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO :"run";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"read";
SQL
done

# Records of the audit log are written once. They go again only as a whole, when they are too old:
# that is a DELETE of the service's, which the chain of hashes and its checkpoints account for. What
# says which migrations have run is the owner's.
for service in auth hosts execution; do
  run_password=none
  ask "opsjob_$service" <<'SQL'
CREATE OR REPLACE FUNCTION opsjob_hold_back() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
  runner text := current_database() || '_run';
BEGIN
  IF to_regclass('public.audit_records') IS NOT NULL THEN
    EXECUTE format('REVOKE UPDATE ON public.audit_records FROM %I', runner);
  END IF;
  IF to_regclass('public.alembic_version') IS NOT NULL THEN
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM %I', runner);
  END IF;
END $$;
DROP EVENT TRIGGER IF EXISTS opsjob_hold_back;
CREATE EVENT TRIGGER opsjob_hold_back ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
EXECUTE FUNCTION opsjob_hold_back();
CREATE TABLE opsjob_ping (); -- so that it holds for tables that are there already
DROP TABLE opsjob_ping;
SQL
done
