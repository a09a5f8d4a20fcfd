#!/usr/bin/env bash
# Runs once, when the volume is new: a database and a role of its own for every service.
set -euo pipefail

for service in auth hosts execution; do
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set name="opsjob_$service" <<'SQL'
\getenv password OPSJOB_DATABASE_PASSWORD
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
