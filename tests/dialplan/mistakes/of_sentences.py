"""Mistakes in what is said: a key that the menu does not have, the place of a variable that nobody fills in."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.dialplan.mistakes.firms import Firm, right
from tests.dialplan.mistakes.folders import Path
from tests.dialplan.mistakes.kind import Kind, Mistake, at, at_shared

ASKS = {
    "fr": (
        "Pour la comptabilité, tapez {key}.",
        "Pour la comptabilité, appuyez sur la touche {key}.",
        "Pour la comptabilité, faites le {key}.",
        "Tapez {key} pour la comptabilité.",
        "Pour la comptabilité, appuyez sur {key}.",
        "Comptabilité : tapez {key}.",
        "Pour la comptabilité, composez le {key}.",
        "Pour la comptabilité, pressez {key}.",
        "Pour la comptabilité, touche {key}.",
        "Pour la comptabilité, veuillez taper {key}.",
        "Pour la comptabilité, le {key}.",
        "Et pour la comptabilité, choisissez le {key}.",
        "Pour la comptabilité, sélectionnez la touche {key}.",
        "Si vous appelez pour la comptabilité, tapez sur {key}.",
    ),
    "en": (
        "For accounts, press {key}.",
        "Press {key} for accounts.",
        "To speak to accounts, please press {key}.",
        "For accounts, dial {key}.",
        "For accounts, press the {key} key.",
        "For accounts, choose {key}.",
        "For accounts, select option {key}.",
        "For accounts, key in {key}.",
        "For accounts, {key}.",
        "If you are calling about an invoice, press {key} now.",
        "For accounts, hit {key}.",
    ),
}
WORDS = {
    "fr": {"4": "quatre", "5": "cinq", "6": "six", "7": "sept", "8": "huit", "*": "étoile", "#": "dièse"},
    "en": {"4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "*": "star", "#": "hash"},
}


def missing_key(random: Random) -> Mistake | None:
    """`tapez 3`, and there is no key 3: it was never written, or taken out."""
    firm = right(random)
    menus = [name for name, node in firm.client["nodes"].items() if "menu" in node]
    if not menus:
        return None
    name = random.choice(menus)
    menu = firm.client["nodes"][name]["menu"]
    here = ("nodes", name, "menu")
    keys = menu["keys"]
    if len(keys) > 1 and firm.chance(0.4) and name != "tongue":
        keys.pop(random.choice([*keys][1:]))
        return Mistake(
            firm.folder, (at(firm.folder, *here, "prompt"), *_texts_of(firm, menu["prompt"], (*here, "prompt")))
        )
    language = firm.place.language
    key = random.choice([one for one in WORDS[language] if one not in keys])
    spoken = WORDS[language][key] if firm.chance(0.3) or not key.isdecimal() else key
    said = random.choice(ASKS[language]).format(key=spoken)
    where = "prompt"
    if isinstance(menu["no_match"], dict) and firm.chance(0.2):
        where = "no_match"
        prompt = menu["no_match"]["prompt"]
        path: Path = (*here, "no_match", "prompt")
    else:
        prompt, path = menu["prompt"], (*here, "prompt")
    changed = _with_sentence(prompt, said, language)
    if where == "prompt":
        menu["prompt"] = changed
    else:
        menu["no_match"]["prompt"] = changed
    return Mistake(firm.folder, (at(firm.folder, *path), *_texts_of(firm, changed, path)))


def _with_sentence(prompt: Any, said: str, language: str) -> Any:
    if isinstance(prompt, str):
        return f"{prompt} {said}"
    inner = prompt["say"]
    return {"say": {**inner, language: f"{inner[language]} {said}"} if isinstance(inner, dict) else f"{inner} {said}"}


def _texts_of(firm: Firm, prompt: Any, path: Path) -> Iterator[tuple[str, Path]]:
    if isinstance(prompt, dict):
        yield at(firm.folder, *path, "say")
        if isinstance(prompt["say"], dict):
            yield from (at(firm.folder, *path, "say", language) for language in prompt["say"])


BRACES = ("{dossie}", "{nom}", "{ticket}", "{caller name}", "{{number}}", "{Nom}", "{client.name}", "{heure")


def brace(random: Random) -> Mistake | None:
    """The place of a variable that nobody sets, in any sentence of the tree."""
    firm = right(random)
    prompts = [*_prompts(firm.client["nodes"], ("nodes",))]
    path, holder, key = random.choice(prompts)
    said = random.choice(BRACES)
    prompt = holder[key]
    if isinstance(prompt, dict) and "say" not in prompt:
        return None
    holder[key] = changed = _with_sentence(prompt, said, firm.place.language)
    # A value that is not set is missing at the node, whichever of its sentences reads it.
    node = (at(firm.folder, *path[:2]), at(firm.folder, *path[:3]))
    return Mistake(firm.folder, (*node, at(firm.folder, *path), *_texts_of(firm, changed, path)))


def _prompts(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """Every prompt and brief of the nodes: its path, what holds it, and the key."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key in ("prompt", "brief"):
            yield (*path, key), value, key
        elif isinstance(inner, dict):
            yield from _prompts(inner, (*path, key))


def shared_brace(random: Random) -> Mistake | None:
    """The same in a sentence that clients share, a snippet's, or one who is rung hears."""
    firm = right(random)
    said = random.choice(BRACES)
    how = random.randrange(3)
    if how == 0:
        prompts = firm.folder.shared["prompts"]["prompts"]
        prompts["bye"]["fr"] += f" {said}"
        # Or at the node that says it: another client may set the value.
        nodes = tuple(at(firm.folder, "nodes", "bye", *more) for more in ((), ("hangup",), ("hangup", "prompt")))
        if firm.client["nodes"]["bye"]["hangup"]["prompt"] != {"sound": "bye"} or firm.place.language != "fr":
            return None
        return Mistake(firm.folder, (*nodes, at_shared("prompts", "prompts", "bye", "fr")))
    if how == 1:
        ask = firm.folder.shared["snippets"]["snippets"]["take_a_message"]["nodes"]["ask"]["message"]
        ask["prompt"]["say"]["fr"] += f" {said}"
        if "include" not in firm.client["nodes"]["word"] or firm.place.language != "fr":
            return None
        here = ("snippets", "take_a_message", "nodes", "ask", "message", "prompt")
        return Mistake(
            firm.folder,
            (
                *(at_shared("snippets", *here[:length]) for length in range(4, len(here) + 1)),
                *(at_shared("snippets", *here, *more) for more in (("say",), ("say", "fr"))),
            ),
        )
    if "duty" not in firm.client["nodes"]:
        return None
    dial = firm.client["nodes"]["duty"]["dial"]
    dial["screen"] = f"Un appel de {said}, tapez 1 pour l'accepter."
    rung = ("nodes", "duty", "dial")
    return Mistake(firm.folder, tuple(at(firm.folder, *path) for path in (rung[:2], rung, (*rung, "screen"))))


KINDS = (
    Kind(name="question that asks for a key there is not", line=19, make=missing_key),
    Kind(name="place of a variable in a sentence", line=21, make=brace),
    Kind(name="place of a variable in a shared sentence", line=21, make=shared_brace),
)
