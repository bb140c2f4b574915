"""Each life of an engine has a higher epoch than those before, whatever the clock says."""

from __future__ import annotations

from pathlib import Path

from callrouter.store.incarnation import FILE, Incarnation, is_last, next_incarnation, renamed


def test_a_life_is_numbered_by_its_start(tmp_path: Path) -> None:
    """In milliseconds; there was none before."""
    assert next_incarnation(tmp_path, "pbx-1", 1795427775.25) == Incarnation(
        epoch=1795427775250, pbx="pbx-1", formerly=()
    )


def test_a_clock_that_was_set_back_lowers_nothing(tmp_path: Path) -> None:
    """Nor do two starts in one millisecond share an epoch."""
    epochs = [next_incarnation(tmp_path, "pbx-1", at).epoch for at in (2000.0, 1000.0, 1000.0, 3000.0)]

    assert epochs == [2_000_000, 2_000_001, 2_000_002, 3_000_000]


def test_one_that_was_stopped_knows_that_it_is_followed(tmp_path: Path) -> None:
    before = next_incarnation(tmp_path, "pbx-1", 1_000.0)
    alone = is_last(tmp_path, before)
    after = next_incarnation(tmp_path, "pbx-1", 1_001.0)

    assert (alone, is_last(tmp_path, before), is_last(tmp_path, after)) == (True, False, True)


def test_a_pbx_that_is_called_otherwise_is_the_same(tmp_path: Path) -> None:
    """Until the database knows: what was said of it under the name before is its own, and not for ever."""
    lives = [next_incarnation(tmp_path, pbx, 1.0) for pbx in ("pbx-1", "paris", "paris", "lyon")]
    renamed(tmp_path, lives[-1])
    after = next_incarnation(tmp_path, "lyon", 1.0)

    assert [one.formerly for one in lives] == [(), ("pbx-1",), ("pbx-1",), ("pbx-1", "paris")]
    assert (after.formerly, after.epoch > lives[-1].epoch) == ((), True)


def test_a_file_of_the_release_before_names_none(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"epoch": 7, "pbx": "pbx-1"}')

    assert next_incarnation(tmp_path, "paris", 0.0) == Incarnation(epoch=8, pbx="paris", formerly=("pbx-1",))


def test_a_file_that_was_cut_ends_nothing(tmp_path: Path) -> None:
    """The clock alone numbers then."""
    (tmp_path / FILE).write_text('{"epo')

    assert next_incarnation(tmp_path, "pbx-1", 5.0).epoch == 5000
