#!/bin/sh
# An agent talks to a caller and consults a colleague by a feature code (atxfer): the caller is on hold, alone in a bridge. Then agent
# and colleague hang up in the same instant. The guess: the caller's Dial() ends, as after any conversation whose other party is gone.
#
# Seen with Asterisk 22.10.1 of Debian unstable, five seconds after both were hung up by one action of the manager interface:
#
#     the caller's channel is in Dial(), alone in a bridge (in two of three tries)
#
# Whoever is told first: as the colleague has gone, the agent is moved back to the caller; as the agent has gone, the caller is moved to
# the colleague. Either way a channel that is gone is moved, or moved to, and nobody looks whether the one that stays is alone
# (main/bridge_basic.c, rebridge_enter and consulting_exit). Who runs such calls looks for callers who are alone in their bridge once both
# channels of a consultation have ended, and takes them out of it (BridgeKick): then their Dial() or Queue() goes on.
# Version: the package is asterisk 1:22.10.1+dfsg+~cs6.17.60671434-1.
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
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -V

mkdir -p "$folder/etc" "$folder/run" "$folder/data/sounds/en"
ln -s "$root/usr/share/asterisk/documentation" "$folder/data/documentation"
# What the agent hears who keys the code.
python3 - "$folder/data/sounds/en/pbx-transfer.wav" <<'END'
import sys, wave
with wave.open(sys.argv[1], "wb") as sound:
    sound.setparams((1, 2, 8000, 0, "NONE", ""))
    sound.writeframes(bytes(1600))
END
port=$(python3 -c 'import socket as s
one = s.socket()
one.bind(("127.0.0.1", 0))
print(one.getsockname()[1])')
cat > "$folder/etc/asterisk.conf" <<END
[directories]
astetcdir => $folder/etc
astmoddir => $modules
astvarlibdir => $folder/run
astdbdir => $folder/run
astkeydir => $folder/run
astdatadir => $folder/data
astagidir => $folder/run
astspooldir => $folder/run
astrundir => $folder/run
astlogdir => $folder/run
END
{
  echo '[modules]'
  echo 'autoload = no'
  for module in res_sorcery_config res_sorcery_memory res_timing_timerfd bridge_simple bridge_builtin_features pbx_config \
      codec_ulaw format_wav app_dial app_senddtmf; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[logfiles]\nconsole => error\n' > "$folder/etc/logger.conf"
cat > "$folder/etc/manager.conf" <<END
[general]
enabled = yes
bindaddr = 127.0.0.1
port = $port
[finding]
secret = finding
read = call
write = originate,call,system,reporting
END
cat > "$folder/etc/features.conf" <<END
[general]
transferdigittimeout = 1
[featuremap]
atxfer = *2
END
cat > "$folder/etc/extensions.conf" <<END
[caller]
exten => s,1,Set(__TRANSFER_CONTEXT=telephones)
 same => n,Dial(Local/agent@telephones/n,30,t)
[telephones]
exten => caller,1,Answer()
 same => n,Wait(60)
exten => agent,1,Answer()
 same => n,Wait(60)
exten => 77,1,Answer()
 same => n,Wait(60)
END
"$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -f -n -C "$folder/etc/asterisk.conf" \
  > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!

python3 - "$port" > "$folder/seen" <<'END' || { cat "$folder/log"; exit 1; }
import socket, sys, time

for _ in range(150):
    try:
        wire = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30).makefile("rw", newline="\r\n")
        break
    except OSError:
        time.sleep(0.2)


def message():
    lines = iter(lambda: wire.readline().rstrip("\r\n"), "")
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def ask(name, until, **headers):
    """All messages up to the one that has this header."""
    lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    wire.write("\n".join(lines))
    wire.flush()
    found = [message()]
    while until[1] not in found[-1].get(until[0], ""):
        found.append(message())
    return found


def channels():
    return [one for one in ask("CoreShowChannels", ("Event", "CoreShowChannelsComplete")) if one.get("Event") == "CoreShowChannel"]


def until(true, what):
    for _ in range(100):
        if true():
            return
        time.sleep(0.1)
    raise SystemExit(f"not within 10 s: {what}")


wire.readline()
ask("Login", ("Response", "Success"), Username="finding", Secret="finding")


def caller_is_alone():
    """Whether the caller is, five seconds after both have gone."""
    ask("Originate", ("Event", "OriginateResponse"), Channel="Local/caller@telephones/n", Context="caller", Exten="s",
        Priority=1, Async="true")
    until(lambda: any(one["Application"] == "AppDial" and one["BridgeId"] for one in channels()), "they talk")
    (agent,) = [one["Channel"] for one in channels() if one["Application"] == "AppDial"]
    for key in "*277":
        ask("PlayDTMF", ("Response", "Success"), Channel=agent, Digit=key, Duration=80, Receive=1)
        time.sleep(0.2 if key != "2" else 1.5)
    until(lambda: sum("77@" in one["Channel"] and one["ChannelStateDesc"] == "Up" for one in channels()) == 2, "the colleague")
    time.sleep(1)
    # One action for all of these.
    ask("Hangup", ("Response", "Success"), Channel=r"/^Local\/(agent|77)@/")
    time.sleep(5)
    left = channels()
    bridges = [one["BridgeId"] for one in left if one["Application"] == "Dial"]
    ask("Hangup", ("Response", ""), Channel="/^Local/")
    until(lambda: not channels(), "all have gone")
    return any(bridge and sum(one["BridgeId"] == bridge for one in left) == 1 for bridge in bridges)


# Who is told first is a matter of chance: it was so in two of three tries.
alone = any(caller_is_alone() for _ in range(10))
print("the caller's channel is in Dial(), alone in a bridge" if alone else "the caller's Dial() has ended")
END
cat "$folder/seen"
diff "$folder/seen" - <<'END'
the caller's channel is in Dial(), alone in a bridge
END
echo "as described"
