#!/bin/sh
# Asterisk's manager and a client that writes its last actions and closes: some of what has arrived is never carried out.
# The guess: what a server has received before the end of a stream it reads before it sees the end.
#
# 50 times 50 actions (Setvar of a global variable) are written at once by a client that is logged in with "Events: off",
# and then the connection is closed, or only its writing half (shutdown). Asterisk answers each action before it reads
# the next; once an answer finds the connection closed, the session is over, and the actions behind it are dropped. Which
# of both is faster differs from time to time. Seen with asterisk 1:22.10.1+dfsg+~cs6.17.60671434-1 of Debian unstable:
#
#     closed: 26 of 50 clients had 2 to 37 of their 50 actions carried out, the others all 50
#     writing half closed: all 50 actions of 50 clients
#
# So a client waits for the answer to its last action before it closes, and whoever takes over from a client that died
# must not believe that what it wrote last was done. Needs python3, and an Asterisk: in $ASTERISK_ROOTFS (a root file
# system that holds one), or mmdebstrap, which makes one from the machine's own Debian mirror in about a minute. Unstable
# keeps only its newest version: when the pinned one is gone, try the next (ASTERISK_PACKAGE=asterisk) and renew the line.
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
port=$(python3 -c 'import socket as s; print(s.create_server(("127.0.0.1", 0)).getsockname()[1])')
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
port = $port
[finding]
secret = finding
read =
write = system,call
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" <<'END' || { cat "$folder/log" >&2; exit 1; }
import socket
import sys
import time

CLIENTS, ACTIONS, WAIT_SECONDS = 50, 50, 0.5
PORT = int(sys.argv[1])


def logged_in():
    for _ in range(100):
        try:
            connection = socket.create_connection(("127.0.0.1", PORT), timeout=10)
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    else:
        raise SystemExit("Asterisk does not listen")
    connection.sendall(b"Action: Login\r\nUsername: finding\r\nSecret: finding\r\nEvents: off\r\n\r\n")
    came = b""
    while b"Authentication accepted" not in came:
        came += connection.recv(65536)
    return connection


def carried_out(name, end):
    """How many of its actions, of one client that ends its connection so."""
    with logged_in() as connection:
        actions = (f"Action: Setvar\r\nVariable: {name}{number}\r\nValue: 1\r\n\r\n" for number in range(ACTIONS))
        connection.sendall("".join(actions).encode())
        end(connection)
        time.sleep(WAIT_SECONDS)
    found = 0
    with logged_in() as connection, connection.makefile("rb") as answers:
        for number in range(ACTIONS):
            connection.sendall(f"Action: Getvar\r\nVariable: {name}{number}\r\n\r\n".encode())
            while not (line := answers.readline()).startswith(b"Value:"):
                pass
            found += line.strip() == b"Value: 1"
            answers.readline()
    return found


closed = [carried_out(f"CLOSED_{client}_", socket.socket.close) for client in range(CLIENTS)]
half = [carried_out(f"HALF_{client}_", lambda one: one.shutdown(socket.SHUT_WR)) for client in range(CLIENTS)]
lost = [count for count in closed if count < ACTIONS]
if lost:
    print(
        f"closed: {len(lost)} of {CLIENTS} clients had {min(lost)} to {max(lost)} of their {ACTIONS} actions carried"
        f" out, the others all {ACTIONS}"
    )
if min(half) == ACTIONS:
    print(f"writing half closed: all {ACTIONS} actions of {CLIENTS} clients")
if not lost or min(half) < ACTIONS:
    raise SystemExit(f"not as it was: {closed}, {half}")
END
