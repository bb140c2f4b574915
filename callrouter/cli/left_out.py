"""Modules that a short command never uses, though libraries import them with themselves: a ninth of its time.

Pydantic and holidays ask what packages are installed (for plugins, for a version), and for that the interpreter loads
e-mail, zip and sockets and reads the metadata; holidays can look up days that are written in any way; phonenumbers
formats while one types and searches texts, with all their patterns. `left_out` has a stand-in imported in their places,
which fails loudly should anything in it be used after all. Only for commands that answer and end: services load all of
it, once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

if TYPE_CHECKING:
    from importlib.abc import Loader

BEGINNINGS: Final = (
    "dateutil.parser",
    "holidays.version",
    "phonenumbers.asyoutypeformatter",
    "phonenumbers.data.alt_format_",
    "phonenumbers.phonenumbermatcher",
    "phonenumbers.shortnumberinfo",
    "pydantic.plugin._loader",
)
"""Of the modules' names."""


NO_PLUGINS: Final = ("pydantic.plugin._loader", "get_plugins")
"""The one function that is called all the same, each time a model is made; there is no plugin to be found."""


class _StandIn(ModuleType):
    """Has every name that is imported from it, and lends none to be used."""

    __version__ = ""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        if (self.__name__, name) == NO_PLUGINS:
            return tuple

        def used(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"{self.__name__}.{name} is used by a short command: take it off the list of {__name__}")

        return used


class _Finder:
    """Finds the modules before those who look into folders do.

    No `importlib.abc.MetaPathFinder`, whose module loads what this one leaves out.
    """

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, cast("Loader", self)) if fullname.startswith(BEGINNINGS) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing in it."""


@contextmanager
def left_out() -> Iterator[None]:
    """Meanwhile the modules are not loaded; whoever imports one afterwards gets the whole of it."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if type(module) is _StandIn]:
            del sys.modules[name]
