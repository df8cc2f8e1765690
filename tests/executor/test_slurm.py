"""Jobs through submitit, with its own processes of this machine in place of Slurm's."""

import pytest

from medseg.errors import MachineError
from medseg.executor.job import Job
from medseg.executor.run import run_jobs
from medseg.executor.slurm import run_on_slurm
from tests.executor.conftest import begun

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'medseg[slurm]'")


def test_jobs_are_submitted_and_told_as_on_this_machine(work, gate, tmp_path):
    gate.touch()
    done = work("done")
    done.result.write_text("before")
    bad = Job(name="bad", module="no_such_module", arguments=(), log=tmp_path / "bad.log")
    jobs = [work("a"), done, bad]
    ends = run_on_slurm(jobs, folder=tmp_path, parallel=None, cluster="local")
    assert {end.job.name: end.code for end in ends} == {"a": 0, "done": 0, "bad": 1}
    assert (len(begun(jobs[0])), begun(done)) == (1, [])


def test_without_slurm_it_is_one_line(work, tmp_path):
    with pytest.raises(MachineError, match=r"no Slurm here .*; call it on a login node"):
        next(run_jobs([work("a")], on="slurm", folder=tmp_path))
