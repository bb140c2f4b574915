"""The folder `callrouter` inside Asterisk's configuration: what Asterisk's own files include of teams and telephones.

    site.json        what this PBX has of its own: telephones besides the folder's, fixed addresses, the file of secrets
    applied.json     the document of teams that was applied last, and what is on its way out
    queues.conf      included by queues.conf
    queuerules.conf  included by queuerules.conf
    phones.conf      included by pjsip.conf; holds secrets
    extensions.conf  included in [callrouter-phones]

Files are replaced as a whole, so that Asterisk never reads half of one, and a PBX that starts alone has what it had.
Telephones' secrets are made here, on the PBX, and stay here. Needs the standard library only (see `document`).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callrouter.asterisk.teams import sections
from callrouter.asterisk.teams.document import Team, Teams, as_json, team_as_json, team_from, teams_from
from callrouter.errors import PbxUnitError

NAME: Final = "callrouter"
QUEUES: Final = "queues.conf"
RULES: Final = "queuerules.conf"
PHONES: Final = "phones.conf"
EXTENSIONS: Final = "extensions.conf"
_SECRET_BYTES: Final = 18


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a PBX has of its own, beside the clients' folder."""

    secrets: Path
    """JSON, telephone to secret; no other file holds them but Asterisk's own."""
    phones: tuple[str, ...] = ()
    contacts: Mapping[str, str] = field(default_factory=dict)
    """Telephones at a fixed address, HOST:PORT; all others register."""


@dataclass(frozen=True, kw_only=True)
class Leaving:
    """A queue that the folder has no more. It is served as before until nobody waits in it; then it is `closed`, so
    that nobody can slip in any more; then it goes.
    """

    team: Team
    closed: bool = False


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What the files say."""

    teams: Teams = field(default_factory=Teams)
    leaving: tuple[Leaving, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is on its way out, but what a tree still names."""
        return all(one.team.name in self.teams.still_named for one in self.leaving)

    @property
    def queues(self) -> list[str]:
        """Every queue that Asterisk is to have."""
        return [*(team.name for team in self.teams.teams), *(one.team.name for one in self.leaving)]

    @property
    def phones(self) -> set[str]:
        """Every telephone that they need."""
        teams = [*self.teams.teams, *(one.team for one in self.leaving)]
        return {*self.teams.phones, *(one.phone for team in teams for one in team.members)}


class PbxFolder:
    """Reads and writes the folder of one PBX.

    Args:
        etc: Asterisk's configuration folder.
    """

    def __init__(self, etc: Path) -> None:
        self.etc = etc
        self.path = etc / NAME

    @property
    def is_there(self) -> bool:
        """Whether this PBX's configuration was rendered by callrouter."""
        return (self.path / "site.json").is_file()

    def install(self, site: Site, known_secrets: Mapping[str, str], teams: Teams) -> None:
        """Make the folder, when the rest of Asterisk's configuration is rendered."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._save("site.json", json.dumps(_site_as_json(site), indent=2))
        kept = _known_secrets(site.secrets)
        if any(kept.get(name) != secret for name, secret in known_secrets.items()):
            _keep_secrets(site.secrets, {**kept, **known_secrets})
        self.write(Applied(teams=teams))

    def site(self) -> Site:
        """What was said when the configuration was rendered.

        Raises:
            PbxUnitError: it was not rendered by callrouter, or is another's.
        """
        found = self._load("site.json")
        try:
            return Site(secrets=Path(found["secrets"]), phones=tuple(found["phones"]), contacts=dict(found["contacts"]))
        except (KeyError, TypeError, ValueError) as error:
            raise PbxUnitError(f"{self.path / 'site.json'} is not what `pbx.py render` writes ({error!r})") from error

    def secret(self, phone: str) -> str | None:
        """The secret of one of its telephones; None for what is none.

        Raises:
            PbxUnitError: the files cannot be read.
        """
        site = self.site()
        there = phone in self.applied().phones or phone in site.phones
        return _known_secrets(site.secrets).get(phone) if there else None

    def applied(self) -> Applied:
        """What was applied last.

        Raises:
            PbxUnitError: the file is another's.
        """
        found = self._load("applied.json")
        source = str(self.path / "applied.json")
        try:
            return Applied(
                teams=teams_from(json.dumps(found), source),
                leaving=tuple(Leaving(team=team_from(one["team"]), closed=one["closed"]) for one in found["leaving"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PbxUnitError(f"{source} is not what was written there ({error!r})") from error

    def write(self, applied: Applied) -> frozenset[str]:
        """Write the files; returns the names of Asterisk's that are other than they were.

        Raises:
            PbxUnitError: they cannot be written, or a secret cannot stand in them.
        """
        site = self.site()
        texts = {
            QUEUES: sections.whole(_queues(applied), "The teams' queues."),
            RULES: sections.whole(_rules(applied), "When callers are offered to further levels of a team."),
            PHONES: sections.whole(self._phones(applied, site), "The agents' telephones."),
            EXTENSIONS: sections.whole(
                map(sections.phone_extension, sorted(applied.phones | {*site.phones})), "The agents' telephones."
            ),
        }
        changed = frozenset(name for name, text in texts.items() if self._read(name) != text)
        for name in sorted(changed):
            self._save(name, texts[name])
        self._save("applied.json", json.dumps(_applied_as_json(applied), indent=2, ensure_ascii=False))
        return changed

    def touch(self) -> None:
        """Have Asterisk read all of them at its next reload, though they say what they said."""
        for name in (QUEUES, RULES, PHONES, EXTENSIONS):
            self._save(name, self._read(name) or "")

    def _phones(self, applied: Applied, site: Site) -> Iterator[str]:
        names = sorted(applied.phones | {*site.phones})
        known = _secrets_for(names, site.secrets)
        for name in names:
            if set(known[name]) & set(" ;\r\n\0"):
                raise PbxUnitError(
                    f"{site.secrets}: the secret of {name} holds a blank, a semicolon or a line break, which "
                    "Asterisk's files cannot carry"
                )
            yield sections.phone_sections(name, known[name], site.contacts.get(name))

    def _load(self, name: str) -> dict[str, Any]:
        path = self.path / name
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PbxUnitError(
                f"{path} is not there: render this PBX's configuration with deploy/asterisk/pbx.py"
                " first, or name the folder where it is by CALLROUTER_PBX_DIR"
            ) from None
        except (OSError, ValueError) as error:
            raise PbxUnitError(f"{path} cannot be read ({error})") from error
        return found

    def _read(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def _save(self, name: str, text: str) -> None:
        _replace(self.path / name, text, 0o600 if name == PHONES else 0o644)


def _queues(applied: Applied) -> Iterator[str]:
    yield from map(sections.queue_section, applied.teams.teams)
    for one in applied.leaving:
        yield sections.closed_section(one.team.name) if one.closed else sections.queue_section(one.team)


def _rules(applied: Applied) -> Iterator[str]:
    teams = [*applied.teams.teams, *(one.team for one in applied.leaving if not one.closed)]
    yield from filter(None, map(sections.rule_section, teams))


def _secrets_for(names: list[str], path: Path) -> dict[str, str]:
    """The secrets of the file, which has one for each of these telephones afterwards."""
    known = _known_secrets(path)
    missing = {name: secrets.token_urlsafe(_SECRET_BYTES) for name in names if name not in known}
    if missing:
        _keep_secrets(path, known | missing)
    return known | missing


def _known_secrets(path: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise PbxUnitError(f"{path}, which holds the telephones' secrets, cannot be read ({error})") from error
    return known


def _keep_secrets(path: Path, known: Mapping[str, str]) -> None:
    _replace(path, json.dumps(dict(known), indent=2) + "\n", 0o600)


def _replace(path: Path, text: str, mode: int) -> None:
    """Put a whole file in the place of another, readable by whom it is for from its first instant on."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise PbxUnitError(f"{path} cannot be written ({error})") from error


def _site_as_json(site: Site) -> dict[str, Any]:
    return {"phones": list(site.phones), "contacts": dict(site.contacts), "secrets": str(site.secrets)}


def _applied_as_json(applied: Applied) -> dict[str, Any]:
    return {
        **as_json(applied.teams),
        "leaving": [{"team": team_as_json(one.team), "closed": one.closed} for one in applied.leaving],
    }
