#!/bin/sh
# A carrier has two addresses: two contacts of one AOR. The guess: Dial(PJSIP/<number>@carrier) goes to the first one in the file, and to
# the second when the first refuses the call (503), as SIP asks of a proxy (RFC 3261, 16.7).
#
# Seen with Asterisk 22.10.1 of Debian unstable, the addresses that get an INVITE of a call, and its DIALSTATUS:
#
#     file b a, both refuse: a, CONGESTION
#     file a b, both refuse: a, CONGESTION
#
# a is the one whose URI has the lower MD5 (res/res_pjsip/location.c, permanent_uri_handler): whatever the file says, it alone gets the
# call, and no other is tried, whatever it says. Who wants an order, or a second try, makes an endpoint of each address and walks them in the dialplan.
# Needs python3, and an Asterisk: in $ASTERISK_ROOTFS (a root file system that holds one), or mmdebstrap, which makes one
# from the machine's own Debian mirror in about a minute.
set -eu

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
  mmdebstrap --quiet --variant=essential --include=asterisk --aptopt='Acquire::Check-Valid-Until "false"' sid - |
    tar -x --no-same-owner --exclude=./dev --exclude=./proc --exclude=./sys -C "$root"
fi
# The programs of the root file system run through its own loader, so that paths are this machine's.
loader=$(ls "$root"/lib64/ld-linux-*.so.2 "$root"/lib/ld-linux-*.so.1 2>/dev/null | head -n 1)
modules=$(echo "$root"/usr/lib/*-linux-gnu/asterisk/modules)
libraries=$(dirname "$(dirname "$modules")")
asterisk() { "$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" "$@"; }
asterisk -V

mkdir "$folder/etc" "$folder/run"
port=$(python3 -c 'import socket as s
a = s.socket(s.AF_INET, s.SOCK_DGRAM); a.bind(("127.0.0.1", 0)); print(a.getsockname()[1])')
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
{
  echo '[modules]'
  echo 'autoload = no'
  for module in res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_pjproject res_pjsip \
      res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_endpoint_identifier_ip \
      res_pjsip_caller_id res_pjsip_diversion res_pjsip_nat chan_pjsip res_rtp_asterisk codec_alaw format_pcm \
      bridge_simple bridge_softmix pbx_config app_verbose app_dial; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[general]\ndateformat = %%s.%%3q\n[logfiles]\nconsole => notice,error\n' > "$folder/etc/logger.conf"
# Two addresses, a before b by the MD5 of their URIs.
set -- $(python3 -c 'import hashlib as h, socket as s
both = [s.socket(s.AF_INET, s.SOCK_DGRAM) for _ in "ab"]
for one in both: one.bind(("127.0.0.1", 0))
print(*sorted((f"127.0.0.1:{one.getsockname()[1]}" for one in both), key=lambda one: h.md5(f"sip:{one}".encode()).hexdigest()))')
cat > "$folder/etc/pjsip.conf" <<END
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:$port
[party](!)
type = endpoint
transport = udp
context = finding
disallow = all
allow = alaw
[caller](party)
[caller]
type = identify
endpoint = caller
match = 127.0.0.1
[ba](party)
aors = ba
[ba]
type = aor
contact = sip:$2
contact = sip:$1
[ab](party)
aors = ab
[ab]
type = aor
contact = sip:$1
contact = sip:$2
END
cat > "$folder/etc/extensions.conf" <<'END'
[finding]
exten => _[ab][ab],1,Dial(PJSIP/0123@${EXTEN},5)
 same => n,Log(NOTICE,status ${DIALSTATUS})
 same => n,Hangup(17)
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" "$1" "$2" "$folder/log" <<'END' || { cat "$folder/log" >&2; exit 1; }
import re
import secrets
import socket
import sys
import threading
import time

port, addresses, log = int(sys.argv[1]), dict(zip("ab", sys.argv[2:4])), sys.argv[4]


def header(message, name):
    found = re.search(rf"^{name}: *(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def serve(name, asked):
    """One address of the carrier: it refuses every call."""
    host, own = addresses[name].split(":")
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((host, int(own)))
    while True:
        message = wire.recv(65535).decode()
        if not message.startswith("INVITE "):
            continue
        asked.append(name)
        common = [f"{name}: {header(message, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        common += [f"To: {header(message, 'To')};tag={secrets.token_hex(4)}", "Content-Length: 0"]
        answer = "\r\n".join(["SIP/2.0 503 Service Unavailable", *common]) + "\r\n\r\n"
        wire.sendto(answer.encode(), ("127.0.0.1", port))


def invite(wire, endpoint):
    own = wire.getsockname()[1]
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    body += f"m=audio {own + 1} RTP/AVP 8\r\n"
    call, branch = secrets.token_hex(8), secrets.token_hex(6)
    lines = [
        f"INVITE sip:{endpoint}@127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}",
        f"From: <sip:caller@127.0.0.1>;tag={branch}",
        f"To: <sip:{endpoint}@127.0.0.1:{port}>",
        f"Call-ID: {call}",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        f"Contact: <sip:caller@127.0.0.1:{own}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
    ]
    wire.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), ("127.0.0.1", port))


def said(pattern, count):
    """So many lines of the log, once they are there."""
    for _ in range(300):
        found = re.findall(pattern, open(log, errors="replace").read(), re.MULTILINE)
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise SystemExit(f"Asterisk did not say {pattern}")


def opened():
    """A socket that Asterisk answers."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", 0))
    return wire


for _ in range(100):
    probe = opened()
    probe.settimeout(0.2)
    probe.sendto(
        (
            f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{probe.getsockname()[1]};"
            f"branch=z9hG4bK{secrets.token_hex(6)}\r\nFrom: <sip:probe@127.0.0.1>;tag=1\r\n"
            f"To: <sip:127.0.0.1>\r\nCall-ID: {secrets.token_hex(6)}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode(),
        ("127.0.0.1", port),
    )
    try:
        probe.recv(4096)
        break
    except (TimeoutError, ConnectionRefusedError):
        time.sleep(0.1)
else:
    raise SystemExit("Asterisk does not answer")

asked = []
for name in addresses:
    threading.Thread(target=serve, args=(name, asked), daemon=True).start()

SEEN = {"ba": (["a"], "CONGESTION"), "ab": (["a"], "CONGESTION")}
found = {}
for number, endpoint in enumerate(SEEN, start=1):
    asked.clear()
    invite(opened(), endpoint)
    status = said(r"status (\w+)", number)[-1]
    found[endpoint] = (list(dict.fromkeys(asked)), status)
    print(f"file {' '.join(endpoint)}, both refuse: {', '.join(found[endpoint][0])}, {status}")
if found != SEEN:
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
