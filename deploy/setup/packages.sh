#!/bin/sh
# Installs Debian packages, as root on Debian; otherwise says what is missing and fails.
set -eu
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "make: these are missing: run 'sudo apt-get install $*' (or your system's equivalent)" >&2
    exit 1
fi
# Tests start a Postfix of their own: without a main.cf of the system's, the package starts none.
case " $* " in
*" postfix "*) echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections ;;
esac
apt-get update -q
DEBIAN_FRONTEND=noninteractive exec apt-get install -y -q --no-install-recommends "$@"
