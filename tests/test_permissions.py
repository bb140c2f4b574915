"""What a scope holds, and within which scopes a permission can be held; the table in docs/security.md says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from callrouter.permissions import ABOUT, EVERYTHING, OPERATOR, Permission, Principal, Scope, ScopeKind

MOREAU = Scope(ScopeKind.CLIENTS, frozenset({"cabinet-moreau"}))
MEDICAL = Scope(ScopeKind.TEAMS, frozenset({"medical"}))
DOCUMENT = Path(__file__).parents[1] / "docs" / "security.md"


@pytest.mark.parametrize(
    ("scope", "client", "teams", "holds"),
    [
        (EVERYTHING, "etude-lenoir", [], True),
        (MOREAU, "cabinet-moreau", [], True),
        (MOREAU, "etude-lenoir", ["medical"], False),
        (MEDICAL, "etude-lenoir", ["legal", "medical"], True),
        (MEDICAL, "cabinet-moreau", ["legal"], False),
        (MEDICAL, "cabinet-moreau", [], False),
        (MEDICAL, "medical", [], False),
        (Scope(ScopeKind.CLIENTS), "", [], False),
        (Scope(ScopeKind.TEAMS), "", [""], False),
    ],
)
def test_what_a_scope_holds(scope: Scope, client: str, teams: list[str], holds: bool) -> None:
    assert scope.holds(client, teams) is holds


def test_every_permission_says_what_it_allows() -> None:
    assert ABOUT.keys() == set(Permission)
    assert all(ScopeKind.ALL in about.scopes for about in ABOUT.values())


def test_the_operator_may_everything() -> None:
    assert all(OPERATOR.may(one) for one in Permission)


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("kind", ScopeKind)
def test_what_cannot_be_limited_is_refused_to_who_is_limited(permission: Permission, kind: ScopeKind) -> None:
    principal = Principal(name="token:a", permissions=frozenset({permission}), scope=Scope(kind, frozenset({"a"})))

    assert principal.may(permission) is (kind in ABOUT[permission].scopes)
    assert not any(principal.may(other) for other in Permission if other is not permission)


def test_the_document_has_the_table() -> None:
    rows = [
        f"| `{permission}` | {about.allows} | {', '.join(kind for kind in ScopeKind if kind in about.scopes)} |"
        for permission, about in ABOUT.items()
    ]

    written = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert written[: len(rows)] == rows
