#!/usr/bin/env python3
"""Run Asterisk for callrouter in a folder of its own, without touching the machine's configuration.

As a script: `pbx.py install | start | stop | status | render` (`pbx_cli`). As a library (`pbx_process`):

    pbx = Pbx.start(Path("run"), agent_contacts={"agent-1": "127.0.0.1:5090"})
    pbx.cli("core show channels")
    pbx.stop()

Needs Python ≥ 3.11 and nothing else.
"""

from __future__ import annotations

import sys
from pathlib import Path

_CHECKOUT = str(Path(__file__).resolve().parents[2])
if _CHECKOUT not in sys.path:  # run as a script: let the neighbours be found
    sys.path.insert(0, _CHECKOUT)

from deploy.asterisk.pbx_cli import main  # noqa: E402
from deploy.asterisk.pbx_install import Installation, PbxError  # noqa: E402
from deploy.asterisk.pbx_process import Pbx  # noqa: E402
from deploy.asterisk.pbx_teams import teams_of_folder  # noqa: E402

__all__ = ["Installation", "Pbx", "PbxError", "teams_of_folder"]

if __name__ == "__main__":
    sys.exit(main())
