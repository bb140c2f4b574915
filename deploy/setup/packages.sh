#!/bin/sh
# Installs Debian packages, as root on Debian; otherwise says what is missing and fails.
set -eu
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "make: these are missing: run 'sudo apt-get install $*' (or your system's equivalent)" >&2
    exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive exec apt-get install -y -q --no-install-recommends "$@"
