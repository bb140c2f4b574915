#!/bin/sh
# A call is recorded with MixMonitor on the caller's channel. Somebody else talks to the caller after the first: another telephone,
# another RTP stream. The guess: whoever talks is recorded, by whatever sequence numbers their stream begins (RFC 3550, 5.1: any).
#
# Seen with Asterisk 22.10.1 of Debian unstable, two seconds of each, the first from number 30000 on:
#
#     the second from 32000 on: 4 s recorded
#     the second from 28000 on: 2 s recorded
#     the second from 28000 on, begun anew in between: 4 s recorded
#     one alone, from 60000 on, after a file of A-law was played: 0 s recorded
#
# Version: the package is asterisk 1:22.10.1+dfsg+~cs6.17.60671434-1.
# Its patch debian/patches/2016_opus_plc.patch lets ast_translate() (main/translate.c) take a packet for a late one, and drop it, where
# its number is lower than the last one's (by up to half of the 65,536): also when it belongs to another stream. What translates for
# the recorders and spies of a channel (main/audiohook.c, in_translate) lives as long as the channel has one of them. So half of all
# second streams are not recorded, for up to eleven minutes, until their numbers have passed those of the first. Where a channel's sound is
# translated for the other party (codecs differ), the same holds for what they hear. What Asterisk plays by itself has the number 0; sound
# that is not encoded (a file of WAV, a tone) is translated for no recorder, and does no harm. Who records over a change of the
# partner stops, lets one packet pass without a recorder, and goes on in the same file (MixMonitor's option a).
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
set -- $(python3 -c 'import socket as s
both = [s.socket(s.AF_INET, s.SOCK_DGRAM) for _ in "ab"]
for one in both: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in both))')
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
[options]
transmit_silence = yes
END
{
  echo '[modules]'
  echo 'autoload = no'
  for module in res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_pjproject res_pjsip \
      res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_endpoint_identifier_ip \
      res_pjsip_nat chan_pjsip res_rtp_asterisk codec_alaw format_pcm format_wav \
      bridge_simple bridge_softmix pbx_config app_verbose app_dial app_playback app_mixmonitor; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[general]\ndateformat = %%s.%%3q\n[logfiles]\nconsole => notice,error\n' > "$folder/etc/logger.conf"
cat > "$folder/etc/pjsip.conf" <<END
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:$1
[caller]
type = endpoint
transport = udp
context = finding
disallow = all
allow = alaw
aors = caller
[caller]
type = aor
contact = sip:telephones@127.0.0.1:$2
[caller]
type = identify
endpoint = caller
match = 127.0.0.1
END
# A telephone's number is the sequence number of the first packet that it sends.
cat > "$folder/etc/extensions.conf" <<END
[finding]
exten => _X!,1,Answer()
 same => n,MixMonitor($folder/run/\${EXTEN}.wav,b)
 same => n,GotoIf(\$["\${EXTEN:5}" = "2"]?played)
 same => n,Dial(PJSIP/30000@caller,5,gS(2))
 same => n,GotoIf(\$["\${EXTEN:5}" = ""]?second)
 same => n,StopMixMonitor()
 same => n,Wait(0.1)
 same => n,MixMonitor($folder/run/\${EXTEN}.wav,ab)
 same => n,Goto(second)
 same => n(played),Playback($folder/run/silence)
 same => n(second),Dial(PJSIP/\${EXTEN:0:5}@caller,5,gS(2))
 same => n,StopMixMonitor()
 same => n,Log(NOTICE,recorded \${EXTEN})
 same => n,Hangup(16)
END
python3 -c 'import sys; sys.stdout.buffer.write(b"\xd5" * 4000)' > "$folder/run/silence.alaw"
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$1" "$2" "$folder/log" "$folder/run" <<'END' || { cat "$folder/log" >&2; exit 1; }
import math
import re
import secrets
import socket
import struct
import sys
import threading
import time
import wave

port, phones, log, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
RATE, FRAME = 8000, 160


def alaw(sample):
    """One sample of 16 bits (G.711)."""
    sign, sample = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    exponent = max((sample >> 8).bit_length(), 1)
    mantissa = sample >> (exponent + 3) & 0x0F if exponent > 1 or sample >= 256 else sample >> 4 & 0x0F
    segment = exponent if sample >= 256 else 0
    return (sign | segment << 4 | mantissa) ^ 0x55


TONE = bytes(alaw(int(8000 * math.sin(2 * math.pi * 500 * at / RATE))) for at in range(FRAME))


def header(message, name):
    found = re.search(rf"^{name}: *(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def media_port(message):
    return int(re.search(r"^m=audio (\d+)", message, re.MULTILINE)[1])


def talk(wire, to, sequence, over):
    """One RTP stream, of a tone."""
    source, stamp, due = secrets.randbits(32), secrets.randbits(31), time.monotonic()
    while not over.is_set():
        wire.sendto(struct.pack("!BBHII", 0x80, 8, sequence & 0xFFFF, stamp & 0xFFFFFFFF, source) + TONE, to)
        sequence, stamp, due = sequence + 1, stamp + FRAME, due + 0.02
        time.sleep(max(0.0, due - time.monotonic()))


def sdp(own):
    return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {own} RTP/AVP 8\r\n"


def opened(own=0):
    """A socket that Asterisk answers."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind(("127.0.0.1", own))
    return wire


def serve():
    """Telephones that answer at once, and talk until they are hung up on."""
    wire, talking = opened(phones), {}
    while True:
        message = wire.recv(65535).decode()
        method, call = message.split(" ")[0], header(message, "Call-ID")
        if method not in ("INVITE", "BYE") or (method == "INVITE" and call in talking):
            continue
        common = [f"{name}: {header(message, name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        to = header(message, "To")
        common += [f"To: {to}" if "tag=" in to else f"To: {to};tag={secrets.token_hex(4)}"]
        body = ""
        if method == "INVITE":
            media, over = opened(), threading.Event()
            number = int(re.search(r"sip:(\d+)@", message)[1])
            talking[call] = over
            target = ("127.0.0.1", media_port(message))
            threading.Thread(target=talk, args=(media, target, number, over), daemon=True).start()
            body = sdp(media.getsockname()[1])
            common += [f"Contact: <sip:telephones@127.0.0.1:{phones}>", "Content-Type: application/sdp"]
        else:
            talking[call].set()
        answer = "\r\n".join(["SIP/2.0 200 OK", *common, f"Content-Length: {len(body)}"]) + "\r\n\r\n" + body
        wire.sendto(answer.encode(), ("127.0.0.1", port))


def call(number):
    """A caller, whose telephone sends nothing: it is answered, and stays until it is hung up on."""
    wire = opened()
    own = wire.getsockname()[1]
    identity, branch, body = secrets.token_hex(8), secrets.token_hex(6), sdp(opened().getsockname()[1])
    lines = [
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch}",
        f"From: <sip:caller@127.0.0.1>;tag={branch}",
        f"Call-ID: {identity}",
        "Max-Forwards: 70",
        f"Contact: <sip:caller@127.0.0.1:{own}>",
    ]
    first = [f"INVITE sip:{number}@127.0.0.1:{port} SIP/2.0", *lines, f"To: <sip:{number}@127.0.0.1:{port}>"]
    first += ["CSeq: 1 INVITE", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    wire.sendto(("\r\n".join(first) + "\r\n\r\n" + body).encode(), ("127.0.0.1", port))
    while True:
        message = wire.recv(65535).decode()
        if message.startswith("SIP/2.0 200"):
            ack = [f"ACK sip:{number}@127.0.0.1:{port} SIP/2.0", *lines, f"To: {header(message, 'To')}", "CSeq: 1 ACK"]
            wire.sendto(("\r\n".join([*ack, "Content-Length: 0"]) + "\r\n\r\n").encode(), ("127.0.0.1", port))
            return


def said(pattern):
    """Wait for a line of the log."""
    for _ in range(300):
        if re.search(pattern, open(log, errors="replace").read()):
            return
        time.sleep(0.1)
    raise SystemExit(f"Asterisk did not say {pattern}")


def recorded(name):
    """For how many seconds something is heard in a file."""
    with wave.open(f"{folder}/{name}.wav") as file:
        sound = file.readframes(file.getnframes())
    loud = 0
    for start in range(0, len(sound) - 2 * FRAME + 1, 2 * FRAME):
        samples = struct.unpack(f"<{FRAME}h", sound[start : start + 2 * FRAME])
        loud += sum(map(abs, samples)) / FRAME > 1000
    return loud * FRAME / RATE


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

threading.Thread(target=serve, daemon=True).start()
SEEN = {"32000": 4, "28000": 2, "280001": 4, "600002": 0}
found = {}
for number in SEEN:
    call(number)
    said(f"recorded {number}\\b")
    time.sleep(0.5)
    seconds = recorded(number)
    found[number] = round(seconds)
    what = {"": "the second from {} on", "1": "the second from {} on, begun anew in between"}
    text = what.get(number[5:], "one alone, from {} on, after a file of A-law was played").format(number[:5])
    print(f"{text}: {found[number]} s recorded ({seconds:.2f})")
if found != SEEN:
    raise SystemExit("This is not what was seen before: Asterisk has changed, and so may we.")
END
