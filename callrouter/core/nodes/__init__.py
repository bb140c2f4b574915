"""The verbs of the language, one module each, listed by hand so that a search finds them."""

from callrouter.core.nodes._base import Finish, Leave, Node, Stay, Step
from callrouter.core.nodes.answer import AnswerNode
from callrouter.core.nodes.branch import BranchNode
from callrouter.core.nodes.callback import CallbackNode
from callrouter.core.nodes.caller import CallerNode
from callrouter.core.nodes.collect_digits import CollectDigitsNode
from callrouter.core.nodes.dial import DialNode
from callrouter.core.nodes.hangup import HangupNode
from callrouter.core.nodes.lookup import LookupNode
from callrouter.core.nodes.menu import MenuNode
from callrouter.core.nodes.message import MessageNode
from callrouter.core.nodes.notify import NotifyNode
from callrouter.core.nodes.opening_hours import OpeningHoursNode
from callrouter.core.nodes.play import PlayNode
from callrouter.core.nodes.queue import QueueNode
from callrouter.core.nodes.redirect import RedirectNode
from callrouter.core.nodes.reject import RejectNode
from callrouter.core.nodes.set_variables import SetNode

ALL: tuple[type[Node], ...] = (
    AnswerNode,
    PlayNode,
    MenuNode,
    CollectDigitsNode,
    OpeningHoursNode,
    CallerNode,
    BranchNode,
    SetNode,
    QueueNode,
    DialNode,
    RedirectNode,
    MessageNode,
    CallbackNode,
    LookupNode,
    NotifyNode,
    RejectNode,
    HangupNode,
)

__all__ = [
    "ALL",
    "AnswerNode",
    "BranchNode",
    "CallbackNode",
    "CallerNode",
    "CollectDigitsNode",
    "DialNode",
    "Finish",
    "HangupNode",
    "Leave",
    "LookupNode",
    "MenuNode",
    "MessageNode",
    "Node",
    "NotifyNode",
    "OpeningHoursNode",
    "PlayNode",
    "QueueNode",
    "RedirectNode",
    "RejectNode",
    "SetNode",
    "Stay",
    "Step",
]
