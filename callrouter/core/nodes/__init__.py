"""The verbs of the language, one module each. The imports are the list, by hand, so that a search finds them."""

from callrouter.core.nodes._base import Finish as Finish
from callrouter.core.nodes._base import Leave as Leave
from callrouter.core.nodes._base import Node as Node
from callrouter.core.nodes._base import Stay as Stay
from callrouter.core.nodes._base import Step as Step
from callrouter.core.nodes._base import read_in as read_in
from callrouter.core.nodes._base import sounds_in as sounds_in
from callrouter.core.nodes._base import spoken as spoken
from callrouter.core.nodes._base import usual_seconds as usual_seconds
from callrouter.core.nodes.answer import AnswerNode as AnswerNode
from callrouter.core.nodes.branch import BranchNode as BranchNode
from callrouter.core.nodes.callback import CallbackNode as CallbackNode
from callrouter.core.nodes.caller import CallerNode as CallerNode
from callrouter.core.nodes.collect_digits import CollectDigitsNode as CollectDigitsNode
from callrouter.core.nodes.dial import DialNode as DialNode
from callrouter.core.nodes.form import FormNode as FormNode
from callrouter.core.nodes.hangup import HangupNode as HangupNode
from callrouter.core.nodes.lookup import LookupNode as LookupNode
from callrouter.core.nodes.menu import MenuNode as MenuNode
from callrouter.core.nodes.message import MessageNode as MessageNode
from callrouter.core.nodes.notify import NotifyNode as NotifyNode
from callrouter.core.nodes.opening_hours import OpeningHoursNode as OpeningHoursNode
from callrouter.core.nodes.play import PlayNode as PlayNode
from callrouter.core.nodes.queue import QueueNode as QueueNode
from callrouter.core.nodes.redirect import RedirectNode as RedirectNode
from callrouter.core.nodes.reject import RejectNode as RejectNode
from callrouter.core.nodes.set_variables import SetNode as SetNode

ALL: tuple[type[Node], ...] = tuple(
    found for found in [*globals().values()] if isinstance(found, type) and Node in found.__bases__
)
