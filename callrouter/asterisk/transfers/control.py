"""What programs do in a conversation: hold, give away, consult, complete, take back, keys, hang up.

A desk telephone cannot be told to do any of it, so Asterisk does: a blind transfer is AMI's BlindTransfer on the
agent's channel, everything else the feature code that the agent could key (features.conf), put into their channel as if
they had. The target of a consultation goes before, as TRANSFER_EXTEN, which bridge_basic.c takes in place of keys; for
a hold it is one that rings nobody. What was asked is proved by the event that follows, and not by Asterisk's answer.

A contact (a number outside) who has the caller has no feature codes, and no agent is there who could hold or consult:
the caller can be given to somebody else, taken back by the agent who had them last, or the contact hung up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.adoption.snapshot import Snapshot
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.transfers.consultations import HOLD, Consultations, decide, party_of
from callrouter.core.call import Call, CallState, Leg, LegPurpose
from callrouter.core.transfers.targets import COLLEAGUE, Destination
from callrouter.errors import ActionFailed, ConversationRefused
from callrouter.runtime.calls import LiveCall, LiveCalls
from callrouter.runtime.ports import Directory

CONTEXT: Final = "callrouter-transfer"
ANNOUNCED, COMPLETE, TAKE_BACK = "*22", "*23", "*24"
"""As in features.conf."""
KEY_MILLISECONDS: Final = 100
BETWEEN_SECONDS: Final = 0.12
"""Between two keys of a code; Asterisk gives up a code after a second."""
PROOF_SECONDS: Final = 1.2
"""How long what was asked may take to begin: web waits 2 s for the engine (`api.engine_client`)."""
MAX_KEYS: Final = 32


class Control(StrEnum):
    """What is to be done."""

    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    CONSULT = "consult"
    COMPLETE = "complete"
    TAKE_BACK = "take-back"
    KEYPAD = "keypad"
    HANG_UP = "hang-up"


_OF_CONTACTS: Final = frozenset({Control.TRANSFER, Control.TAKE_BACK, Control.HANG_UP})
"""What can be done while a contact has the caller."""


class CallControl:
    """See the module."""

    def __init__(
        self,
        link: AmiLink,
        calls: LiveCalls,
        consultations: Consultations,
        directory: Directory,
        *,
        link_up: Callable[[], bool],
    ) -> None:
        self._link = link
        self._calls = calls
        self._consultations = consultations
        self._directory = directory
        self._link_up = link_up
        self._busy: set[str] = set()
        """Calls in which something is being done: keys of two codes at once would be keys of neither."""

    def take_up(self, call: Call, snapshot: Snapshot) -> None:
        """Go on with what an engine that is gone knew of the call's agent."""
        self._consultations.take_up(call, snapshot)

    async def do(self, control: Control, call_id: str, detail: str = "") -> None:
        """Do it; `detail` is a target, or keys.

        Raises:
            ConversationRefused: it cannot be done as things stand; nothing has changed.
            AmiError: Asterisk does not answer, or cannot.
        """
        if call_id in self._busy:
            raise ConversationRefused("something else is being done in this conversation: ask again")
        self._busy.add(call_id)
        try:
            await self._do(control, call_id, detail)
        finally:
            self._busy.discard(call_id)

    async def _do(self, control: Control, call_id: str, detail: str) -> None:
        live = self._talking(call_id)
        contact = _partner(live, LegPurpose.CONTACT)
        if contact is not None:
            await self._do_with_contact(control, live, contact, detail)
            return
        leg = _partner(live, LegPurpose.AGENT)
        if leg is None or not leg.leg:
            raise ConversationRefused(f"no agent talks to the caller of {call_id}")
        match control:
            case Control.TRANSFER:
                self._may_be_given(live, detail)
                self._not_on_hold(call_id)
                await self._give(await self._channel(leg.leg), detail)
            case Control.CONSULT:
                party = party_of(self._may_be_given(live, detail, spoken_to=True))
                await self._consult(call_id, leg, detail, party)
            case Control.HOLD:
                await self._consult(call_id, leg, HOLD, HOLD)
            case Control.RESUME | Control.TAKE_BACK:
                await self._take_back(call_id, leg, held=control is Control.RESUME)
            case Control.COMPLETE:
                await self._complete(call_id, leg)
            case Control.KEYPAD:
                await self._keypad(call_id, detail)
            case Control.HANG_UP:
                self._not_on_hold(call_id)
                await self._hang_up(live, await self._channel(leg.leg))

    async def _do_with_contact(self, control: Control, live: LiveCall, contact: Leg, target: str) -> None:
        if control not in _OF_CONTACTS:
            raise ConversationRefused(
                f"the caller talks to {contact.party}, outside: they can be transferred, taken back by the agent who "
                "had them, or hung up; nothing else can be done there"
            )
        if control is Control.TAKE_BACK:
            if live.call.agent is None:
                raise ConversationRefused("no agent had this caller: transfer them")
            target = f"{COLLEAGUE}.{live.call.agent}"
        if control is not Control.HANG_UP:
            self._may_be_given(live, target)
        peer = await self._peer(live.call.call_id)
        if control is Control.HANG_UP:
            await self._hang_up(live, peer)
        else:
            await self._give(peer, target)

    async def _peer(self, call_id: str) -> str:
        """The channel that the caller's talks to."""
        uniqueid = self._consultations.caller_of(call_id)
        asked = {"Channel": await self._channel(uniqueid), "Variable": "BRIDGEPEER"}
        try:
            peer = (await self._link.send("Getvar", asked))["Value"]
        except ActionFailed as error:
            raise ConversationRefused("the conversation has just ended") from error
        if not peer or "," in peer:  # several: a supervisor has barged in
            raise ConversationRefused("it is not known to whom the caller talks: ask again")
        return peer

    async def _hang_up(self, live: LiveCall, channel: str) -> None:
        """As if whoever has the caller did: the tree goes on."""
        step = live.call.step
        try:
            await self._link.send("Hangup", {"Channel": channel, "Cause": "16"})
        except ActionFailed as error:
            raise ConversationRefused("the conversation has just ended") from error
        await self._proved(lambda: live.call.state is not CallState.CONNECTED or live.call.step != step)

    def _talking(self, call_id: str) -> LiveCall:
        if not self._link_up():
            raise ConversationRefused("the link to Asterisk is down", away=True)
        live = self._calls.get(call_id)
        if live is None:
            raise ConversationRefused(f"call {call_id} has just ended")
        if live.call.state is not CallState.CONNECTED:
            raise ConversationRefused(f"nobody talks to the caller of {call_id}")
        return live

    def _may_be_given(self, live: LiveCall, target: str, *, spoken_to: bool = False) -> Destination:
        """Refused here, the agent keeps the caller: a telephone's own transfer can only be undone."""
        found = decide(live, target, self._directory)
        if found.refusal:
            raise ConversationRefused(f"{target}: {found.refusal}")
        if spoken_to and found.node:
            raise ConversationRefused(f"{target} is a node of the tree: nobody can be spoken to there")
        if found.colleague and not self._directory.phone(found.colleague):
            raise ConversationRefused(f"agent {found.colleague} is not logged in")
        return found

    def _not_on_hold(self, call_id: str) -> None:
        """Who is in the agent's conversation is the caller, and nobody whom a feature code put there."""
        one = self._consultations.of_call(call_id)
        if one is not None and one.by_code:
            raise ConversationRefused("the caller is on hold: take them back first")

    async def _channel(self, uniqueid: str) -> str:
        """The name of a channel."""
        shown = await self._link.collect("Status")
        name = next((one["Channel"] for one in shown if one["Event"] == "Status" and one["Uniqueid"] == uniqueid), "")
        if not name:
            raise ConversationRefused("the conversation has just ended")
        return name

    async def _give(self, channel: str, target: str) -> None:
        try:
            await self._link.send("BlindTransfer", {"Channel": channel, "Context": CONTEXT, "Exten": target})
        except ActionFailed as error:
            raise ConversationRefused(f"Asterisk does not transfer the caller: {error}") from error

    async def _consult(self, call_id: str, leg: Leg, target: str, party: str) -> None:
        if self._consultations.of_call(call_id) is not None:
            raise ConversationRefused("the caller is on hold already")
        channel = await self._channel(leg.leg)
        actions = ChannelActions(channel)
        self._link.post_batch(
            actions.set_variable("TRANSFER_EXTEN", target) + actions.set_variable("TRANSFER_CONTEXT", CONTEXT)
        )
        try:
            await self._key(channel, ANNOUNCED)
            await self._proved(lambda: self._is_with(call_id, party))
        finally:  # or what the agent keys next would lead there too
            self._link.post_batch(actions.set_variable("TRANSFER_EXTEN", ""))

    def _is_with(self, call_id: str, party: str) -> bool:
        """Whether it is they who are consulted, and nobody whom the agent has called meanwhile."""
        one = self._consultations.of_call(call_id)
        return one is not None and one.by_code and one.party == party

    async def _complete(self, call_id: str, leg: Leg) -> None:
        one = self._consultations.of_call(call_id)
        if one is None or one.party == HOLD or not one.channel:
            raise ConversationRefused("nobody has answered whom the agent consults")
        if not one.by_code:
            raise ConversationRefused(
                "the agent's telephone made this consultation by a second call of its own, and has the caller on hold "
                "itself: complete it there, with its transfer key; or take back, and consult from here"
            )
        await self._key(await self._channel(leg.leg), COMPLETE)
        await self._proved(lambda: one.over)

    async def _take_back(self, call_id: str, leg: Leg, *, held: bool) -> None:
        one = self._consultations.of_call(call_id)
        if one is None or (one.party == HOLD) is not held:
            raise ConversationRefused("the caller is not on hold" if held else "the agent consults nobody")
        if one.by_code:
            await self._key(await self._channel(leg.leg), TAKE_BACK)
        else:  # their telephone's own call: the caller is on hold until they take them back there
            self._link.post_batch(ChannelActions(await self._channel(one.uniqueid)).hang_up(16))
        await self._proved(lambda: one.over)

    async def _keypad(self, call_id: str, keys: str) -> None:
        """Heard by whoever the agent talks to."""
        one = self._consultations.of_call(call_id)
        if one is not None and not one.channel:
            raise ConversationRefused("nobody hears keys now")
        channel = await self._channel(one.channel if one else self._consultations.caller_of(call_id))
        await self._key(channel, keys[:MAX_KEYS], receive=False)

    async def _key(self, channel: str, keys: str, *, receive: bool = True) -> None:
        """`receive`: as if they were keyed there; otherwise they are heard there."""
        pressed = {"Channel": channel, "Duration": str(KEY_MILLISECONDS), "Receive": "true" if receive else "false"}
        for place, key in enumerate(keys):
            if place:
                await asyncio.sleep(BETWEEN_SECONDS)
            try:
                await self._link.send("PlayDTMF", {**pressed, "Digit": key})
            except ActionFailed as error:
                raise ConversationRefused("the conversation has just ended") from error

    async def _proved(self, true: Callable[[], bool]) -> None:
        """Wait for what shows that it was done."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PROOF_SECONDS
        while not true():
            if loop.time() > until:
                raise ConversationRefused("Asterisk did not do it: the conversation may not have feature codes")
            await asyncio.sleep(0.02)


def _partner(live: LiveCall, purpose: LegPurpose) -> Leg | None:
    """The leg of whoever has the caller, if they are of this purpose."""
    return next((one for one in live.call.legs if one.open and one.purpose is purpose), None)
