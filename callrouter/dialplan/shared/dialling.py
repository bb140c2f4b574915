"""What the documents allow to dial, or refuse."""

from __future__ import annotations

from phonenumbers import SUPPORTED_REGIONS, country_code_for_region

from callrouter.core import numbers
from callrouter.core.dialling import Dialling, names_a_range, with_territories
from callrouter.core.numbers import is_short
from callrouter.dialplan.documents.client_file import DiallingBlock
from callrouter.dialplan.documents.shared_files import DiallingFile
from callrouter.dialplan.issues import Issue, Severity, shown
from callrouter.dialplan.language.reader import Document


def allowance(block: DiallingBlock | DiallingFile, document: Document, country: str) -> tuple[Dialling, list[Issue]]:
    """What a document allows to dial, and what is wrong with it."""
    if not block.countries and not block.prefixes:
        return Dialling(), []
    path = () if isinstance(block, DiallingFile) else ("dialling",)
    issues = [
        Issue(
            file=document.file,
            line=document.line(*path, "countries", index),
            field="countries",
            message=f'countries: {shown(code)} is no country: write an ISO code such as "BE"',
        )
        for index, code in enumerate(block.countries)
        if code not in SUPPORTED_REGIONS
    ]
    prefixes, wrong = beginnings(block.prefixes, document, country, *path, "prefixes")
    home = f"+{country_code_for_region(country)}"
    for index, text in enumerate(block.prefixes):
        meant = numbers.prefixes(text.removesuffix("*"), country)
        if any(_opens_nothing(one, home) for one in meant):
            message = (
                f"prefixes: {shown(text)} opens no number that costs more than a call, and the ordinary ones of "
                f'{country} are open already: write the range that is meant, such as "0892"'
            )
            line = document.line(*path, "prefixes", index)
            issues.append(
                Issue(file=document.file, line=line, field="prefixes", message=message, severity=Severity.WARNING)
            )
    return Dialling(countries=with_territories(block.countries), prefixes=prefixes), [*issues, *wrong]


def beginnings(
    written: tuple[str, ...], document: Document, country: str, *path: str
) -> tuple[tuple[str, ...], list[Issue]]:
    """Beginnings of numbers in E.164."""
    found: list[str] = []
    issues: list[Issue] = []
    for index, text in enumerate(written):
        meant = numbers.prefixes(text.removesuffix("*"), country)
        if not meant or len(meant[0]) < 2:
            message = f'{path[-1]}: {shown(text)} is no beginning of a number: write "0892" or "+377"'
            line = document.line(*path, index)
            issues.append(Issue(file=document.file, line=line, field=".".join(path), message=message))
        else:
            found.extend(meant)
    return tuple(found), issues


def _opens_nothing(prefix: str, home: str) -> bool:
    """Whether a beginning of home numbers, or of short ones, is too short to name what costs more than a call."""
    if names_a_range(prefix) or len(prefix) < 2:
        return False
    if not prefix.startswith("+"):
        return not is_short(prefix)
    return home.startswith(prefix) or prefix.startswith(home)
