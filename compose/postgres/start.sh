#!/bin/sh
# Makes the cluster beside its final place on the first start, moves it there whole, and becomes the server.
# Roles and grants are those of vault/sql; the manager's first password lasts until Vault replaces it.
set -eu
private=${PRIVATE:-/run/private}
sql=${SQL:-/sql}
settings=${SETTINGS:-/settings}
fresh=$PGDATA.new

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    echo "postgres: making the cluster"
    rm -rf "$fresh"
    mkdir -p "$(dirname "$PGDATA")"
    initdb --pgdata="$fresh" --username=postgres --auth-local="${AUTH_LOCAL:-peer}" --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-instructions >/dev/null
    pg_ctl --pgdata="$fresh" --wait --silent --log=/tmp/first.log \
        --options="-c listen_addresses='' -c unix_socket_directories=/tmp -c log_statement=none" start
    export PGHOST=/tmp PGUSER=postgres
    psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --dbname=postgres --file="$sql/roles.sql"
    createdb --owner=scriptorium_owner scriptorium
    psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --dbname=scriptorium --file="$sql/schema.sql"
    { printf "ALTER ROLE scriptorium_vault PASSWORD '"; cat "$private/manager.password"; printf "';"; } |
        psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --dbname=postgres
    pg_ctl --pgdata="$fresh" --wait --silent --mode=fast stop
    mv "$fresh" "$PGDATA"
    unset PGHOST PGUSER
fi

exec postgres -D "$PGDATA" \
    -c hba_file="$settings/pg_hba.conf" \
    -c listen_addresses='*' -c port="${PGPORT:-5432}" -c unix_socket_directories="${SOCKETS:-/var/run/postgresql}" \
    -c ssl=on -c ssl_cert_file="$private/certificate.pem" -c ssl_key_file="$private/key.pem" \
    -c ssl_min_protocol_version=TLSv1.2 \
    -c password_encryption=scram-sha-256 \
    -c max_connections=200 \
    -c shared_buffers="${SHARED_BUFFERS:-256MB}" \
    -c log_statement=none -c log_min_error_statement=panic
