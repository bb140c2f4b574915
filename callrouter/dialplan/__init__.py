"""The clients' documents: from YAML to plans, keeping the line of every value.

`reader` turns YAML into texts that know their line. What may be written: `client_file` and `shared_files` are the
documents, `node_block`, `verbs`, `outside`, `calendar_blocks`, `people_blocks` and `snippet_blocks` what stands in
them, `fields` and `values` what each text becomes; `validation` words what pydantic found. `shared` reads the files
beside the clients (`people`, `team_queues`, `shared_calendars`, `snippets`, `allowances`).

`drafts` understands a document, `frame` names what its nodes can name, `assembly` grows the tree, with `builders` that
make nodes of blocks within a `scope`; `proof` judges the whole tree; `compiler` joins these into a plan or a list of
`issues`. `catalogue` holds the plans of all clients, and `loader` makes it of a `folder`, each time only what has
changed. `sounds` is what a compiler asks for audio (`spoken`: all of it at once), `render` draws a plan.

Questions: `asking` makes a rehearsed call of texts, `expected` plays the tables beside the clients; `situations` says
who may call and when; `outcomes` walks a tree with all of them, and `differences` two, `side_by_side`: each side is
`deciding`, `met` says what is compared, `diagrams` hold what leads to what, and `wording` tells it with its `times` and
`circumstances`, beside what is `unheard`; `layout`,
`drawing`, `mermaid` and `week` show, `revisions` reads what git has.
"""

from callrouter.dialplan.catalogue import Catalogue
from callrouter.dialplan.frame import UNKNOWN_CLIENT
from callrouter.dialplan.issues import Issue, Severity
from callrouter.dialplan.loader import Loader, load_directory
from callrouter.dialplan.people import Person
from callrouter.dialplan.sounds import PaperSpeech, SoundSource
from callrouter.dialplan.team_queues import TeamQueue

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
