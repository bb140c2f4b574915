"""All that callers hear is equally loud; what a client has recorded otherwise is told by `check`."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path

import pytest

from callrouter.dialplan import PaperSpeech, load_directory
from callrouter.dialplan.folder.loudness import (
    LEVEL_DB,
    PEAK_DB,
    active_level_db,
    far_from_the_others,
    levelled,
)
from deploy.asterisk import pbx_music
from deploy.asterisk.pbx_install import PbxError
from tests.dialplan.conftest import NOW, Write


def tone(level_db: float, seconds: float = 1.0) -> array[int]:
    """A sine of that loudness."""
    top = 32768 * math.sqrt(2) * 10 ** (level_db / 20)
    return array("h", [round(top * math.sin(number * 0.7)) for number in range(int(8000 * seconds))])


def silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * int(8000 * seconds)))


def put(path: Path, samples: array[int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as audio:
        audio.setparams((1, 2, 8000, 0, "NONE", "not compressed"))
        audio.writeframes(samples.tobytes())
    return path


def level_of(content: bytes) -> float:
    found = active_level_db(array("h", content))
    assert found is not None
    return found


@pytest.mark.parametrize("level_db", [-45.0, -30.0, -22.0, -8.0])
def test_whatever_it_was_it_is_as_loud_as_all(level_db: float) -> None:
    assert level_of(levelled(tone(level_db).tobytes())) == pytest.approx(LEVEL_DB, abs=0.1)


def test_pauses_do_not_count() -> None:
    """A sentence with a long pause is as loud as one without."""
    spoken = tone(-30) + silence(3) + tone(-30)

    assert active_level_db(spoken) == pytest.approx(-30, abs=0.1)
    assert level_of(levelled(spoken.tobytes())) == pytest.approx(LEVEL_DB, abs=0.1)


def test_nothing_is_clipped() -> None:
    """A quiet sound with one loud click is made louder as far as its peak allows."""
    clicked = tone(-40)
    clicked[4000] = 12_000
    louder = array("h", levelled(clicked.tobytes()))

    assert max(louder) == pytest.approx(32768 * 10 ** (PEAK_DB / 20), rel=0.01)
    assert -35 < level_of(louder.tobytes()) < LEVEL_DB


@pytest.mark.parametrize("samples", [array("h"), silence(1)])
def test_silence_stays_silence(samples: array[int]) -> None:
    assert levelled(samples.tobytes()) == samples.tobytes()


def test_music_is_brought_to_the_same_level(tmp_path: Path) -> None:
    """By the PBX's own tool, which needs nothing of callrouter; the second time nothing changes."""
    files = {name: put(tmp_path / f"{name}.wav", tone(level)) for name, level in (("soft", -33), ("loud", -12))}
    (tmp_path / "readme.txt").write_text("no music")
    put(tmp_path / "silent.wav", silence(1))
    files["soft"].chmod(0o644)
    changed = pbx_music.level_folder(tmp_path)

    assert changed == {"loud.wav": pytest.approx(-10, abs=0.1), "silent.wav": 0, "soft.wav": pytest.approx(11, abs=0.1)}
    for path in files.values():
        with wave.open(str(path), "rb") as audio:
            assert level_of(audio.readframes(audio.getnframes())) == pytest.approx(LEVEL_DB, abs=0.2)
    assert files["soft"].stat().st_mode & 0o777 == 0o644
    assert set(pbx_music.level_folder(tmp_path).values()) == {0}
    assert (pbx_music.LEVEL_DB, pbx_music.PEAK_DB) == (LEVEL_DB, PEAK_DB)


def test_a_folder_of_our_own_is_levelled_once(tmp_path: Path) -> None:
    pbx_music.level_once(tmp_path / "none")
    path = put(tmp_path / "moh" / "piece.wav", tone(-30))
    pbx_music.level_once(path.parent)
    levelled_once = path.read_bytes()
    put(path, tone(-30))
    pbx_music.level_once(path.parent)

    assert path.read_bytes() != levelled_once


def test_music_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "torn.wav").write_bytes(b"RIFF")

    with pytest.raises(PbxError, match="cannot be levelled"):
        pbx_music.level_folder(tmp_path)


def test_recordings_that_are_far_from_the_others_are_told(write: Write, tmp_path: Path) -> None:
    """With the place of the node, and what mends it; once for each, also where a sound is played twice."""
    path = write("a.yaml", "a", "01 99 00 00 10")
    sounds = {"faint": -36, "shrill": -9, "usual": LEVEL_DB + 3}
    for name, level in sounds.items():
        put(tmp_path / "sounds" / f"{name}.wav", tone(level))
    prompt = ", ".join(f"{{ sound: {name} }}" for name in (*sounds, "faint"))
    path.write_text(path.read_text().replace('{ say: "Au revoir." }', f"[{prompt}]"))
    catalogue = load_directory(tmp_path, PaperSpeech((tmp_path / "sounds",)), now=NOW)

    assert [str(issue) for issue in catalogue.issues] == []
    mend = "callers hear before and after it: sox in.wav out.wav gain"
    assert [str(issue) for issue in far_from_the_others(catalogue.plans.values())] == [
        f'a.yaml:8: warning: node "bye": sound "faint" is 14 dB quieter than what {mend} +14',
        f'a.yaml:8: warning: node "bye": sound "shrill" is 13 dB louder than what {mend} -13',
    ]


def test_soft_music_lies_ten_decibels_under_what_is_said(tmp_path: Path) -> None:
    """A copy beside the folder, made once; the music itself stays."""
    folder = tmp_path / "moh"
    path = put(folder / "piece.wav", tone(-22))
    before = path.read_bytes()

    pbx_music.soften_once(folder)
    pbx_music.soften_once(tmp_path / "none")
    soft = pbx_music.soft_of(folder) / "piece.wav"
    softened = soft.read_bytes()
    put(path, tone(-30))
    pbx_music.soften_once(folder)

    with wave.open(str(soft), "rb") as audio:
        assert level_of(audio.readframes(audio.getnframes())) == pytest.approx(LEVEL_DB - 10, abs=0.2)
    assert (before != path.read_bytes(), softened == soft.read_bytes()) == (True, True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["moh", "moh-soft"]


def test_soft_music_of_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """And nothing half-made is left."""
    (tmp_path / "moh").mkdir()
    (tmp_path / "moh" / "torn.wav").write_bytes(b"RIFF")

    with pytest.raises(PbxError, match="cannot be copied"):
        pbx_music.soften_folder(tmp_path / "moh")
    assert [one.name for one in tmp_path.iterdir()] == ["moh"]
