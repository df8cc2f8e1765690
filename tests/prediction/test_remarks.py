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


def test_what_differs_in_its_numbers_only_is_told_once_and_then_without_them():
    kind = "is unlike the others, by its spacing"
    found = [
        Problem("warning", "image", f"is unlike the others: spacing {mm} mm", "check it", kind)
        for mm in (5, 7, 7)
    ]
    said = []
    remarks = Remarks(said.append)
    for case, problem in zip("abc", found, strict=True):
        remarks.add(case, [problem])
    assert said == ["a: image: is unlike the others: spacing 5 mm; check it"]
    remarks.close()
    assert said[1:] == [f"3 cases (a, b, c): image: {kind}; check it"]


def test_numbers_stay_where_only_one_case_has_the_problem():
    said = []
    remarks = Remarks(said.append)
    remarks.add("a", [Problem("warning", "image", "is 5 mm", "check it", "is thick"), ODD])
    remarks.close()
    assert said == ["a: image: is 5 mm; check it", "a: image: is odd; look at it"]
