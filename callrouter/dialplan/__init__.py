"""The clients' documents: from YAML to plans, keeping the line of every value.

`language` is how what is written is understood, `verbs` what each kind of node may hold and what it becomes,
`documents` what each file may hold, `shared` what the files beside the clients mean. `compile` makes a plan of a
document: blocks become nodes within a `scope`, which says what their names mean; it is a `document_part`, which
collects `issues`, with `voices`, which ask `sounds` for audio. `proof` judges the whole tree. `folder` holds all
clients as they are on disk. `reference` describes the language, `show` draws plans.
"""

from callrouter.dialplan.compile.frame import UNKNOWN_CLIENT
from callrouter.dialplan.folder.catalogue import Catalogue
from callrouter.dialplan.folder.loader import Loader, load_directory
from callrouter.dialplan.folder.sound_files import PaperSpeech
from callrouter.dialplan.issues import Issue, Severity
from callrouter.dialplan.shared.people import Person
from callrouter.dialplan.shared.queues import TeamQueue
from callrouter.dialplan.sounds import SoundSource

__all__ = [
    "UNKNOWN_CLIENT",
    "Catalogue",
    "Issue",
    "Loader",
    "PaperSpeech",
    "Person",
    "Severity",
    "SoundSource",
    "TeamQueue",
    "load_directory",
]
