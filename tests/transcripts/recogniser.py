"""A real recogniser as an operator's program: PocketSphinx, with the English model of its wheel.

What it may hear are a few sentences: espeak's voice over a telephone's eight kilohertz is too poor for all of English.
"""

from __future__ import annotations

import subprocess
import sys

SENTENCES = (
    "please call the doctor back tomorrow",
    "the patient has a fever",
    "i want to cancel my appointment",
    "thank you and goodbye",
)


def main(path: str) -> None:
    """Write what it hears."""
    from pocketsphinx import Decoder

    to_raw = ["sox", path, "-r", "16000", "-t", "raw", "-e", "signed", "-b", "16", "-", "pad", "0.4", "0.4"]
    raw = subprocess.run(to_raw, check=True, capture_output=True).stdout
    wide = {"beam": 1e-120, "wbeam": 1e-100, "pbeam": 1e-120}
    decoder = Decoder(samprate=16_000, loglevel="FATAL", lm=None, bestpath=False, **wide)
    decoder.add_jsgf_string("calls", f"#JSGF V1.0; grammar calls; public <said> = {' | '.join(SENTENCES)};")
    decoder.activate_search("calls")
    decoder.start_utt()
    decoder.process_raw(raw, full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    sys.stdout.write(heard.hypstr if heard else "")


if __name__ == "__main__":
    main(sys.argv[-1])
