#!/bin/sh
# venv.sh PYTHON FOLDER: makes FOLDER a virtual environment of PYTHON.
#
# One that is whole and of the same interpreter stays as it is. Any other is made anew: half made (Debian's `-m venv`
# leaves one behind when it finds no ensurepip), or of another interpreter.
set -eu
python=$1 folder=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "make: Python 3.11 or newer is needed, and $python is none: make PYTHON=python3.12 …" >&2
    exit 1
}

# The installation, and the release that the packages were chosen for; a repair release of it may be put below.
identify='import sys; print(sys.base_prefix, *sys.version_info[:2])'
identity=$("$python" -c "$identify")
if [ "$("$folder/bin/python" -c "import pip; $identify" 2>/dev/null)" = "$identity" ]; then
    # What make compares: made before this file was, it is taken over.
    [ -e "$folder/.interpreter" ] || echo "$identity" > "$folder/.interpreter"
    exit 0
fi

# Debian keeps ensurepip apart from the interpreter.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1] if sys.base_prefix == "/usr" else "")')
    if [ -z "$package" ]; then
        echo "make: $python has no ensurepip: install it whole, or name another one: make PYTHON=/usr/bin/python3 …" >&2
        exit 1
    fi
    sh "$(dirname "$0")/packages.sh" "$package"
fi
rm -rf "$folder"
"$python" -m venv "$folder"
echo "$identity" > "$folder/.interpreter"
