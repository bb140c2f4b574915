"""The table of what is found, kind by kind, and what is said of right trees."""

from __future__ import annotations

import sys

from tests.dialplan.mistakes.folders import judge
from tests.dialplan.mistakes.trying import all_tried, rights


def main() -> None:
    """Print it; `-v` shows each that was missed, and what was said instead."""
    verbose = "-v" in sys.argv[1:]
    found = all_tried()
    print(f"{'line':4} {'kind':46} {'tried':>5} {'found':>5} {'missed':>6}")
    for one in found:
        awaited = "  (awaited)" if one.kind.awaited else ""
        print(f"{one.kind.line:4} {one.kind.name:46} {one.tried:5} {one.found:5} {len(one.missed):6}{awaited}")
        for mistake in one.missed if verbose else ():
            judged = judge(mistake.folder)
            file, path = mistake.places[0]
            print(f"       {file}:{judged.line(file, path)} {'.'.join(map(str, path))}")
            print("".join(f"         said: {issue}\n" for issue in judged.issues if issue.severity != "note"), end="")
    held = [one for one in found if not one.kind.awaited]
    tried, hits = sum(one.tried for one in held), sum(one.found for one in held)
    print(f"     {'all but those awaited':46} {tried:5} {hits:5} {tried - hits:6}  {hits / tried:.1%}")
    said = rights()
    print(f"\n{said.trees} right trees, {len(said.alarms)} false alarms; they use:")
    print("".join(f"     {name:46} {count:5}\n" for name, count in said.used.items()), end="")
    for firm, issue in said.alarms if verbose else ():
        print(f"     {firm.place.name}: {issue}")


if __name__ == "__main__":
    main()
