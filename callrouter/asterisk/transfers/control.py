"""What programs do in an agent's conversation: hold, give away, consult, complete, take back, keys.

A desk telephone cannot be told to do any of it, so Asterisk does: a blind transfer is AMI's BlindTransfer on the
agent's channel, everything else the feature code that the agent could key (features.conf), put into their channel as if
they had. The target of a consultation goes before, as TRANSFER_EXTEN, which bridge_basic.c takes in place of keys; for
a hold it is one that rings nobody. What was asked is proved by the event that follows, and not by Asterisk's answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from callrouter.asterisk.actions import ChannelActions
from callrouter.asterisk.link import AmiLink
from callrouter.asterisk.transfers.consultations import HOLD, Consultations, decide, party_of
from callrouter.core.call import CallState, Leg, LegPurpose
from callrouter.core.transfers.targets import Destination
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
        live, leg = self._conversation(call_id)
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

    def _conversation(self, call_id: str) -> tuple[LiveCall, Leg]:
        if not self._link_up():
            raise ConversationRefused("the link to Asterisk is down", away=True)
        live = self._calls.get(call_id)
        if live is None:
            raise ConversationRefused(f"call {call_id} has just ended")
        legs = (one for one in live.call.legs if one.open and one.purpose is LegPurpose.AGENT and one.leg)
        leg = next(legs, None) if live.call.state is CallState.CONNECTED else None
        if leg is None:
            raise ConversationRefused(f"no agent talks to the caller of {call_id}")
        return live, leg

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
            raise ConversationRefused("the agent's telephone made this consultation, and completes it")
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
