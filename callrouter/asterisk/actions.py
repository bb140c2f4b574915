"""The few AMI actions that every call needs, built by hand from prepared bytes. Pure.

A call of ten AGI commands writes some twenty-five actions, so their unchanging bytes are joined once per
channel. An action whose answer nobody waits for is *posted*: its ActionID says what it was, `p/Setvar`, and
Asterisk sends it back. So nothing is remembered for it: a success is dropped unread, an error explains itself.

Ids are short, because Asterisk repeats them in its confirmations, and `session.SPARED_BYTES` of those wake nobody: a
channel's name in each of them would cost every call a wake-up.
"""

from __future__ import annotations

from typing import Final

from callrouter.asterisk.codec import encode_header
from callrouter.asterisk.commands import AgiCommand, variable_name

POSTED: Final = b"p/"
"""How the ActionID of a posted action begins."""
AGI: Final = b"a"
"""How the ActionID of an AGI command begins, and its part of the CommandID."""
REQUEST: Final = b"r"
"""How the ActionID of an action that somebody waits for begins."""

_MAX_LEASE_SECONDS: Final = 24 * 3600.0
_MAX_NAME: Final = 255
"""Characters of a channel's name; Asterisk's own have some forty (channel.h, AST_CHANNEL_NAME: 80)."""


def is_channel(name: str) -> bool:
    """Whether a channel can be called so: what cannot be written is the name of none."""
    return 0 < len(name) <= _MAX_NAME and name.isprintable() and name == name.strip() and "\ufffd" not in name


class ChannelActions:
    """Writes the actions for one channel. Raises EncodingError where a value cannot be written."""

    __slots__ = ("_agi", "_hangup", "_setvar", "_state", "_timeout", "channel")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        line = encode_header("Channel", channel)
        self._agi = b"Action: AGI\r\n" + line + b"Command: "
        self._timeout = b"Action: AbsoluteTimeout\r\nActionID: p/Timeout\r\n" + line + b"Timeout: "
        self._setvar = b"Action: Setvar\r\nActionID: p/Setvar\r\n" + line + b"Variable: "
        self._hangup = b"Action: Hangup\r\nActionID: p/Hangup\r\n" + line + b"Cause: "
        self._state = self._setvar + b"CR_STATE\r\nValue: "

    def agi(self, command: AgiCommand, command_id: bytes, action_id: bytes) -> bytes:
        """Queue an AGI command; `command_id` comes back with its result, `action_id` when it could not be queued."""
        return b"%b%b\r\nCommandID: %b\r\nActionID: %b\r\n\r\n" % (self._agi, command, command_id, action_id)

    def wake(self, lease_seconds: float) -> bytes:
        """Wake the channel, and give it a lease after which Asterisk takes it back (thousandths; at most a
        day).
        """
        if not 0.001 <= lease_seconds <= _MAX_LEASE_SECONDS:
            raise ValueError(f"a lease lasts between a millisecond and a day, not {lease_seconds} s")
        return b"%b%.3f\r\n\r\n" % (self._timeout, lease_seconds)

    def set_variable(self, name: str, value: str) -> bytes:
        """Set a channel variable at once, whatever the channel is doing; line breaks in the value become
        spaces.
        """
        return b"%b%b\r\n%b\r\n" % (
            self._setvar,
            variable_name(name, inherit=True).encode(),
            encode_header("Value", value),
        )

    def set_state(self, encoded: bytes) -> bytes:
        """Put the call's own state into its variable; `core.state.encode` made it, of base64's characters."""
        return b"%b%b\r\n\r\n" % (self._state, encoded)

    def hang_up(self, cause: int) -> bytes:
        """End the channel, with a Q.850 cause."""
        return b"%b%d\r\n\r\n" % (self._hangup, cause)


def post(name: str, about: str, headers: bytes) -> bytes:
    """An action nobody waits for; `headers` passed `encode_header`, `about` is repeated with an error."""
    return encode_header("Action", name) + encode_header("ActionID", f"p/{name}/{about}") + headers + b"\r\n"
