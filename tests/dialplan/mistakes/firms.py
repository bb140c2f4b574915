"""Right trees of client firms, as operations people write them: nothing is to be said of any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from tests.dialplan.mistakes.folders import NOW, Folder
from tests.dialplan.mistakes.places import PLACES, Place
from tests.dialplan.mistakes.trades import (
    ASK_FILE,
    ASK_WORD,
    BUSY,
    BYE,
    FAMILIES,
    FILE_SAID,
    GREETING,
    ITEM,
    ITEM_TOUCHED,
    NO_SALES,
    SEASON,
    TRADES,
    UNKNOWN_CHOICE,
    URGENT_AT_NIGHT,
    Text,
    Trade,
)

PATIENCE = ("Merci de patienter, nous allons vous répondre.", "Please hold, we will be with you soon.")
PATIENCE_TOO = ("Nous vous remercions de votre patience.", "Thank you for your patience.")
PATIENCE_KEY = ("Pour laisser un message, tapez 1.", "To leave a message, press 1.")
CRM = "crm.firm.example"
LANGUAGES = ("fr", "en")


def day(days: int) -> str:
    """A day, counted from now, as a document writes it."""
    return (NOW + timedelta(days=days)).date().isoformat()


def shared(random: Random) -> dict[str, dict[str, Any]]:
    """The files beside the clients, of one operator."""
    queues = ("medical", "legal", "trades", "shop")
    phones = ("06 12 34 00 01", "06 12 34 00 02", "07 81 22 33 44", "+33 6 12 34 00 04")
    return {
        "agents": {"agents": {f"agent-{place}": {"name": f"Agent {place}"} for place in range(1, 9)}},
        "queues": {
            "queues": {
                name: {"title": name.title(), "members": [f"agent-{2 * place + 1}", f"agent-{2 * place + 2}"]}
                for place, name in enumerate(queues)
            }
        },
        "contacts": {
            "country": "FR",
            "contacts": {
                **{f"duty-{place}": {"name": f"Astreinte {place}", "number": n} for place, n in enumerate(phones)},
                "post": {"name": "Boîte commune", "email": "messages@firm.example"},
            },
        },
        "calendars": {
            "calendars": {"office": {"open": {"mon-fri": ["08:30-12:00", "13:30-18:00"]}, "holidays": "FR"}},
            "rotas": {
                "on-duty": {
                    "timezone": "Europe/Paris",
                    "change": "mon 08:00",
                    "cycle": ["duty-0", "duty-1"],
                    "starting": "2026-01-05",
                    "exceptions": {"2026-12-25": "duty-1"},
                },
                "shifts": {
                    "timezone": "Europe/Paris",
                    "change": "mon 08:00",
                    "starting": "2026-01-05",
                    "shifts": {
                        "day": {"when": "mon-fri 08:00-18:00", "cycle": ["duty-0", "duty-1"]},
                        "night": {"when": "mon-thu 18:00-08:00", "cycle": [["duty-0", "duty-1"], "duty-2"]},
                        "weekend": {"when": "fri 18:00..mon 08:00", "cycle": ["duty-3"]},
                    },
                },
                "weekly": {
                    "timezone": "Europe/Paris",
                    "cycle": ["duty-2", "duty-3"],
                    "starting": "2026-09-07",
                    "weeks": {"2026-W52": "duty-3"},
                },
            },
        },
        "lists": {
            "country": "FR",
            "lists": {"nuisance": ["0162*", "0163*", "0270*", "0948*"], "ministry": ["01 40 56 60 00"]},
        },
        "prompts": {"prompts": {"bye": dict(zip(LANGUAGES, BYE, strict=True))}},
        "snippets": {
            "snippets": {
                "take_a_message": {
                    "about": "Asks for a message.",
                    "parameters": {"to": "contact", "after": "node"},
                    "start": "ask",
                    "nodes": {
                        "ask": {
                            "message": {
                                "prompt": {"say": dict(zip(LANGUAGES, ASK_WORD, strict=True))},
                                "max": "2m",
                                "deliver": "$to",
                                "done": "$after",
                            }
                        }
                    },
                }
            }
        },
    }


@dataclass
class Firm:
    """A client firm while its tree is written, from its end to its beginning."""

    random: Random
    place: Place
    trade: Trade
    title: str
    languages: tuple[str, ...]
    folder: Folder
    given: set[str] = field(default_factory=set)
    """Digits of the numbers it has or knows: no two of them are one."""
    nodes: dict[str, Any] = field(default_factory=dict)

    @property
    def client(self) -> dict[str, Any]:
        """Its document."""
        return self.folder.client

    def number(self, pattern: str) -> str:
        """A number of its place that it does not know yet, as people write it."""
        while True:
            found = self.place.number(self.random, pattern)
            digits = "".join(char for char in found if char.isdecimal())
            if digits not in self.given:
                self.given.add(digits)
                return found

    def telephone(self) -> str:
        """A mobile: national mostly, sometimes as it stands in a telephone."""
        found = self.number(self.place.mobile)
        return self.place.abroad(found) if self.chance(0.2) else found

    def chance(self, share: float) -> bool:
        """Whether it has something that this share of firms has."""
        return self.random.random() < share

    def say(self, text: Text, **values: str) -> Any:
        """A text in all its languages."""
        said = {one: two.format(**values) for one, two in zip(LANGUAGES, text, strict=True)}
        if len(self.languages) == 1:
            alone = said[self.place.language]
            return alone if self.chance(0.5) else {"say": alone}
        return {"say": {language: said[language] for language in self.languages}}

    def menu(self, greeting: Text | None, items: list[tuple[Text, str]], otherwise: str) -> dict[str, Any]:
        """A menu that says its keys."""
        item = self.random.choice([ITEM, ITEM_TOUCHED])
        keys = [str(place + 1) for place in range(len(items))]
        if len(items) > 1 and self.chance(0.2):
            keys[-1] = self.random.choice(["0", "9"])
        said = [
            self._joined(item, what=what, key=key, first=greeting if not place else None)
            for place, ((what, _), key) in enumerate(zip(items, keys, strict=True))
        ]
        whole = (" ".join(one[0] for one in said), " ".join(one[1] for one in said))
        no_match: Any = {"retry": "2", "then": otherwise, "prompt": self.say(UNKNOWN_CHOICE)}
        return {
            "menu": {
                "prompt": self.say(whole),
                "timeout": self.random.choice(["3s", "4s", "5s", "6s", "8s"]),
                "keys": {key: target for key, (_, target) in zip(keys, items, strict=True)},
                "no_input": self.random.choice([otherwise, {"retry": "1", "then": otherwise}]),
                "no_match": self.random.choice([otherwise, no_match]),
            }
        }

    def _joined(self, item: Text, *, what: Text, key: str, first: Text | None) -> Text:
        greeting = [one.format(firm=self.title) + " " for one in first] if first else ["", ""]
        fr, en = (begin + one.format(what=of, key=key) for begin, one, of in zip(greeting, item, what, strict=True))
        return fr, en


Stage = Callable[[Firm], None]


def right(random: Random, place: Place | None = None) -> Firm:
    """A firm, in a folder of its own with the operator's shared files."""
    place = place or random.choice(PLACES)
    trade = random.choice(TRADES)
    family = random.choice(FAMILIES)
    several = random.random() < 0.2
    languages = (place.language, *(one for one in LANGUAGES if one != place.language and several))
    title = f"{trade.titles[LANGUAGES.index(place.language)]} {family}"
    name = f"{trade.name}-{family.lower().replace('é', 'e')}"
    document: dict[str, Any] = {
        "client": name,
        "name": title,
        "numbers": [],
        "timezone": place.timezone,
        "language": place.language,
    }
    folder = Folder(clients={f"{name}.yaml": document}, shared=shared(random))
    firm = Firm(random, place, trade, title, languages, folder)
    document["numbers"] = _numbers(firm)
    if several:
        document["languages"] = [*languages]
    _head(firm)
    _tree(firm)
    if firm.chance(0.4):
        _identity(firm)
    if firm.chance(0.3):
        _preference(firm)
    return firm


def _preference(firm: Firm) -> None:
    """Whom of its team the firm wants; each has two members."""
    queue = firm.trade.queue
    first, second = firm.random.sample(firm.folder.shared["queues"]["queues"][queue]["members"], 2)
    firm.client["agents"] = {
        queue: firm.random.choice(
            [{"prefer": [first]}, {"prefer": [first], "next_level": "20s"}, {"never": [second]}, {"prefer": second}]
        )
    }


def _identity(firm: Firm) -> None:
    """Who calls when somebody outside is rung; the operator sits in France, wherever its clients do."""
    firm.folder.shared["trunk"] = {
        "country": "FR",
        "number": "01 99 00 00 00",
        "also_shows": firm.random.choice([["client"], ["client", "caller"]]),
        "forwarding": firm.random.choice(["none", "diversion", "history_info"]),
    }
    firm.client["identity"] = firm.random.choice([{"show": "operator"}, {"show": "client", "mandate": "2026-03-02"}])


def _numbers(firm: Firm) -> list[str]:
    found = [firm.number(firm.place.fixed)]
    while firm.chance(0.25):
        other = firm.number(firm.place.fixed)
        found.append(firm.place.abroad(other) if firm.chance(0.3) else other)
    return found


def _head(firm: Firm) -> None:
    """What stands before the nodes."""
    random, place, document = firm.random, firm.place, firm.client
    week = random.choice(
        [
            {"mon-fri": ["08:00-12:30", "13:30-19:00"], "sat": "09:00-12:00"},
            {"mon-fri": "09:00-17:30"},
            {"mon,tue,thu,fri": ["08:30-12:00", "14:00-18:00"], "wed": "08:30-12:00"},
            {"daily": "07:00-23:00"},
        ]
    )
    hours: dict[str, Any] = {"open": week, "holidays": place.holidays}
    if firm.chance(0.35) and place.holidays == "FR":
        hours = {"calendar": "office"}
    if firm.chance(0.4):
        hours["closed"] = random.choice(
            [
                ["2026-12-24..2027-01-03"],
                ["2026-12-26..2027-01-02", "2027-08-02..2027-08-22"],
                ["2026-12-31", "2027-05-07"],
                ["12-24..01-02", "08-01..08-15"],
                ["12-31", "2027-05-07"],
                ["2026-12-24..2027-01-03", "2027-07-19..2027-08-15", "2027-12-24..2028-01-02"],
            ]
        )
    if firm.chance(0.3):
        hours["exceptions"] = random.choice([{"2026-12-23": "08:00-12:00"}, {"2027-05-14": ["09:00-12:00"]}])
    document["hours"] = {"desk": hours, "phone": {"open": {"daily": "08:00-20:00"}}} if firm.chance(0.2) else hours
    regular = [firm.telephone() for _ in range(random.randint(1, 4))]
    unwanted = {"FR": "08*", "GB": "084*", "BE": "090*", "CH": "0900*", "CA": "900*"}.get(place.country, "089*")
    document["lists"] = {"vip": regular, "unwanted": [unwanted]}
    without_number = random.choice([[], ["withheld", "unauthenticated", "unavailable"]])
    if without_number:
        document["lists"]["no_number"] = without_number
    document["contacts"] = {
        "boss": {"name": "Direction", "number": firm.telephone()},
        "second": {"name": "Second", "number": firm.number(place.fixed)},
        "box": {"name": "Boîte", "email": "accueil@firm.example"},
        "crm": {"url": f"https://{CRM}/calls"},
    }
    if firm.chance(0.5):
        document["service_level"] = {"within": "20s", "target": random.choice(["80%", "85%", "90 %"])}
    document["fallback"] = random.choice([{"queue": firm.trade.queue}, {"number": firm.telephone()}])


def _tree(firm: Firm) -> None:
    """The nodes: from the last word back to the first ring."""
    random, nodes, trade, document = firm.random, firm.nodes, firm.trade, firm.client
    nodes["bye"] = {"hangup": {"prompt": random.choice([{"sound": "bye"}, firm.say(BYE)])}}
    if firm.chance(0.3):
        nodes["word"] = {"include": {"snippet": "take_a_message", "with": {"to": "box", "after": "bye"}}}
    else:
        nodes["word"] = {
            "message": {
                "prompt": firm.say(ASK_WORD),
                "max": random.choice(["1m", "90s", "2m", "3m"]),
                "deliver": random.choice(["box", "post"]),
                "done": "bye",
            }
        }
    full = _callback(firm) if firm.chance(0.3) else "word"
    nodes["desk"] = {
        "queue": {
            "name": trade.queue,
            "max_wait": random.choice(["45s", "1m", "2m", "3m", "5m"]),
            "brief": firm.say((firm.title, firm.title)),
            "overflow": full,
            **_waiting(firm, full),
        }
    }
    day_desk = _standing(firm, full) if firm.chance(0.25) else "desk"
    duty = _duty(firm) if firm.chance(0.7) else ""
    welcome = _welcome(firm, day_desk, duty)
    night = _night(firm, duty)
    if duty and duty in _led_to(nodes):
        document["emergency"] = [duty]
    # Nobody in an emergency should be asked for a file first.
    if "emergency" not in document and firm.chance(0.4):
        welcome = _file(firm, welcome)
    if firm.chance(0.25):
        welcome = _season(firm, welcome)
    start = _hours(firm, welcome, night)
    if len(document["numbers"]) > 1 and firm.chance(0.6):
        start = _numbers_apart(firm, start)
    if len(firm.languages) > 1:
        start = _language(firm, start)
    if firm.chance(0.7):
        start = _filter(firm, start)
    document["lists"] = {name: one for name, one in document["lists"].items() if "filter" in nodes}
    if not document["lists"]:
        del document["lists"]
    document["start"] = start
    document["nodes"] = _reached(nodes, start)


def _waiting(firm: Firm, full: str) -> dict[str, Any]:
    """What callers hear while they wait, how they leave the line, and who goes first."""
    random = firm.random
    found: dict[str, Any] = {}
    if firm.chance(0.25):
        tell = random.choice([["position"], "expected_wait", ["position", "expected_wait"]])
        found["announce"] = {"tell": tell, "every": random.choice(["30s", "40s"])} if firm.chance(0.7) else {}
    messages = [firm.say(PATIENCE)] if firm.chance(0.5) else [firm.say(PATIENCE), firm.say(PATIENCE_TOO)]
    if firm.chance(0.2):
        found["keys"] = {random.choice(["1", "9", "*"]): full}
        if "1" in found["keys"]:
            messages.append(firm.say(PATIENCE_KEY))
    if firm.chance(0.25):
        found["comfort"] = {"messages": messages, "every": random.choice(["30s", "35s", "44s"])}
    if firm.chance(0.15):
        found["priority"] = str(random.randint(0, 9))
    if firm.chance(0.15):
        found["rises"] = {"after": "30s", "to": str(random.randint(10, 100))}
    return found


def _callback(firm: Firm) -> str:
    firm.nodes["offer"] = {
        "callback": {
            "prompt": firm.say(BUSY),
            "done": "bye",
            "declined": "word",
            "no_input": "word",
            "no_match": "word",
        }
    }
    return "offer"


def _standing(firm: Firm, full: str) -> str:
    queue = firm.trade.queue
    firm.nodes["standing"] = {
        "branch": {
            "when": [
                {"queue": queue, "agents": {"below": "1"}, "then": "word"},
                {"queue": queue, "waiting": {"at_least": "6"}, "then": full},
            ],
            "otherwise": "desk",
        }
    }
    return "standing"


def _duty(firm: Firm) -> str:
    who = firm.random.choice(
        [["boss"], ["boss", "second"], ["on-duty"], ["weekly", "boss"], ["shifts"], ["duty-0", "duty-2"]]
    )
    firm.client["dialling"] = {"countries": ["FR"]} if firm.place.country != "FR" else {"countries": ["BE"]}
    firm.nodes["duty"] = {
        "dial": {
            "contacts": who,
            "ring": firm.random.choice(["15s", "20s", "25s", "30s"]),
            "screen": "true",
            "no_answer": "word",
        }
    }
    if firm.chance(0.2):
        firm.nodes["duty"]["dial"]["mode"] = "at_once"
    return "duty"


def _welcome(firm: Firm, desk: str, duty: str) -> str:
    trade = firm.trade
    items = [(trade.usual, desk)]
    if duty and firm.chance(0.6):
        items.insert(0, (trade.urgent, duty))
    if firm.chance(0.4):
        other = firm.number(firm.place.fixed)
        firm.nodes["shop"] = {"redirect": {"number": other, "ring": "25s", "failed": desk}}
        items.append((trade.also, "shop"))
    if len(items) > 1:
        firm.nodes["welcome"] = firm.menu(GREETING, items, desk)
    else:
        hello = (GREETING[0].format(firm=firm.title), GREETING[1].format(firm=firm.title))
        firm.nodes["welcome"] = {"play": {"prompt": firm.say(hello), "next": desk}}
    return "welcome"


def _night(firm: Firm, duty: str) -> str:
    if not duty or firm.chance(0.3):
        firm.nodes["night"] = {"play": {"prompt": firm.say(firm.trade.closed), "next": "word"}}
        return "night"
    said = (
        f"{firm.trade.closed[0]} {URGENT_AT_NIGHT[0].format(what=firm.trade.urgent[0], key='1')}",
        f"{firm.trade.closed[1]} {URGENT_AT_NIGHT[1].format(what=firm.trade.urgent[1], key='1')}",
    )
    firm.nodes["night"] = {
        "menu": {"prompt": firm.say(said), "keys": {"1": duty}, "no_input": "word", "no_match": "word"}
    }
    return "night"


def _file(firm: Firm, following: str) -> str:
    """A file's number is asked for, and looked up or compared."""
    known = "known"
    firm.nodes["file"] = {
        "collect_digits": {
            "prompt": firm.say(ASK_FILE),
            "variable": "dossier",
            "min": "4",
            "max": "4",
            "next": "which",
            "no_input": following,
            "no_match": following,
        }
    }
    if firm.chance(0.5):
        firm.folder.hosts, firm.folder.secrets = (CRM,), {"CRM_TOKEN": "secret"}
        firm.nodes["which"] = {
            "lookup": {
                "url": f"https://{CRM}/files/{{dossier}}",
                "headers": {"Authorization": "env:CRM_TOKEN"},
                "fields": {"rank": "customer.rank"},
                "next": "rank",
                "failed": following,
            }
        }
        firm.nodes["rank"] = {
            "branch": {"when": [{"variable": "rank", "equals": "gold", "then": "tell"}], "otherwise": following}
        }
        firm.nodes["tell"] = {"notify": {"contact": "crm", "data": {"file": "{dossier}"}, "next": known}}
    else:
        firm.nodes["which"] = {
            "branch": {
                "when": [
                    {"variable": "dossier", "starts_with": ["9"], "then": "word"},
                    {"variable": "dossier", "number": {"below": "2000"}, "then": known},
                ],
                "otherwise": following,
            }
        }
    if firm.chance(0.5):
        firm.nodes[known] = {"play": {"prompt": firm.say(FILE_SAID), "next": "named"}}
        known = "named"
    firm.nodes[known] = {"queue": {"name": firm.trade.queue, "priority": "5", "max_wait": "4m", "overflow": "word"}}
    return "file"


def _season(firm: Firm, following: str) -> str:
    """A branch on the day: a season that goes on, or one that comes."""
    first, last = firm.random.choice([(-40, 140), (-5, 30), (20, 60), (100, 200)])
    when: dict[str, Any] = firm.random.choice([{"from": day(first), "to": day(last)}, {"dates": ["10-15..04-15"]}])
    firm.nodes["season"] = {"branch": {"when": [{**when, "then": "winter"}], "otherwise": following}}
    firm.nodes["winter"] = {"play": {"prompt": firm.say(SEASON), "next": following}}
    return "season"


def _hours(firm: Firm, welcome: str, night: str) -> str:
    several = "desk" in firm.client["hours"]
    block: dict[str, Any] = {"open": welcome, "closed": night}
    if several:
        firm.nodes["late"] = {"opening_hours": {"hours": "phone", "open": "word", "closed": night}}
        block = {"hours": "desk", "open": welcome, "closed": "late"}
    elif firm.chance(0.2):
        block["holiday"] = "word"
    firm.nodes["hours"] = {"opening_hours": block}
    return "hours"


def _numbers_apart(firm: Firm, following: str) -> str:
    """One of the firm's numbers is a line of its own."""
    line = firm.random.choice(firm.client["numbers"])
    when = {"did": firm.random.choice([line, [line]]), "then": "direct"}
    firm.nodes["direct"] = {"queue": {"name": firm.trade.queue, "max_wait": "2m", "overflow": "word"}}
    firm.nodes["line"] = {"branch": {"when": [when], "otherwise": following}}
    return "line"


def _language(firm: Firm, following: str) -> str:
    first, other = firm.languages
    said = {"fr": "Pour le français, tapez 1.", "en": "For English, press 2."}
    texts = {"fr": f"{said['fr']} {said['en']}", "en": f"{said['fr']} {said['en']}"}
    firm.nodes["tongue"] = {
        "menu": {
            "prompt": {"say": {language: texts[language] for language in firm.languages}},
            "keys": {"1": following if first == "fr" else "change", "2": following if first == "en" else "change"},
            "no_input": following,
            "no_match": following,
        }
    }
    firm.nodes["change"] = {"set": {"language": other, "next": following}}
    return "tongue"


def _filter(firm: Firm, following: str) -> str:
    queue = firm.trade.queue
    firm.nodes["first"] = {"queue": {"name": queue, "priority": "10", "max_wait": "3m", "overflow": "word"}}
    firm.nodes["refuse"] = {"reject": firm.random.choice([{}, {"cause": "busy"}, {"prompt": firm.say(NO_SALES)}])}
    lists: dict[str, str] = {"vip": "first", "unwanted": "refuse"}
    if firm.chance(0.15):  # One of them stands in two lists, and the first decides.
        regular = firm.client["lists"]["vip"]
        firm.client["lists"]["partners"] = [regular[0], firm.telephone()]
        lists = {"vip": "first", "partners": "word", "unwanted": "refuse"}
    if firm.chance(0.4):
        lists = {"nuisance": "refuse", **lists}
    if "no_number" in firm.client["lists"]:
        lists["no_number"] = "word"
    firm.nodes["filter"] = {"caller": {**lists, "otherwise": following}}
    return "filter"


def _led_to(nodes: dict[str, Any]) -> set[str]:
    return {text for node in nodes.values() for text in _texts(node)}


def _reached(nodes: dict[str, Any], start: str) -> dict[str, Any]:
    """Those that calls reach, the first first."""
    found: dict[str, Any] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting += _texts(nodes[name])
    return found


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    return [text for inner in value for text in _texts(inner)] if isinstance(value, list) else []
