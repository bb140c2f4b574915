#!/bin/sh
# Renders Asterisk's configuration from the environment, and from the teams that `callrouter pbx apply` brought last, else those
# that `callrouter teams` has written for the first start; then becomes Asterisk.
set -eu

teams="${CALLROUTER_TEAMS:-/var/lib/callrouter/teams/teams.json}"
[ ! -f /etc/asterisk/callrouter/applied.json ] || teams=/etc/asterisk/callrouter/applied.json
set -- --out /etc/asterisk \
    --secrets /var/lib/asterisk/callrouter-secrets.json \
    --sip-host 0.0.0.0 \
    --rtp "${CALLROUTER_RTP_PORTS:-10000-10199}" \
    --agents "${CALLROUTER_AGENTS:-8}" \
    --teams "$teams" \
    --language "${CALLROUTER_LANGUAGE:-en}"
if [ -z "${CALLROUTER_CARRIERS:-}" ]; then # else pbx.py reads that file, which says all of it
    for address in ${CALLROUTER_TRUNK_MATCH:-127.0.0.1}; do
        set -- "$@" --trunk-match "$address"
    done
    [ -z "${CALLROUTER_CARRIER:-}" ] || set -- "$@" --carrier "$CALLROUTER_CARRIER"
    [ -z "${CALLROUTER_EXTERNAL_ADDRESS:-}" ] || set -- "$@" --external-address "$CALLROUTER_EXTERNAL_ADDRESS"
fi

python3 /opt/callrouter/deploy/asterisk/pbx.py render "$@"
# Real-time priority, where the container may have it (ulimits: rtprio): Asterisk asks for it as root only.
if chrt --rr 10 true 2>/dev/null; then
    set -- chrt --rr 10
else
    set --
fi
exec "$@" asterisk -f -n
