#!/bin/sh
# Asterisk's manager over TLS: of what arrives in one TLS record it reads 1,024 bytes. The rest stays unread, although it
# is complete and nothing is missing, until more arrives. The guess: TLS changes nothing about when actions are answered.
#
# 120 actions ("Action: Ping", 16 bytes with its blank line: 1,920 in all) are written at once, then nothing; after 3 s
# one more. Seen with asterisk 1:22.10.1+dfsg+~cs6.17.60671434-1 of Debian unstable, OpenSSL 3:
#
#     plain: 120 of 120 answered within 3 s; 121 of 121 after one more ping
#     TLS: 64 of 120 answered within 3 s; 121 of 121 after one more ping
#
# So whoever sends several actions in one write must not use `tlsenable` (a tunnel is safe), or must stay below 1,024
# bytes a record. Needs openssl and python3, and an Asterisk: in $ASTERISK_ROOTFS (a root file system that holds one), or
# mmdebstrap, which makes one from the machine's own Debian mirror in about a minute. Unstable keeps only its newest
# version: when the pinned one is gone, try the next (ASTERISK_PACKAGE=asterisk) and renew the line.
set -eu

package=${ASTERISK_PACKAGE:-asterisk=1:22.10.1+dfsg+~cs6.17.60671434-1}

folder=$(mktemp -d)
asterisk_pid=
cleanup() {
  [ -z "$asterisk_pid" ] || kill "$asterisk_pid" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

root=${ASTERISK_ROOTFS:-$folder/root}
if [ ! -e "$root/usr/sbin/asterisk" ]; then
  mkdir "$root"
  # A mirror whose list is some days old will do.
  mmdebstrap --quiet --variant=essential --include="$package" --aptopt='Acquire::Check-Valid-Until "false"' sid - |
    tar -x --no-same-owner --exclude=./dev --exclude=./proc --exclude=./sys -C "$root"
fi
# The programs of the root file system run through its own loader, so that paths are this machine's.
loader=$(ls "$root"/lib64/ld-linux-*.so.2 "$root"/lib/ld-linux-*.so.1 2>/dev/null | head -n 1)
modules=$(echo "$root"/usr/lib/*-linux-gnu/asterisk/modules)
libraries=$(dirname "$(dirname "$modules")")
asterisk() { "$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" "$@"; }
asterisk -V
sed -n '/^Package: asterisk$/,/^$/s/^Version: /asterisk /p' "$root/var/lib/dpkg/status"

mkdir "$folder/etc" "$folder/run"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
  -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
cat "$folder/key.pem" "$folder/certificate.pem" > "$folder/both.pem"
# Two free ports of this machine.
ports=$(python3 -c 'import socket as s
a, b = s.create_server(("127.0.0.1", 0)), s.create_server(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
plain=${ports% *} tls=${ports#* }
cat > "$folder/etc/asterisk.conf" <<END
[directories]
astetcdir => $folder/etc
astmoddir => $modules
astvarlibdir => $folder/run
astdbdir => $folder/run
astkeydir => $folder/run
astdatadir => $root/usr/share/asterisk
astagidir => $folder/run
astspooldir => $folder/run
astrundir => $folder/run
astlogdir => $folder/run
END
printf '[modules]\nautoload = no\n' > "$folder/etc/modules.conf"
printf '[general]\n[logfiles]\nconsole => warning,error\n' > "$folder/etc/logger.conf"
cat > "$folder/etc/manager.conf" <<END
[general]
enabled = yes
bindaddr = 127.0.0.1
port = $plain
tlsenable = yes
tlsbindaddr = 127.0.0.1:$tls
tlscertfile = $folder/both.pem
[finding]
secret = finding
read =
write = system
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$plain" "$tls" "$folder/certificate.pem" <<'END' || { cat "$folder/log" >&2; exit 1; }
import socket
import ssl
import sys
import time

PINGS, WAIT_SECONDS = 120, 3
SEEN = {"plain": (PINGS, PINGS + 1), "TLS": (64, PINGS + 1)}


def connected(port, context):
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    else:
        raise SystemExit("Asterisk does not listen")
    return context.wrap_socket(connection, server_hostname="localhost") if context else connection


def answers(connection, wanted):
    """Pongs that come until there are so many, or nothing comes any more."""
    connection.settimeout(WAIT_SECONDS)
    came = b""
    while came.count(b"Ping: Pong") < wanted:
        try:
            data = connection.recv(65536)
        except TimeoutError:
            break
        if not data:
            raise SystemExit("Asterisk closed the connection")
        came += data
    return came.count(b"Ping: Pong")


def measured(port, context):
    with connected(port, context) as connection:
        connection.sendall(b"Action: Login\r\nUsername: finding\r\nSecret: finding\r\nEvents: off\r\n\r\n")
        came = b""
        while b"Authentication accepted" not in came:
            came += connection.recv(65536)
        connection.sendall(b"Action: Ping\r\n\r\n" * PINGS)
        first = answers(connection, PINGS)
        connection.sendall(b"Action: Ping\r\n\r\n")
        return first, first + answers(connection, PINGS + 1 - first)


plain, tls, certificate = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
context.check_hostname = False
found = {"plain": measured(int(plain), None), "TLS": measured(int(tls), context)}
for name, (first, all_of_them) in found.items():
    print(
        f"{name}: {first} of {PINGS} answered within {WAIT_SECONDS} s;"
        f" {all_of_them} of {PINGS + 1} after one more ping"
    )
if found != SEEN:
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
