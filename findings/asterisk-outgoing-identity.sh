#!/bin/sh
# Who forwarded a call that goes out, as PJSIP says it in Diversion. The guess: who sets REDIRECTING(from-num) names the
# number in the INVITE, and a pre-dial handler (option b of Dial) is in time for it.
#
# Seen with Asterisk 22.10.1 of Debian unstable, what the INVITE says:
#
#     from-num: no Diversion
#     from-num, count 1: 111
#     from-num of the caller's, count 1, from-num-valid 0 in the handler: no Diversion
#     CONNECTEDLINE(num) in the handler: From is 222
#
# So who wants a Diversion counts the forwarding too (get_redirecting_add_diversion, res_pjsip_diversion.c), and the
# handler is in time for all of it. Needs python3, and an Asterisk: in $ASTERISK_ROOTFS (a root file system that holds
# one), or mmdebstrap, which makes one from the machine's own Debian mirror in about a minute.
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
port_of_nobody() {
  python3 -c 'import socket as s
a = s.socket(s.AF_INET, s.SOCK_DGRAM); a.bind(("127.0.0.1", 0)); print(a.getsockname()[1])'
}
port=$(port_of_nobody)
far=$(port_of_nobody)
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
      pbx_config app_verbose app_dial app_stack bridge_simple func_callerid func_channel; do
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
[far]
type = aor
contact = sip:127.0.0.1:$far
[far]
type = endpoint
transport = udp
context = finding
aors = far
disallow = all
allow = alaw
END
cat > "$folder/etc/extensions.conf" <<'END'
[finding]
exten => 101,1,Dial(PJSIP/far,2,b(named^s^1))
exten => 102,1,Dial(PJSIP/far,2,b(counted^s^1))
exten => 103,1,Set(REDIRECTING(from-num,i)=111)
 same => n,Set(REDIRECTING(count,i)=1)
 same => n,Dial(PJSIP/far,2,b(unnamed^s^1))
exten => 104,1,Dial(PJSIP/far,2,b(shown^s^1))
[named]
exten => s,1,Set(REDIRECTING(from-num,i)=111)
 same => n,Return()
[counted]
exten => s,1,Set(REDIRECTING(from-num,i)=111)
 same => n,Set(REDIRECTING(count,i)=1)
 same => n,Return()
[unnamed]
exten => s,1,Set(REDIRECTING(from-num-valid,i)=0)
 same => n,Return()
[shown]
exten => s,1,Set(CONNECTEDLINE(num,i)=222)
 same => n,Return()
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" "$far" <<'END' || { cat "$folder/log" >&2; exit 1; }
import re
import secrets
import socket
import sys
import time

port, far = int(sys.argv[1]), int(sys.argv[2])
callee = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
callee.bind(("127.0.0.1", far))
callee.settimeout(0.5)


def invite(wire, number):
    own = wire.getsockname()[1]
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    body += f"m=audio {own + 1} RTP/AVP 8\r\n"
    call, branch = secrets.token_hex(8), secrets.token_hex(6)
    lines = [
        f"INVITE sip:{number}@127.0.0.1:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}",
        f"From: <sip:caller@127.0.0.1>;tag={branch}",
        f"To: <sip:{number}@127.0.0.1:{port}>",
        f"Call-ID: {call}",
        "CSeq: 1 INVITE",
        "Max-Forwards: 70",
        f"Contact: <sip:caller@127.0.0.1:{own}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
    ]
    wire.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), ("127.0.0.1", port))


def rung(number):
    """What rings the callee when this number is dialled; busy is answered."""
    for _ in range(60):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind(("127.0.0.1", 0))
            invite(wire, number)
            try:
                data, address = callee.recvfrom(65536)
            except TimeoutError:
                continue  # Asterisk is not up yet
        text = data.decode()
        kept = re.findall(r"(?im)^(?:via|from|to|call-id|cseq): .*$", text)
        busy = "SIP/2.0 486 Busy Here\r\n" + "".join(line.rstrip("\r") + "\r\n" for line in kept)
        callee.sendto((busy + "Content-Length: 0\r\n\r\n").encode(), address)
        drain()
        return text
    raise SystemExit("Asterisk rang nobody")


def drain():
    """What follows of this call."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        try:
            callee.recvfrom(65536)
        except TimeoutError:
            return


def diversion(text):
    found = re.search(r"(?im)^diversion: .*?sip:([^@>]+)@", text)
    return found[1] if found else "no Diversion"


seen = {
    "from-num": diversion(rung(101)),
    "from-num, count 1": diversion(rung(102)),
    "from-num of the caller's, count 1, from-num-valid 0 in the handler": diversion(rung(103)),
    "CONNECTEDLINE(num) in the handler": "From is " + re.search(r"(?im)^from: .*?sip:([^@>]+)@", rung(104))[1],
}
for case, what in seen.items():
    print(f"{case}: {what}")
expected = ["no Diversion", "111", "no Diversion", "From is 222"]
if [*seen.values()] != expected:
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
