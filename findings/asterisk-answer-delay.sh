#!/bin/sh
# Asterisk's Answer(delay) waits so many milliseconds after the answer. The guess: Answer(200) waits 0.2 s.
#
# Seen with Asterisk 22.10.1 of Debian unstable, the caller's media coming from the answer on:
#
#     Answer(): goes on after 0.1 s, with the first packet
#     Answer(200): goes on after 0.5 s
#     Answer(400): goes on after 0.5 s
#     Answer(800): goes on after 0.8 s
#
# So a pause of less than half a second before the first word is something else, such as a file of silence that is
# played (main/channel.c, __ast_answer: MAX(delay, 500)). Needs python3, and an Asterisk: in $ASTERISK_ROOTFS (a root
# file system that holds one), or mmdebstrap, which makes one from the machine's own Debian mirror in about a minute.
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
      pbx_config app_verbose func_callerid func_channel; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[general]\ndateformat = %%s.%%3q\n[logfiles]\nconsole => notice,error\n' > "$folder/etc/logger.conf"
cat > "$folder/etc/pjsip.conf" <<END
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:$port
[caller]
type = endpoint
transport = udp
context = finding
disallow = all
allow = alaw
[caller]
type = identify
endpoint = caller
match = 127.0.0.1
END
cat > "$folder/etc/extensions.conf" <<'END'
[finding]
exten => _delay!,1,Log(NOTICE,answering)
 same => n,Answer(${EXTEN:5})
 same => n,Log(NOTICE,went on)
 same => n,Hangup()
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" "$folder/log" <<'END' || { cat "$folder/log" >&2; exit 1; }
import re
import secrets
import socket
import struct
import sys
import time

port, log = int(sys.argv[1]), sys.argv[2]


def invite(wire, user):
    own = wire.getsockname()[1]
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    body += f"m=audio {own + 1} RTP/AVP 8\r\n"
    call, branch = secrets.token_hex(8), secrets.token_hex(6)
    lines = [
        f"INVITE sip:{user}@127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}",
        f"From: <sip:caller@127.0.0.1>;tag={branch}",
        f"To: <sip:{user}@127.0.0.1:{port}>",
        f"Call-ID: {call}",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        f"Contact: <sip:caller@127.0.0.1:{own}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
    ]
    wire.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), ("127.0.0.1", port))
    wire.settimeout(5)
    while True:
        answer = wire.recv(65535).decode()
        if answer.startswith("SIP/2.0 200"):
            break
    to = re.search(r"^To: (.*)\r$", answer, re.MULTILINE)[1]
    wire.sendto(
        (
            f"ACK sip:{user}@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}a\r\n"
            f"From: <sip:caller@127.0.0.1>;tag={branch}\r\nTo: {to}\r\nCall-ID: {call}\r\nCSeq: 1 ACK\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode(),
        ("127.0.0.1", port),
    )
    return int(re.search(r"^m=audio (\d+)", answer, re.MULTILINE)[1])


def speak(media, seconds):
    """Silence in RTP, 20 ms a packet."""
    wire = opened()
    for number in range(round(seconds / 0.02)):
        header = struct.pack("!BBHII", 0x80, 8, number, number * 160, 1)
        wire.sendto(header + b"\xd5" * 160, ("127.0.0.1", media))
        time.sleep(0.02)


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

SEEN = {"": 0.1, "200": 0.5, "400": 0.5, "800": 0.8}
found = {}
for count, delay in enumerate(SEEN, start=1):
    speak(invite(opened(), f"delay{delay}"), 1.0)
    answering = said(r"^\[([\d.]+)\].* answering", count)[-1]
    went_on = said(r"^\[([\d.]+)\].* went on", count)[-1]
    found[delay] = float(went_on) - float(answering)
    print(f"Answer({delay}): goes on after {found[delay]:.1f} s")
if any(abs(found[delay] - seconds) > 0.15 for delay, seconds in SEEN.items()):
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
