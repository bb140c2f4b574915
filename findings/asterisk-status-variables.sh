#!/bin/sh
# AMI's `Status` tells variables of every channel in one answer (header Variables). A variable is as long as one likes: dialplan, Set
# and AGI take thousands of characters. The guess: Status tells it whole, or says that it did not, and tells one that is not set as an
# empty value, as Getvar does.
#
# Seen with Asterisk 22.10.1 of Debian unstable, a variable of 1,500 characters, and one that is not set:
#
#     Status: 511 characters; not set: (null)
#     Getvar: 1023 characters; not set: nothing
#
# No header says that something is missing, and "(null)" is a value that a dialplan could have set. Of a function, such as
# ${CALLERID(num)}, it is the same. (main/manager.c: generate_status reads into a buffer of 512 bytes, action_getvar into one of 1,024.)
# Who keeps state in a variable cuts it into parts of fewer than 511 characters, or asks for a long one again by Getvar.
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

mkdir "$folder/etc" "$folder/run"
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
astdatadir => $root/usr/share/asterisk
astagidir => $folder/run
astspooldir => $folder/run
astrundir => $folder/run
astlogdir => $folder/run
END
{
  echo '[modules]'
  echo 'autoload = no'
  for module in res_sorcery_config res_sorcery_memory res_timing_timerfd bridge_simple pbx_config codec_ulaw func_strings \
      app_verbose; do
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
write = originate,call,reporting
END
cat > "$folder/etc/extensions.conf" <<END
[finding]
exten => s,1,Answer()
 same => n,Set(LONG=$(printf 'x%.0s' $(seq 1500)))
 same => n,Log(ERROR,the variable has \${LEN(\${LONG})} characters)
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
    return [line.split(": ", 1) for line in lines if ": " in line]


def ask(name, until, **headers):
    """The first message that has this header."""
    lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    wire.write("\n".join(lines))
    wire.flush()
    while True:
        found = message()
        if any(key == until[0] and until[1] in value for key, value in found):
            return found


wire.readline()
ask("Login", ("Response", "Success"), Username="finding", Secret="finding")
# Both ends of the Local channel run the extension.
ask("Originate", ("Event", "OriginateResponse"), Channel="Local/s@finding/n", Context="finding", Exten="s", Priority=1,
    Async="true")
time.sleep(1)
status = ask("Status", ("Variable", "LONG=x"), Variables="LONG,UNSET")
told = dict(value.split("=", 1) for key, value in status if key == "Variable")
channel = dict(status)["Channel"]
got = {name: dict(ask("Getvar", ("Variable", name), Channel=channel, Variable=name)).get("Value", "") for name in told}
print(f"Status: {len(told['LONG'])} characters; not set: {told['UNSET'] or 'nothing'}")
print(f"Getvar: {len(got['LONG'])} characters; not set: {got['UNSET'] or 'nothing'}")
END
cat "$folder/seen"
grep -q 'the variable has 1500 characters' "$folder/log"
diff "$folder/seen" - <<'END'
Status: 511 characters; not set: (null)
Getvar: 1023 characters; not set: nothing
END
echo "as described"
