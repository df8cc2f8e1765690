"""Patients of the abdominal fat phantom: sex, body mass index, proportions.

The distribution of fat depends on sex and chance: women store more under the skin, men more between
the organs. Sizes follow abdominal MR of adults: a waist of about 28 x 19 cm at a BMI of 20, of 42 x
30 cm at one of 40. Organs keep their size; fat pushes skin and wall outwards.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["LEAST_BMI", "MOST_BMI", "FatBuild", "Girth", "Sex", "girth_at", "sample_fat_build"]

Sex = Literal["female", "male"]
LEAST_BMI, MOST_BMI = 17.0, 42.0
# BMI above which body fat widens the outline.
_LEAN_BMI = 19.0


@dataclass(frozen=True, kw_only=True)
class FatBuild:
    """One patient's proportions.

    Attributes:
        sex: `female` or `male`.
        bmi: Body mass index, kg/m2.
        frame: Size factor of skeleton and organs.
        subcutaneous: Fat under the skin, relative to the average at this BMI.
        visceral: Fat between the organs, likewise.
        marbling: Fat fraction of the muscles of the back, in [0, 1].
        liver_fat: Fat fraction of the liver.
        marrow_fat: Fat fraction of the bone marrow.
        arms: Whether arms lie in the field of view.
        waviness_mm: SD of the random displacement of outlines.
    """

    sex: Sex
    bmi: float
    frame: float
    subcutaneous: float
    visceral: float
    marbling: float
    liver_fat: float
    marrow_fat: float
    arms: bool
    waviness_mm: float


@dataclass(frozen=True, kw_only=True)
class Girth:
    """Half axes of the outlines at one level, in mm: to the side, to the front, to the back.

    Attributes:
        cavity: Inside of the abdominal wall.
        trunk: Outside of its muscles.
        body: Skin.
    """

    cavity: tuple[float, float, float]
    trunk: tuple[float, float, float]
    body: tuple[float, float, float]


def sample_fat_build(
    rng: np.random.Generator, sex: Sex | None = None, bmi: float | None = None
) -> FatBuild:
    """Draw a patient; sex and BMI may be given, which does not change the other draws."""
    drawn_sex: Sex = "female" if rng.random() < 0.5 else "male"
    drawn_bmi = float(np.clip(18 + rng.gamma(2.6, 3.4), LEAST_BMI, MOST_BMI))
    sex = sex or drawn_sex
    bmi = drawn_bmi if bmi is None else bmi
    female = sex == "female"
    excess = _excess(bmi)
    return FatBuild(
        sex=sex,
        bmi=bmi,
        frame=float(np.clip(rng.normal(0.98 if female else 1.05, 0.03), 0.88, 1.15)),
        subcutaneous=(1.25 if female else 0.75) * float(rng.uniform(0.75, 1.25)),
        visceral=(0.6 if female else 1.1) * float(rng.uniform(0.6, 1.4)),
        marbling=float(np.clip(rng.uniform(0.05, 0.5) + 0.015 * excess, 0, 0.8)),
        liver_fat=float(np.clip(rng.exponential(0.025) + 0.005 * excess * rng.random(), 0, 0.35)),
        marrow_fat=float(rng.uniform(0.35, 0.6)),
        arms=bool(rng.random() < 0.5),
        waviness_mm=float(rng.uniform(1.5, 3.5)),
    )


def girth_at(build: FatBuild, level: float) -> Girth:
    """The outlines at a level, 0 at the fifth lumbar vertebra to 1 at the first."""
    excess = _excess(build.bmi)
    size = build.frame
    inner = build.visceral * excess
    side = size * (103 + 9 * level) + 1.15 * inner
    front = size * (50 + 9 * level) + 2.0 * inner
    cavity = (side, front, 50 * size + 0.25 * inner)
    wall = (13 * size, 10 * size, 46 * size)
    trunk = _plus(cavity, wall)
    outer = build.subcutaneous * excess
    # Hips below, flanks above: fat under the skin gets thinner towards the ribs.
    low = 1 - level
    skin = (
        6 + outer * (1.15 + 0.45 * low),
        6 + outer * (1.1 + 0.35 * low),
        7 + outer * (0.75 + 0.75 * low),
    )
    return Girth(cavity=cavity, trunk=trunk, body=_plus(trunk, skin))


def _excess(bmi: float) -> float:
    return max(0.0, bmi - _LEAN_BMI)


def _plus(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]
