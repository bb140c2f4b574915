"""What a client will have spoken, known before anything is compiled, so that all of it can be rendered at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callrouter.core.call import replace
from callrouter.dialplan.compile.assembly import MAX_SNIPPETS_DEEP
from callrouter.dialplan.compile.frame import languages_of, scope_of
from callrouter.dialplan.documents.drafts import Draft
from callrouter.dialplan.language.fields import Block
from callrouter.dialplan.language.languages import FIGURES, LANGUAGES, READ_BY_ASTERISK
from callrouter.dialplan.language.own_texts import FALLBACK_BYE, counted
from callrouter.dialplan.language.prompts import OwnWordsBlock, PromptBlock
from callrouter.dialplan.language.sentences import pieces
from callrouter.dialplan.scope import NameScope
from callrouter.dialplan.shared.reading import Shared
from callrouter.dialplan.sounds import SoundSource
from callrouter.dialplan.verbs import NodeBlock
from callrouter.dialplan.verbs.include import IncludeBlock


def sentences(drafted: Draft, shared: Shared, sounds: SoundSource) -> Iterator[tuple[str, str]]:
    """Every text (text, language) the client will have spoken, in every language of theirs."""
    file = drafted.file
    if file is None or file.language not in LANGUAGES:
        return
    scope = scope_of(drafted, file, shared, sounds)
    languages = languages_of(file)
    scopes = [replace(scope, language=language) for language in languages if language in LANGUAGES]
    for node in _with_snippets(file.nodes.values(), shared):
        for said in _said(node.block):
            for spoken in scopes:
                yield from _texts(said, spoken) if isinstance(said, PromptBlock) else _own(said, spoken)
    if (bye := scope.own_text(FALLBACK_BYE)) is not None:
        yield bye, file.language
    if file.answer_phrase:
        yield file.answer_phrase, file.language


def _own(block: OwnWordsBlock, scope: NameScope) -> Iterator[tuple[str, str]]:
    """Sentences of our own."""
    for text, count in block.own_words():
        if (words := scope.own_text(text)) is not None:
            yield counted(words, count), scope.language


def _texts(prompt: PromptBlock, scope: NameScope) -> Iterator[tuple[str, str]]:
    """What is spoken of one prompt; where a value stands, all that it may need."""
    scope = scope.spoken_in(prompt.language)
    places = prompt.digits is not None or prompt.telephone is not None
    for piece in pieces(scope.text(prompt) or ""):
        if not isinstance(piece, str):
            places = True
        elif piece:
            yield piece, scope.language
    if places and scope.language not in READ_BY_ASTERISK:
        yield from ((figure, scope.language) for figure in FIGURES)


def _with_snippets(nodes: Iterable[NodeBlock], shared: Shared, depth: int = 0) -> Iterator[NodeBlock]:
    """Nodes, and those of the snippets they include, as far as the snippets can be filled in."""
    for node in nodes:
        include = node.block
        if not isinstance(include, IncludeBlock):
            yield node
        elif (snippet := shared.snippets.get(include.snippet)) and depth < MAX_SNIPPETS_DEEP:
            defaults = {name: block.default for name, block in snippet.block.parameters.items()}
            filled, _ = snippet.filled({**defaults, **include.with_})
            yield from _with_snippets(filled.values(), shared, depth + 1)


def _said(block: object) -> Iterator[PromptBlock | OwnWordsBlock]:
    """What is said anywhere in a block."""
    if isinstance(block, PromptBlock | OwnWordsBlock):
        yield block
    elif isinstance(block, tuple):
        for item in block:
            yield from _said(item)
    elif isinstance(block, Block):
        for value in vars(block).values():
            if isinstance(value, tuple | Block):
                yield from _said(value)
