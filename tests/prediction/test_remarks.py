"""What many images share is told once, then once more with their number."""

from medseg.data.problems import Problem
from medseg.prediction.remarks import Remarks

ODD = Problem("warning", "image", "is odd", "look at it")
RARE = Problem("warning", "image", "is rare", "look again")


def test_a_remark_is_told_at_its_first_case_and_at_the_end_with_all():
    said = []
    remarks = Remarks(said.append)
    for case, problems in {"a": [ODD], "b": [], "c": [ODD, RARE], "d": [ODD]}.items():
        remarks.add(case, problems)
    assert said == ["a: image: is odd; look at it", "c: image: is rare; look again"]
    remarks.close()
    assert said[2:] == ["3 cases (a, c, d): image: is odd; look at it"]
