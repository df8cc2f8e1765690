"""What a refusal keeps on its way to the user."""

import pickle

from medseg.data.problems import Problem, refusal
from medseg.errors import DataError, ExitCode

PROBLEM = Problem("error", "image", "not there", "check the path")


def test_a_refusal_says_where_what_and_what_to_do_in_one_line():
    error = refusal("ct/a.nii.gz", PROBLEM)
    assert str(error) == "ct/a.nii.gz: not there; check the path"
    assert isinstance(error, DataError)
    assert error.exit_code == ExitCode.DATA


def test_a_refusal_survives_the_way_out_of_a_worker_process():
    copy = pickle.loads(pickle.dumps(refusal("a.nii", PROBLEM)))
    assert str(copy) == "a.nii: not there; check the path"
    assert copy.problem == PROBLEM
