#!/bin/sh
# A space that Python's writer of mail headers loses. The guess: what `EmailMessage` writes of a subject or of a name (policy
# SMTP) reads as what it was given, whatever is in it, also by Python's own reader.
#
# Seen with Python 3.11.2 (Debian 12):
#
#     given: Cabinet Moreau: message of 14:05 from Mrs Josephine Martin, née Éléonore Dubois
#     read:  Cabinet Moreau: message of 14:05 from Mrs Josephine Martin,  néeÉléonore Dubois
#
# After a fold, each word that needs it is encoded for itself, with a plain space between two of them; and what separates
# two encoded words is not part of the text (RFC 2047, 6.2). So short headers are right, and of long ones those in which
# two words with accents come after a fold. Encode such a text yourself, its spaces inside the encoded words.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

cat > "$folder/written.py" <<'END'
import email
import email.policy
import sys
from email.message import EmailMessage

GIVEN = "Cabinet Moreau: message of 14:05 from Mrs Josephine Martin, née Éléonore Dubois"
made = EmailMessage(policy=email.policy.SMTP)
made["Subject"] = GIVEN
read = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)["Subject"]
print(f"Python {sys.version.split()[0]}", file=sys.stderr)
print(f"given: {GIVEN}")
print(f"read:  {read}")
END
PYTHONIOENCODING=utf-8 python3 "$folder/written.py" > "$folder/found"
cat "$folder/found"
sed -n 's/^#     \(given: .*\|read:  .*\)$/\1/p' "$0" > "$folder/seen"
cmp -s "$folder/found" "$folder/seen" || {
  echo "This is not what was seen before: the library has changed, and so may we." >&2
  exit 1
}
