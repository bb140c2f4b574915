"""Mistakes with telephone numbers: digits lost, extensions, short numbers, numbers of another plan."""

from __future__ import annotations

from random import Random

from callrouter.core import numbers
from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.kind import Kind, Mistake, at, at_shared
from tests.dialplan.mistakes.places import FRANCE, OVERSEAS, PLACES


def without_a_digit(random: Random, number: str) -> str:
    """The number as it is typed when one key does not take; never the leading 0, which nobody misses for long."""
    digits = [place for place, char in enumerate(number) if char.isdecimal()]
    place = random.choice(digits[1:] if not number.startswith("+") else digits[2:])
    return number[:place] + number[place + 1 :]


def own_number(random: Random) -> Mistake | None:
    """The client's own number."""
    folder = right(random).folder
    place = random.randrange(len(folder.client["numbers"]))
    folder.client["numbers"][place] = without_a_digit(random, folder.client["numbers"][place])
    return Mistake(folder, (at(folder, "numbers", place),))


def in_a_list(random: Random) -> Mistake | None:
    """A caller of a list."""
    folder = right(random).folder
    if "lists" not in folder.client:
        return None
    vip = folder.client["lists"]["vip"]
    place = random.randrange(len(vip))
    vip[place] = without_a_digit(random, vip[place])
    return Mistake(folder, (at(folder, "lists", "vip", place),))


def in_a_contact(random: Random) -> Mistake | None:
    """A contact of the client's own."""
    folder = right(random).folder
    who = random.choice(["boss", "second"])
    contact = folder.client["contacts"][who]
    contact["number"] = without_a_digit(random, contact["number"])
    return Mistake(folder, (at(folder, "contacts", who, "number"),))


def in_a_shared_contact(random: Random) -> Mistake | None:
    """A contact of the shared file, whoever uses it."""
    folder = right(random).folder
    who = random.choice(["duty-0", "duty-1", "duty-2", "duty-3"])
    contact = folder.shared["contacts"]["contacts"][who]
    contact["number"] = without_a_digit(random, contact["number"])
    return Mistake(folder, (at_shared("contacts", "contacts", who, "number"),))


def that_is_rung(random: Random) -> Mistake | None:
    """A number that a redirect or the fallback rings."""
    folder = right(random).folder
    redirects = [name for name, node in folder.client["nodes"].items() if "redirect" in node]
    if redirects:
        redirect = folder.client["nodes"][redirects[0]]["redirect"]
        redirect["number"] = without_a_digit(random, redirect["number"])
        return Mistake(folder, (at(folder, "nodes", redirects[0], "redirect", "number"),))
    fallback = folder.client["fallback"]
    if "number" in fallback:
        fallback["number"] = without_a_digit(random, fallback["number"])
        return Mistake(folder, (at(folder, "fallback", "number"),))
    return None


def in_a_branch(random: Random) -> Mistake | None:
    """A number dialled that a branch asks for: a digit lost, or a number the firm has given up."""
    folder = right(random).folder
    if "line" not in folder.client["nodes"]:
        return None
    when = folder.client["nodes"]["line"]["branch"]["when"][0]
    line = when["did"] if isinstance(when["did"], str) else when["did"][0]
    if random.random() < 0.3:
        folder.client["numbers"].remove(line)
    else:
        when["did"] = without_a_digit(random, line)
    here = ("nodes", "line", "branch", "when", 0, "did")
    return Mistake(folder, (at(folder, *here), at(folder, *here, 0)))


def overseas(random: Random) -> Mistake | None:
    """A digit lost by a client overseas, in numbers of its territory, its neighbours or the mainland."""
    firm = right(random, random.choice(OVERSEAS))
    other = random.choice([firm.place, *OVERSEAS, *FRANCE])
    number = without_a_digit(random, other.number(random, random.choice([other.fixed, other.mobile])))
    where = random.randrange(3)
    folder, document = firm.folder, firm.client
    if where == 0:
        document["numbers"].append(number)
        return Mistake(folder, (at(folder, "numbers", len(document["numbers"]) - 1),))
    if where == 1 and "lists" in document:
        document["lists"]["vip"].append(number)
        return Mistake(folder, (at(folder, "lists", "vip", len(document["lists"]["vip"]) - 1),))
    document["contacts"]["boss"]["number"] = number
    return Mistake(folder, (at(folder, "contacts", "boss", "number"),))


EXTENSIONS = (
    "poste 12",
    "p. 204",
    "poste 3",
    "(poste 17)",
    "ext. 12",
    "x12",
    "#21",
    "- poste 45",
    "P12",
    "extension 7",
)


def extension(random: Random) -> Mistake | None:
    """`01 40 00 00 01 poste 12`: what a switchboard knows, and no telephone network."""
    firm = right(random)
    where, folder = random.randrange(3), firm.folder
    said = random.choice(EXTENSIONS)
    if where == 0:
        folder.client["numbers"][0] += f" {said}"
        return Mistake(folder, (at(folder, "numbers", 0),))
    if where == 1 and "lists" in folder.client:
        folder.client["lists"]["vip"][0] += f" {said}"
        return Mistake(folder, (at(folder, "lists", "vip", 0),))
    folder.client["contacts"]["second"]["number"] += f" {said}"
    return Mistake(folder, (at(folder, "contacts", "second", "number"),))


COSTLY = ("3639", "118712", "3237", "118218", "3635", "15", "112", "18", "1033")


def short_mistyped(random: Random) -> Mistake | None:
    """A short number of a list that there is not: a digit too few or too many."""
    folder = right(random, random.choice(FRANCE + OVERSEAS)).folder
    if "lists" not in folder.client:
        return None
    wrong = random.choice(
        ["363", "36 399", "11871", "1187122", "11600", "1161177", "39", "4949", "2639", "13", "*3639"]
    )
    folder.client["lists"]["vip"].append(wrong)
    return Mistake(folder, (at(folder, "lists", "vip", len(folder.client["lists"]["vip"]) - 1),))


def short_rung(random: Random) -> Mistake | None:
    """A short number that is rung, and costs more than a call or looks for our place."""
    firm = right(random, random.choice(FRANCE + OVERSEAS))
    folder, nodes = firm.folder, firm.folder.client["nodes"]
    number = random.choice(COSTLY)
    if firm.chance(0.5):
        nodes["word"] = {"redirect": {"number": number, "failed": "bye"}}
        return Mistake(folder, (at(folder, "nodes", "word", "redirect", "number"),))
    folder.client["fallback"] = {"number": number}
    return Mistake(folder, (at(folder, "fallback", "number"),))


def other_plan(random: Random) -> Mistake | None:
    """A number of another country in its national form, as it was copied from a foreign letterhead."""
    firm = right(random)
    place = random.choice([one for one in PLACES if one.code != firm.place.code])
    if place.country in numbers.FRENCH_PLAN and firm.place.country in numbers.FRENCH_PLAN:
        return None
    national = place.number(random, random.choice([place.fixed, place.mobile]))
    if (read := numbers.normalise(national, firm.place.country)) and numbers.is_valid(read):
        return None  # A number there too: nobody could know.
    folder = firm.folder
    folder.client["contacts"]["boss"]["number"] = national
    return Mistake(folder, (at(folder, "contacts", "boss", "number"),))


NATIONAL = {
    "06 12 34 56 78": "+33612345678",
    "01 45 67 82 34": "+33145678234",
    "0262 20 12 34": "+262262201234",
    "0692 61 23 45": "+262692612345",
    "0639 22 33 44": "+262639223344",
    "0269 61 23 45": "+262269612345",
    "0590 82 34 56": "+590590823456",
    "0690 52 34 56": "+590690523456",
    "0596 62 34 56": "+596596623456",
    "0696 23 45 67": "+596696234567",
    "0594 23 45 67": "+594594234567",
    "0899 12 34 56": "+33899123456",
    "0162 12 34 56": "+33162123456",
    "3639": "3639",
    "118712": "118712",
    "116117": "116117",
    "15": "15",
    "112": "112",
}
"""What is written, and who is meant, in any territory of the French plan."""


def read_as_meant(random: Random) -> tuple[Firm, str, str]:
    """A right firm overseas with a national number in its list `vip`, the number, and what it must become."""
    while True:
        firm = right(random, random.choice(OVERSEAS))
        if "lists" in firm.client:
            written = random.choice([*NATIONAL])
            firm.client["lists"]["vip"] = [written]
            firm.client["nodes"]["filter"]["caller"].pop("nuisance", None)  # which may hold it before
            return firm, written, NATIONAL[written]


def identity(random: Random) -> Mistake | None:
    """A number shown that the carrier does not show, or without the client's mandate."""
    folder = right(random).folder
    if folder.client.get("identity", {}).get("show") != "client":
        return None
    place = at(folder, "identity", "show")
    if random.random() < 0.5:
        folder.shared["trunk"]["also_shows"] = random.choice([[], ["caller"]])
    else:
        del folder.client["identity"]["mandate"]
    return Mistake(folder, (place,))


KINDS = (
    Kind(name="digit lost in the client's own number", line=18, make=own_number),
    Kind(name="digit lost in a list", line=18, make=in_a_list),
    Kind(name="digit lost in a contact", line=18, make=in_a_contact),
    Kind(name="digit lost in a number that is rung", line=18, make=that_is_rung),
    Kind(name="digit lost in a number dialled, or one given up", line=18, make=in_a_branch),
    Kind(name="digit lost overseas", line=18, make=overseas),
    Kind(name="number with an extension", line=18, make=extension),
    Kind(name="short number mistyped", line=18, make=short_mistyped),
    Kind(name="short number that costs, rung", line=18, make=short_rung),
    Kind(name="identity that is not ours to show", line=18, make=identity),
    Kind(name="number of another plan", line=18, make=other_plan),
    Kind(name="digit lost in a shared contact", line=24, make=in_a_shared_contact),
)
