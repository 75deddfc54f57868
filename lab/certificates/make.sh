#!/bin/sh
# Makes the certificates that tests use, for a hundred years, in this folder.
# Takes OpenSSL 3; the keys of the authorities are not kept.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

new() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -sha256 -days 36500 "$@" 2>/dev/null
}

# An authority. Both have the same name.
for ca in ca other_ca; do
  new -subj "/CN=cluster" -keyout "$tmp/$ca.key" -out $ca.pem
done

signed() {
  new -CA "$1.pem" -CAkey "$tmp/$1.key" -subj "/CN=$2" \
    -addext basicConstraints=critical,CA:FALSE \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$2.key" -out "$2.pem"
}
signed ca alice
signed ca bob
signed other_ca intruder

# What all members of a cluster hold, and what none of them does.
for name in shared unknown; do
  new -subj "/CN=cluster" -keyout $name.key -out $name.pem
done

# Names of hosts beside the CN, and one that looks like two where it is text.
cat >"$tmp/named.cnf" <<END
[req]
distinguished_name = subject
x509_extensions = names
prompt = no
[subject]
CN = cn.example
[names]
basicConstraints = critical, CA:FALSE
subjectAltName = @all
[all]
DNS.1 = control.example
DNS.2 = *.many.example
IP.1 = 192.0.2.1
IP.2 = 2001:db8::1
URI.1 = urn:x, DNS:false.example
END
new -config "$tmp/named.cnf" -keyout named.key -out named.pem

# Good until 2021; only `openssl ca` takes dates.
touch "$tmp/index.txt"
echo 01 >"$tmp/serial"
cat >"$tmp/ca.cnf" <<END
[ca]
default_ca = past
[past]
database = $tmp/index.txt
serial = $tmp/serial
new_certs_dir = $tmp
default_md = sha256
policy = any
x509_extensions = member
[any]
commonName = supplied
[member]
basicConstraints = critical, CA:FALSE
END
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
  -subj "/CN=expired" -keyout expired.key -out "$tmp/expired.csr" 2>/dev/null
openssl ca -batch -notext -config "$tmp/ca.cnf" -cert ca.pem \
  -keyfile "$tmp/ca.key" -startdate 20200101000000Z -enddate 20210101000000Z \
  -in "$tmp/expired.csr" -out expired.pem 2>/dev/null
chmod 600 ./*.key
