"""Every error callrouter raises on purpose, and to whom it speaks.

    CallrouterError
    ├── SettingsError          the operator: a CALLROUTER_* variable is missing or wrong
    ├── DialplanError          the operations team: a client's file is wrong
    ├── CoreError              us: the core was handed something it cannot be
    │   └── StateDecodeError   a serialised call does not read back (foreign, cut or of a newer release)
    ├── AmiError               the operator: the link to Asterisk
    │   ├── AmiUnreachable     nobody answers there, or the connection is gone
    │   ├── AmiRefused         the log-in was refused (secret, or somebody else is logged in)
    │   ├── ProtocolError      the peer spoke something that is not AMI
    │   ├── ActionFailed       Asterisk answered an action with Error
    │   │   └── ChannelGone    … because the channel has ended: expected, a hang-up won the race
    │   └── EncodingError      us: a value cannot be written to that place
    ├── SpeechError            the operator: text to speech or a sound file
    ├── RequestFailed          us: a web service was not asked, or did not answer as it should (runtime.outgoing)
    ├── EngineAway             the operator: the engine does not answer its own command or the API (api.engine_client)
    └── StoreError             the operator: PostgreSQL
        ├── DatabaseUnreachable
        ├── DatabaseRefused    it answers, and does not do it: no rights, read-only, disk full, too slow
        ├── SchemaMismatch     the database belongs to an older or a newer release
        └── WriterAway         us: a batch of calls is not committed, and is tried again (store.writer)

Those with a module's name beside them stand there, with whoever raises them. Expected outcomes of a call (busy, no
answer, abandoned) are values, never exceptions. Every sentence says what happened and how to mend it.
"""

from __future__ import annotations


class CallrouterError(Exception):
    """Base of all of them; its text is a sentence for a person."""


class SettingsError(CallrouterError):
    """A setting is missing or wrong."""


class DialplanError(CallrouterError):
    """A client's file cannot be used."""


class CoreError(CallrouterError):
    """The core was misused."""


class StateDecodeError(CoreError):
    """A serialised call does not read back."""


class AmiError(CallrouterError):
    """The link to Asterisk."""


class AmiUnreachable(AmiError):
    """Nobody answers at the AMI address, or the connection is gone."""


class AmiRefused(AmiError):
    """Asterisk refused the log-in; `in_use` when only because another session holds the user, which may pass."""

    def __init__(self, sentence: str, *, in_use: bool = False) -> None:
        super().__init__(sentence)
        self.in_use = in_use


class ProtocolError(AmiError):
    """The peer does not speak AMI as we know it."""


class ActionFailed(AmiError):
    """Asterisk answered an action with Error; its own text is kept."""


class ChannelGone(ActionFailed):
    """The channel of an action has ended."""


class EncodingError(AmiError):
    """A value cannot be written to that place."""


class SpeechError(CallrouterError):
    """A prompt cannot be rendered or found."""


class StoreError(CallrouterError):
    """PostgreSQL."""


class DatabaseUnreachable(StoreError):
    """PostgreSQL does not answer."""


class DatabaseRefused(StoreError):
    """PostgreSQL answers, and cannot or may not do what is asked."""


class SchemaMismatch(StoreError):
    """The database's schema is not this release's."""
