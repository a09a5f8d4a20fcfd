#!/usr/bin/env bash
# Makes an authority and a certificate for every part of the scaled profile, for one year.
# Run it again to renew the certificates: the authority stays. Move authority/key.pem away in between.
set -euo pipefail

folder=${1:-"$(dirname "$0")/certificates"}
days=${OPSJOB_TLS_DAYS:-365}
umask 077
mkdir -p "$folder/authority"

if [ ! -e "$folder/authority/ca.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=OPS Job, between services" -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
    -addext "keyUsage=critical,keyCertSign" \
    -keyout "$folder/authority/key.pem" -out "$folder/authority/ca.pem" 2>/dev/null
fi

for part in auth hosts execution signer worker migrate gateway-api gateway-agents; do
  mkdir -p "$folder/$part"
  cp "$folder/authority/ca.pem" "$folder/$part/ca.pem"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$part" \
    -keyout "$folder/$part/key.pem" -out "$folder/$part/request.pem" 2>/dev/null
  openssl x509 -req -in "$folder/$part/request.pem" -days "$days" -set_serial "0x$(openssl rand -hex 16)" \
    -CA "$folder/authority/ca.pem" -CAkey "$folder/authority/key.pem" \
    -extfile <(printf '%s\n' "subjectAltName=DNS:$part,DNS:localhost,IP:127.0.0.1" \
      "basicConstraints=critical,CA:FALSE" "extendedKeyUsage=serverAuth,clientAuth") \
    -out "$folder/$part/certificate.pem" 2>/dev/null
  rm "$folder/$part/request.pem"
  # As in the images: the platform is 10001, the signer 10002. Only root can hand files over.
  if [ "$(id -u)" -eq 0 ]; then
    chown -R "$([ "$part" = signer ] && echo 10002 || echo 10001)" "$folder/$part"
  fi
done
