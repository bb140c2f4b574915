"""A node as the documents write it: a mapping with exactly one key, its verb, whose own model stands in `verbs`."""

from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field, model_validator

from callrouter.dialplan.language.fields import Block, WhenUsed
from callrouter.dialplan.language.prompts import (
    AnswerBlock,
    BranchBlock,
    CallerBlock,
    CollectDigitsBlock,
    DialBlock,
    HangupBlock,
    IncludeBlock,
    MenuBlock,
    MessageBlock,
    OpeningHoursBlock,
    PlayBlock,
    QueueBlock,
    RedirectBlock,
    RejectBlock,
    SetBlock,
)
from callrouter.dialplan.verbs.lookup import CallbackBlock, LookupBlock, NotifyBlock

Held = TypeVar("Held", bound=Block)
Verb = Annotated[Held | None, WhenUsed()]


class NodeBlock(Block):
    """A step of the tree: its verb, and what the verb needs."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    answer: Verb[AnswerBlock] = None
    play: Verb[PlayBlock] = None
    menu: Verb[MenuBlock] = None
    collect_digits: Verb[CollectDigitsBlock] = None
    opening_hours: Verb[OpeningHoursBlock] = None
    caller: Verb[CallerBlock] = None
    branch: Verb[BranchBlock] = None
    set_: Verb[SetBlock] = Field(default=None, alias="set")
    queue: Verb[QueueBlock] = None
    dial: Verb[DialBlock] = None
    redirect: Verb[RedirectBlock] = None
    callback: Verb[CallbackBlock] = None
    lookup: Verb[LookupBlock] = None
    notify: Verb[NotifyBlock] = None
    include: Verb[IncludeBlock] = None
    message: Verb[MessageBlock] = None
    reject: Verb[RejectBlock] = None
    hangup: Verb[HangupBlock] = None

    @model_validator(mode="before")
    @classmethod
    def _one_verb(cls, value: object) -> object:
        """One verb; one that needs nothing may stand alone (`hangup:`)."""
        if not isinstance(value, dict) or not value:
            raise ValueError(f"holds no verb: write one of {', '.join(VERBS)} below it")
        known = [key for key in value if key in VERBS]
        if len(known) > 1:
            raise ValueError(f"holds {len(known)} verbs ({', '.join(known)}): a node has exactly one")
        return {key: {} if inner is None else inner for key, inner in value.items()}

    @property
    def verb(self) -> tuple[str, Block]:
        """The verb as the document writes it, and what it holds."""
        (key,) = self.model_fields_set
        return _VERB_OF[key], getattr(self, key)


_VERB_OF = {key: field.alias or key for key, field in NodeBlock.model_fields.items()}
VERBS = tuple(_VERB_OF.values())
