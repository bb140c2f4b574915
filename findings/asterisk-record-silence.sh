#!/bin/sh
# Record() ends when the caller has been silent for some seconds (its second argument), or presses #. The guess: the file is as long as
# what was said, or it has all of the silence too.
#
# Seen with Asterisk 22.10.1 of Debian unstable, one second of a tone, then nothing:
#
#     ended by 3 s of silence: 2.0 s in the file
#     ended by 1 s of silence: 2.0 s in the file
#     ended by # in the silence, half a second after the tone: 1.2 s in the file
#
# Of the silence a second stays, however long it was; of what ended by a key the last quarter of a second goes, be it silence or
# speech (app_record.c). So the length of a file does not say how long somebody spoke: a message that must have two seconds is
# left by one of speech, and a short word before the key is lost. Who wants to know looks into the samples.
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
  for module in res_sorcery_config res_sorcery_memory res_timing_timerfd bridge_simple pbx_config codec_ulaw format_wav \
      app_playback app_record app_senddtmf app_verbose res_clioriginate; do
    echo "load = $module.so"
  done
} > "$folder/etc/modules.conf"
printf '[logfiles]\nconsole => notice,error\n' > "$folder/etc/logger.conf"
# The far end of a Local channel says a second of 440 Hz and then nothing; with a number besides, it presses # so many tenths of a second later.
cat > "$folder/etc/extensions.conf" <<END
[record]
exten => _X,1,Answer()
 same => n,Record($folder/run/\${EXTEN}.wav,\${EXTEN},20,q)
 same => n,Log(NOTICE,recorded \${EXTEN}: \${RECORD_STATUS})
 same => n,Hangup()
[say]
exten => s,1,Answer()
 same => n,Playback($folder/run/said)
 same => n,Hangup()
exten => key,1,Answer()
 same => n,Playback($folder/run/half)
 same => n,SendDTMF(#)
 same => n,Playback($folder/run/half)
 same => n,Hangup()
END
python3 - "$folder/run" <<'END'
import array, math, sys, wave
tone = [int(9000 * math.sin(2 * math.pi * 440 * at / 8000)) for at in range(8000)]
for name, silence in (("said", 10), ("half", 0.5)):
    with wave.open(f"{sys.argv[1]}/{name}.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(array.array("h", [*tone, *[0] * int(8000 * silence)]).tobytes())
END
asterisk() { "$loader" --library-path "$libraries" "$root/usr/sbin/asterisk" -C "$folder/etc/asterisk.conf" "$@"; }
asterisk -f -n > "$folder/log" 2>&1 < /dev/null &
asterisk_pid=$!
until asterisk -rx 'core waitfullybooted' > /dev/null 2>&1; do sleep 0.2; done
asterisk -rx 'channel originate Local/s@say/n extension 3@record' > /dev/null
asterisk -rx 'channel originate Local/s@say/n extension 1@record' > /dev/null
asterisk -rx 'channel originate Local/key@say/n extension 9@record' > /dev/null
for _ in $(seq 100); do
  [ "$(grep -c ': recorded ' "$folder/log")" -lt 3 ] || break
  sleep 0.2
done
python3 - "$folder/run" > "$folder/seen" <<'END'
import sys, wave
for name, how in (("3", "3 s of silence"), ("1", "1 s of silence"), ("9", "# in the silence, half a second after the tone")):
    with wave.open(f"{sys.argv[1]}/{name}.wav") as file:
        print(f"ended by {how}: {file.getnframes() / 8000:.1f} s in the file")
END
cat "$folder/seen"
diff "$folder/seen" - <<'END'
ended by 3 s of silence: 2.0 s in the file
ended by 1 s of silence: 2.0 s in the file
ended by # in the silence, half a second after the tone: 1.2 s in the file
END
echo "as described"
