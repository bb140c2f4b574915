"""Messages: what callers want somebody to know, and what people make of it.

`reading` lists and finds them, with their trail; `taking` keeps those that somebody took by form or in plain words;
`changing` corrects, settles and reassigns, `transcripts` keeps what a machine made of their recordings. Those that a
client's tree takes come with its calls (`store.writing`).
"""

from callrouter.store.messages.changing import Change, ChangeResult, change_message
from callrouter.store.messages.reading import (
    MessageChange,
    MessagePage,
    StoredMessage,
    find_message,
    list_messages,
    messages_of,
)
from callrouter.store.messages.taking import TakenMessage, keep_taken

__all__ = [
    "Change",
    "ChangeResult",
    "MessageChange",
    "MessagePage",
    "StoredMessage",
    "TakenMessage",
    "change_message",
    "find_message",
    "keep_taken",
    "list_messages",
    "messages_of",
]
