#!/bin/sh
# A queue whose first member's telephone forwards its calls by itself and says so (181), to where nobody can be reached (486). The
# guess: the next member is rung as the first one was; who has called the queue has not changed.
#
# Seen with Asterisk 22.10.1 of Debian unstable, what is in the INVITE to the second member and on the caller's channel:
#
#     options c: Diversion of first, caller's REDIRECTING(count) 1
#     options cI: Diversion of nobody, caller's REDIRECTING(count) 0
#
# The update that comes with a 181 makes the waiting caller one whom the first member has forwarded, for good: telephones show it, and an
# application that asks who forwarded the call is misled. Option `I` of Queue(), whose text speaks of connected lines first, holds
# it back. Needs python3, and an Asterisk: in $ASTERISK_ROOTFS (a root file system that holds one), or mmdebstrap, which makes one
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
      bridge_simple bridge_softmix res_musiconhold pbx_config app_verbose app_queue func_callerid func_channel; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[general]\ndateformat = %%s.%%3q\n[logfiles]\nconsole => notice,error\n' > "$folder/etc/logger.conf"
members=$(python3 -c 'import socket as s
a = s.socket(s.AF_INET, s.SOCK_DGRAM); a.bind(("127.0.0.1", 0)); print(a.getsockname()[1])')
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
END
for member in first second; do
  printf '[%s](party)\naors = %s\n[%s]\ntype = aor\ncontact = sip:%s@127.0.0.1:%s\n' \
    "$member" "$member" "$member" "$member" "$members"
done >> "$folder/etc/pjsip.conf"
cat > "$folder/etc/queues.conf" <<'END'
[team]
strategy = linear
timeout = 5
retry = 1
member => PJSIP/first
member => PJSIP/second
END
cat > "$folder/etc/extensions.conf" <<'END'
[finding]
exten => _c!,1,Queue(team,${EXTEN},,,2)
 same => n,Log(NOTICE,count ${REDIRECTING(count)})
 same => n,Hangup(17)
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" "$members" "$folder/log" <<'END' || { cat "$folder/log" >&2; exit 1; }
import re
import secrets
import socket
import sys
import threading
import time

port, members, log = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


def header(message, name):
    found = re.search(rf"^{name}: *(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def serve(telephones, diversions):
    """Both members: the first one forwards its calls to where it is busy, the second one is busy."""
    while True:
        message = telephones.recv(65535).decode()
        method, address, _ = message.split(" ", 2)
        if method != "INVITE":
            continue
        first = address.startswith("sip:first@")
        if not first:
            diversions.append(header(message, "Diversion"))
        common = [f"{name}: {header(message, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        common += [f"To: {header(message, 'To')};tag={secrets.token_hex(4)}", "Content-Length: 0"]
        common += ["Contact: <sip:elsewhere@127.0.0.1>"]
        for status in ["181 Call Is Being Forwarded"] * first + ["486 Busy Here"]:
            answer = "\r\n".join([f"SIP/2.0 {status}", *common]) + "\r\n\r\n"
            telephones.sendto(answer.encode(), ("127.0.0.1", port))
            time.sleep(0.3)


def invite(wire, options):
    own = wire.getsockname()[1]
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    body += f"m=audio {own + 1} RTP/AVP 8\r\n"
    call, branch = secrets.token_hex(8), secrets.token_hex(6)
    lines = [
        f"INVITE sip:{options}@127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}",
        f"From: <sip:caller@127.0.0.1>;tag={branch}",
        f"To: <sip:{options}@127.0.0.1:{port}>",
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

telephones = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
telephones.bind(("127.0.0.1", members))
diversions = []
threading.Thread(target=serve, args=(telephones, diversions), daemon=True).start()

SEEN = {"c": ("first", "1"), "cI": ("", "0")}
found = {}
for number, options in enumerate(SEEN, start=1):
    diversions.clear()
    invite(opened(), options)
    count = said(r"count (\d+)", number)[-1]
    named = re.search(r"sip:([^@]+)@", diversions[0])
    found[options] = (named[1] if named else "", count)
    print(f"options {options}: Diversion of {found[options][0] or 'nobody'}, caller's REDIRECTING(count) {count}")
if found != SEEN:
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
