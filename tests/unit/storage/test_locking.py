"""A results folder is locked by one run, or by several that share it."""

import pytest

from netsurgery.storage.locking import ResultsLock, ResultsLockedError, ResultsNotWritableError


def test_a_second_run_is_refused(tmp_path):
    held = ResultsLock(tmp_path / "results")
    for shared in (False, True):
        with pytest.raises(ResultsLockedError, match="another run is writing here"):
            ResultsLock(tmp_path / "results", shared=shared)
    held.file.close()
    ResultsLock(tmp_path / "results").file.close()


def test_runs_that_share_the_lock_are_admitted(tmp_path):
    held = ResultsLock(tmp_path)
    held.share()
    other = ResultsLock(tmp_path, shared=True)
    with pytest.raises(ResultsLockedError):
        ResultsLock(tmp_path)
    held.file.close()
    other.file.close()


def test_a_folder_that_cannot_be_created_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResultsNotWritableError, match="choose another folder with --config"):
        ResultsLock(tmp_path / "file" / "results")
