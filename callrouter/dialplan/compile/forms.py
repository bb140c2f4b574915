"""A client's forms, as its file says them under `forms`, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from callrouter.core.call import replace
from callrouter.core.forms import Field, FieldType, Form, HoursAre, When
from callrouter.core.nodes.about import Family
from callrouter.core.numbers import CallerList
from callrouter.core.plan import names_of
from callrouter.dialplan.documents.calendar import UNNAMED_HOURS
from callrouter.dialplan.documents.client_file import ClientFile
from callrouter.dialplan.documents.forms import OPEN, FormBlock, FormFieldBlock, FormWhenBlock
from callrouter.dialplan.issues import closest, shown
from callrouter.dialplan.proof import Tree
from callrouter.dialplan.scope import NameScope

MOST_CASES = 512
"""Cases of hours, lists and kinds that are looked at to find out whether several forms hide another; beyond that only
one that hides another alone is found."""

Path = tuple[str | int, ...]


def asked_by(scope: NameScope, file: ClientFile) -> Mapping[str, Form]:
    """The client's forms by name, without the calls they are for; what is wrong with them is noted."""
    return {name: _form(scope, name, block) for name, block in file.forms.items()}


def forms_of(scope: NameScope, file: ClientFile, tree: Tree) -> tuple[Form, ...]:
    """The client's forms, in the file's order, each with the calls it is for; what is wrong with those is noted."""
    before = len(scope.issues)
    found = tuple(
        replace(form, when=_when(scope, tree, block.when, "forms", form.name, "when")) if block.when else form
        for form, block in zip(scope.forms.values(), file.forms.values(), strict=True)
    )
    if len(scope.issues) == before:
        _check_chosen(scope, found)
    return found


def lists_of(scope: NameScope, forms: Sequence[Form]) -> Mapping[str, CallerList]:
    """The lists that forms ask, by name."""
    return {name: scope.lists[name] for form in forms for name in form.when.lists if name in scope.lists}


def _form(scope: NameScope, name: str, block: FormBlock) -> Form:
    deliver = scope.deliver(block.deliver, "forms", name, "deliver")
    _check_fields(scope, name, block)
    return Form(
        name=name,
        title=block.title or name,
        fields=tuple(_field(field, one) for field, one in block.fields.items()),
        deliver=deliver,
    )


def _field(name: str, block: FormFieldBlock) -> Field:
    return Field(
        name=name,
        label=block.label or name,
        type=FieldType(block.type),
        required=block.required,
        choices=tuple(block.choices.items()),
    )


def _check_fields(scope: NameScope, name: str, block: FormBlock) -> None:
    """Some field must make it a message; whoever asks must be able to tell fields, and choices, apart."""
    here = ("forms", name, "fields")
    urgent = [field for field, one in block.fields.items() if one.type == FieldType.URGENCY]
    if len(urgent) == len(block.fields):
        wrong = f"form {shown(name)} asks for nothing but the urgency, which is no message: ask for a text, or a number"
        scope.fail(wrong, *here)
    elif len(urgent) > 1:
        wrong = f"form {shown(name)} asks for the urgency twice (first as {shown(urgent[0])}): take one out"
        scope.fail(wrong, *here, urgent[1])
    labels: dict[str, str] = {}
    for field, one in block.fields.items():
        label = one.label or field
        first = labels.setdefault(label.casefold(), field)
        if first != field:
            wrong = f"form {shown(name)}: fields {shown(first)} and {shown(field)} are both called {shown(label)}"
            scope.fail(f"{wrong}: give one of them another label", *here, field)
        _check_choices(scope, one, *here, field)


def _check_choices(scope: NameScope, block: FormFieldBlock, *path: str | int) -> None:
    known: dict[str, str] = {}
    for value, label in block.choices.items():
        for word in {value.casefold(), label.casefold()}:
            first = known.setdefault(word, value)
            if first != value:
                wrong = f"choices {shown(first)} and {shown(value)} are both called {shown(word)}"
                scope.fail(f"{wrong}: give one of them another name", *path, "choices", value)


def _when(scope: NameScope, tree: Tree, block: FormWhenBlock, *path: str | int) -> When:
    for index, name in enumerate(block.lists):
        if name not in scope.lists:
            scope.unknown_list(name, *path, "list", index)
    return When(
        hours=tuple(_hours(scope, block.hours, *path, "hours")),
        lists=block.lists,
        kinds=tuple(
            node for index, name in enumerate(block.kinds) for node in _nodes(scope, tree, name, *path, "kind", index)
        ),
    )


def _hours(scope: NameScope, written: Mapping[str, str], *path: str | int) -> Iterator[HoursAre]:
    for name, state in written.items():
        if not scope.schedules:
            scope.fail('the client has no hours: write them under "hours"', *path)
        elif name != UNNAMED_HOURS:
            if name in scope.schedules:
                yield HoursAre(hours=name, open=state == OPEN)
            else:
                meant = closest(name, scope.schedules)
                scope.fail(f"the client has no hours called {shown(name)}", *path, name, suggestion=meant)
        elif len(scope.schedules) > 1:
            mend = f"hours: {{ {next(iter(scope.schedules))}: {state} }}"
            scope.fail(f"the client has several hours ({', '.join(scope.schedules)}): write which, {mend}", *path)
        else:
            yield HoursAre(hours=next(iter(scope.schedules)), open=state == OPEN)


def _nodes(scope: NameScope, tree: Tree, name: str, *path: str | int) -> Sequence[str]:
    """The nodes of the plan that are meant by a name, and put callers through to somebody."""
    if name not in scope.written:
        scope.fail(f"kind: node {shown(name)} does not exist", *path, suggestion=closest(name, scope.written))
        return ()
    reaching = [node for node, about in tree.about.items() if about.family is Family.REACHES]
    found = [node for node in reaching if name in names_of(node)]
    if not found and tree.complete:
        some = next((names_of(node)[-1] for node in reaching if not node.startswith((*tree.foreign, "("))), "")
        mend = f"name a node that does, such as {shown(some)}" if some else "leave it out"
        scope.fail(f"kind: {shown(name)} puts callers through to nobody: {mend}", *path)
    return found


def _check_chosen(scope: NameScope, forms: Sequence[Form]) -> None:
    """No form may be hidden by those before it: the client believes in it."""
    for form, first in never_chosen(forms):
        if first is not None:
            for_whom = "every call" if first.when == When() else "every call that it is for"
            wrong = f"is never chosen: form {shown(first.name)} comes before it, and is for {for_whom}"
            mend = f"put it above {shown(first.name)}, or write for which calls that is (when)"
        else:
            wrong = "is never chosen: one of those before it is for every call that it is for"
            mend = "put it above them"
        scope.fail(f"form {shown(form.name)} {wrong}; {mend}", "forms", form.name)


def never_chosen(forms: Sequence[Form]) -> Iterator[tuple[Form, Form | None]]:
    """Forms that are for no call, since others come before them; with the one that takes all its calls, if one does."""
    for index, form in enumerate(forms):
        earlier = forms[:index]
        first = next((one for one in earlier if _covers(one.when, form.when)), None)
        if first is not None or (len(earlier) > 1 and _is_hidden(form, earlier)):
            yield form, first


def _covers(wide: When, narrow: When) -> bool:
    """Whether one holds for every call for which the other does."""
    return (
        set(wide.hours) <= set(narrow.hours)
        and _some_of(wide.lists, narrow.lists)
        and _some_of(wide.kinds, narrow.kinds)
    )


def _some_of(wide: Sequence[str], narrow: Sequence[str]) -> bool:
    """Whether whoever is in one of these is in one of those; in none of none means anybody."""
    return not wide or (bool(narrow) and set(narrow) <= set(wide))


def _is_hidden(form: Form, earlier: Sequence[Form]) -> bool:
    """Whether there is no case of hours, lists and kinds in which a form is for the call, and none before it."""
    conditions = [form.when, *(one.when for one in earlier)]
    hours = list(dict.fromkeys(one.hours for when in conditions for one in when.hours))
    lists = list(dict.fromkeys(name for when in conditions for name in when.lists))
    kinds = list(dict.fromkeys(("", *(name for when in conditions for name in when.kinds))))
    if 2 ** (len(hours) + len(lists)) * len(kinds) > MOST_CASES:
        return False
    for answers in product((True, False), repeat=len(hours) + len(lists)):
        is_open = dict(zip(hours, answers, strict=False)).__getitem__
        in_list = dict(zip(lists, answers[len(hours) :], strict=True)).__getitem__
        for kind in kinds:
            its, *others = (one.holds(is_open=is_open, in_list=in_list, kind=kind) for one in conditions)
            if its and not any(others):
                return False
    return True
