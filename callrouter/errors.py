"""Every error callrouter raises on purpose, and to whom it speaks.

    CallrouterError
    ├── UsageError             whoever typed a command: one of its arguments cannot be understood
    ├── SettingsError          the operator: a CALLROUTER_* variable is missing or wrong
    ├── DialplanError          the operations team: a client's file is wrong
    │   └── Refusal            … so nothing was published, or gone back to (holds the list of issues)
    ├── CoreError              us: the core was handed something it cannot use
    │   ├── StateDecodeError   a serialised call does not read back (foreign, cut or of a newer release)
    │   ├── NotReadable        a value is not what it is to be read aloud as: it is left out
    │   └── UnsetVariable      a text to be sent names a variable that the call does not have
    ├── NotUnderstood          whoever asks for a rehearsed call: one of its values (questions.asking)
    ├── CursorError            whoever asks the API: the cursor of a list is none of ours
    ├── DaysAlone              whoever asks for figures: of that day no part is known, since its calls are deleted
    ├── TooWide                whoever asks for calls: that would read the whole record (store.calls)
    ├── Busy                   whoever asks for a report: as many as can be are being made, or wait
    ├── AnotherMessage         whoever takes a message: its id is that of another one, which stays as it is
    ├── AmiError               the operator: the link to Asterisk
    │   ├── AmiUnreachable     nobody answers there, or the connection is gone
    │   ├── AmiRefused         the log-in was refused (secret, or somebody else is logged in)
    │   ├── ProtocolError      the peer spoke something that is not AMI
    │   ├── ActionFailed       Asterisk answered an action with Error
    │   │   └── ChannelGone    … because the channel has ended: expected, a hang-up won the race
    │   └── EncodingError      us: a value cannot be written to that place
    ├── AgentRefused           an agent, or whoever asks for them: that cannot be done where they stand
    ├── ConversationRefused    an agent, a supervisor or a program: it cannot be done in the conversation as it stands
    ├── PbxUnitError           the operator: the PBX's own unit (asterisk.pbx), on the PBX's host
    │   ├── TeamsError         … was handed something that is no document of teams, or cannot stand in Asterisk's files
    │   ├── ConsoleAway        … does not reach Asterisk's local socket
    │   ├── NotSignedError     … was answered without the key that it shares with the engine (app.pbx.unit)
    │   └── NotApplied         … has had Asterisk load its files, and Asterisk does not have what they say
    ├── SpeechError            the operator: text to speech or a sound file
    ├── RequestFailed          the client: a request to their web service failed
    │   ├── RequestForbidden   the operator: it may not be sent (host not allowed, secret not set), now or later
    │   └── RequestRefused     the service answered, with another status than 2xx
    ├── MailUnreadable         nobody: a mail that came back is none that anybody reports with (dispatch.receipts)
    ├── TranscriptFailed       the operator: what writes recordings down did not (transcripts)
    ├── ConsumptionRefused     whoever bills: a tariff, or an invoice, cannot be what is asked (store.consumption)
    ├── EngineRefused          whoever asks it by the API or a command: the engine says that it cannot be done
    ├── EngineAway             the operator: the engine does not answer its own command or the API
    ├── HandOverFailed         the operator: of two engines one could not be restarted; the sentence says which leads
    ├── TooManyListeners       whoever asks the engine for its event stream, which few are told
    ├── TooManyReaders         whoever asks web for the event stream: as many as can be are open
    └── StoreError             the operator: PostgreSQL
        ├── DatabaseUnreachable
        ├── DatabaseRefused    it answers, and does not do it: no rights, read-only, disk full, too slow
        ├── SchemaMismatch     the database belongs to an older or a newer release
        ├── WriterAway         us: a batch of calls is not committed, and is tried again (store.writing.writer)
        ├── NotKept            … nor the disk takes a message: whoever took it is to send it again
        ├── LeaseLost          us: another process does what one at a time may do (store.dispatch.lease)
        └── RowsRefused        us: PostgreSQL cannot hold one of a batch of facts; it is set aside

Expected outcomes of a call (busy, no answer, abandoned) are values, never exceptions.
Every sentence says what happened and how to mend it. An exception whose name begins with an underscore never leaves its
module.
"""

from __future__ import annotations


class CallrouterError(Exception):
    """Base of all of them; its text is a sentence for a person."""


class UsageError(CallrouterError):
    """An argument of a command cannot be understood, or does not go with the others."""


class SettingsError(CallrouterError):
    """A setting is missing or wrong."""


class DialplanError(CallrouterError):
    """A client's file cannot be used."""


class AgentRefused(CallrouterError):
    """An agent cannot do, or have done, what is asked where they stand; `why` is one of `core.agents.Refused`."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class ConversationRefused(CallrouterError):
    """What is asked cannot be done in a conversation as things stand; nothing has changed.

    `away`: because Asterisk cannot be asked.
    """

    def __init__(self, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.away = away


class CoreError(CallrouterError):
    """The core was handed something it cannot use."""


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


class PbxUnitError(CallrouterError):
    """The unit that applies teams and telephones on the PBX's own host."""


class TeamsError(PbxUnitError):
    """A document of teams cannot be read, or names something that cannot stand in Asterisk's files."""


class ConsoleAway(PbxUnitError):
    """Asterisk does not answer at its local socket."""


class NotApplied(PbxUnitError):
    """Asterisk has loaded its files, and does not have what they say: the files of before are back."""


class SpeechError(CallrouterError):
    """A prompt cannot be rendered or found."""


class RequestFailed(CallrouterError):
    """A request to a web service failed; the text says why, and never holds a secret. It may have arrived, or not."""

    def __init__(self, sentence: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(sentence)
        self.may_have_arrived = may_have_arrived


class RequestForbidden(RequestFailed):
    """A request may not be sent, and never will as things are set up."""


class RequestRefused(RequestFailed):
    """The service answered with another status than 2xx; it may have said when to ask again (0: it did not)."""

    def __init__(self, sentence: str, *, status: int, retry_after_seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class HandOverFailed(CallrouterError):
    """Two engines were to be restarted one after the other, and that went wrong."""


class DaysAlone(CallrouterError):
    """Figures of a part of a day are asked for whose calls were deleted: the day is known as a whole."""


class AnotherMessage(CallrouterError):
    """A message has the id of another one."""


class TranscriptFailed(CallrouterError):
    """What writes recordings down failed, took too long, or cannot be started."""


class MailUnreadable(CallrouterError):
    """A mail has more parts than any report, or they cannot be told apart."""


class ConsumptionRefused(CallrouterError):
    """A client's consumption cannot be billed, or its tariff set, as is asked; nothing has changed."""


class Busy(CallrouterError):
    """Too many wait already for what is asked; later it can be done."""


class StoreError(CallrouterError):
    """PostgreSQL."""


class DatabaseUnreachable(StoreError):
    """PostgreSQL does not answer."""


class DatabaseRefused(StoreError):
    """PostgreSQL answers, and cannot or may not do what is asked."""


class LeaseLost(StoreError):
    """Another process does what only one may do at a time."""


class NotKept(StoreError):
    """Neither PostgreSQL nor the disk takes a message now."""


class SchemaMismatch(StoreError):
    """The database's schema is not this release's."""
