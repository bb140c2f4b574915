#!/bin/sh
# The holidays library, asked for one country, imports all of them. The guess: `country_holidays("FR")` loads the module of
# France, and the package's own registry, which names a module for each country, is there for that.
#
# Seen with holidays 0.109 and Python 3.11:
#
#     after import: 0 of 250 countries are loaded
#     after country_holidays("FR"): 250 of 250, one of them asked for
#     by the finder alone: 1 of 250, with the same days
#
# It costs a short command more than all its own work. The registry (holidays.registry.COUNTRIES) says in which module a
# country stands, and importlib's finder loads that file alone, without the package `holidays.countries` around it.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM

python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check holidays==0.109 python-dateutil==2.9.0.post0 six==1.17.0

cat > "$folder/asked.py" <<'END'
import sys

import holidays
from holidays.registry import COUNTRIES


def loaded():
    modules = {f"holidays.countries.{name}" for name in COUNTRIES}
    return len(modules & sys.modules.keys())


print(f"after import: {loaded()} of {len(COUNTRIES)} countries are loaded")
days = holidays.country_holidays("FR", years=2027, language="fr")
print(f'after country_holidays("FR"): {loaded()} of {len(COUNTRIES)}, one of them asked for')
print(sorted(days.items()), file=sys.stderr)
END
cat > "$folder/alone.py" <<'END'
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

import holidays
from holidays.registry import COUNTRIES

name, (class_name, code, *_) = next(one for one in COUNTRIES.items() if one[1][1] == "FR")
spec = PathFinder.find_spec(f"holidays.countries.{name}", [f"{path}/countries" for path in holidays.__path__])
module = module_from_spec(spec)
spec.loader.exec_module(module)
days = getattr(module, class_name)(years=2027, language="fr")
others = [one for one in COUNTRIES if f"holidays.countries.{one}" in sys.modules]
print(f"by the finder alone: {1 + len(others)} of {len(COUNTRIES)}, with the same days")
print(sorted(days.items()), file=sys.stderr)
END
for way in asked alone; do
  "$folder/venv/bin/python" "$folder/$way.py" >> "$folder/found" 2> "$folder/$way.days" || { cat "$folder/$way.days" >&2; exit 1; }
done
cat "$folder/found"
cat > "$folder/seen" <<'END'
after import: 0 of 250 countries are loaded
after country_holidays("FR"): 250 of 250, one of them asked for
by the finder alone: 1 of 250, with the same days
END
cmp -s "$folder/asked.days" "$folder/alone.days" && cmp -s "$folder/found" "$folder/seen" || {
  echo "This is not what was seen before: the library has changed, and so may we." >&2
  exit 1
}
