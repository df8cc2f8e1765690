"""SIGTERM and SIGHUP, sent to processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys
from medseg._signals import end_as_by_ctrl_c, signals_kept
if "ignored" in sys.argv:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with signals_kept():
    end_as_by_ctrl_c()
    try:
        print("ready", flush=True)
        sys.stdin.readline()
        print("went on")
    except KeyboardInterrupt:
        # The second, as of a terminal that closes, does not end the cleaning up.
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        print("cleaned up")
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


def start(*words):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_an_interrupt_and_the_next_leave_the_cleaning_up_alone(number):
    process = start()
    process.send_signal(number)
    out, _ = process.communicate()
    assert out == "cleaned up\nTrue\n" if number != signal.SIGINT else process.returncode != 0


def test_a_signal_that_was_ignored_before_as_by_nohup_stays_ignored():
    process = start("ignored")
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate("\n")
    assert out == "went on\nTrue\n"


def test_a_forked_child_is_ended_by_the_signal_itself():
    from medseg._signals import end_as_by_ctrl_c, signals_kept

    with signals_kept():
        end_as_by_ctrl_c()
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM
