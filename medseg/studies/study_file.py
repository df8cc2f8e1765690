"""Study file: the question, what all runs share, and the rows that are compared."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from medseg.bundles.plain_yaml import read_config_file
from medseg.data.manifest import first_problem
from medseg.errors import UsageError

__all__ = ["Published", "Study", "load_study"]

Design = Literal["one at a time", "grid"]
Protocol = Literal["folds", "random splits"]
Classical = Literal["k-means", "mrf", "otsu", "watershed", "sobel", "smooth"]
Effect = Literal["better", "worse", "same"]
Overrides = dict[str, Any]
Strict = ConfigDict(extra="forbid", frozen=True)


class Published(BaseModel):
    """What the published work found of a row, compared with its own baseline.

    Attributes:
        effect: In a word.
        note: Its figure, or where it stands.
    """

    model_config = Strict

    effect: Effect
    note: str = ""


class Study(BaseModel):
    """One study.

    Attributes:
        title: What is compared.
        question: What is asked, in a sentence.
        source: The published work that it repeats, if it does.
        bundle: Folder or name of the base bundle; by default, the one whose `studies/` it lies in.
        base: Overrides that all runs share, by key as on the command line of `medseg train`.
        scoring: Overrides of evaluation alone, such as a threshold.
        design: `one at a time` compares each level of each factor alone with the baseline;
            `grid` crosses the factors.
        factors: By name, levels by name: what each overrides. The baseline is no level.
        combinations: Rows by name that change several things at once.
        classical: Methods of `medseg baseline`, each a row: what is reached without training.
        protocol: `folds` holds out folds of the manifest; `random splits` draws a new split of
            80 % and 20 % for each seed, within groups, as the published ablations did.
        seeds: A run of each row for each.
        noise_seeds: More seeds of the baseline alone, by which its noise is known better.
        folds: Folds that are held out in turn; with random splits, only 0.
        iterations: Batches of each training, whatever its epochs; null leaves it to the config.
        minutes: Or the time of each training.
        split: What is scored: the held-out fold, or the manifest's test cases.
        score: The metric by which rows are compared.
        losses: Whether the loss over training and held-out cases is computed at the end.
        threads: Cores of each run; sums differ in their last bits by it.
        published: What the published work found, by row.
    """

    model_config = Strict

    title: str
    question: str = ""
    source: str = ""
    bundle: str | None = None
    base: Overrides = {}
    scoring: Overrides = {}
    design: Design = "one at a time"
    factors: dict[str, dict[str, Overrides]] = {}
    combinations: dict[str, Overrides] = {}
    classical: tuple[Classical, ...] = ()
    protocol: Protocol = "folds"
    seeds: Annotated[tuple[int, ...], Field(min_length=1)]
    noise_seeds: tuple[int, ...] = ()
    folds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    iterations: Annotated[int, Field(ge=1)] | None = None
    minutes: Annotated[float, Field(gt=0)] | None = None
    split: Literal["validation", "test"] = "validation"
    score: str = "dsc"
    losses: bool = False
    threads: Annotated[int, Field(ge=1)] = 1
    published: dict[str, Published] = {}

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if self.iterations is not None and self.minutes is not None:
            raise ValueError("give iterations or minutes, not both: a budget is one of them")
        return self

    @model_validator(mode="after")
    def _no_doubles(self) -> Self:
        for name in ("seeds", "folds"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} must be different numbers, got {list(values)}")
        return self


def load_study(path: str | Path) -> Study:
    """Read and check a study file.

    Raises:
        UsageError: If it is missing, not YAML, or breaks a rule; it names the key.
    """
    content = read_config_file(path)
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{path}: {first_problem(error)}") from error
