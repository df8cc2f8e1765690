"""Head of a study's page: title, question, source, design; and the noise, above all tables."""

from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import plain, score_name
from medseg.studies.pages.markdown_text import escaped
from medseg.studies.study_file import Study

__all__ = ["head_section", "noise_section"]


def head_section(contents: Contents) -> str:
    """Title, question, source, what was run, and how many runs failed."""
    study, results = contents.study, contents.results
    failed = sum(bool(run.reason) for run in results.runs)
    lines = [
        f"# {escaped(results.title)}",
        study.question and f"**Question:** {escaped(study.question)}",
        study.source and f"**Source:** {escaped(study.source)}",
        f"**Design:** {_design(study, len(results.rows))}",
        f"**Runs:** {len(results.runs) - failed} of {len(results.runs)} scored"
        + (f"; {failed} failed, see [Failed runs](#failed-runs)." if failed else "."),
    ]
    return "\n\n".join(line for line in lines if line)


def noise_section(contents: Contents) -> str:
    """What the baseline's repetitions differ by, and so what the study can see."""
    noise, name = contents.summary.noise, escaped(score_name(contents.score))
    if noise is None:
        text = (
            "**Not known**: fewer than two runs of the baseline with different seeds were scored, "
            "so no difference below can be told from chance. Add `noise_seeds` to the study file."
        )
    else:
        text = (
            f"The baseline under {noise.seeds} seeds: mean {name} {plain(noise.mean)}, standard "
            f"deviation between seeds **{plain(noise.sd)}**. The smallest difference that this "
            f"study can see is **{plain(noise.smallest_difference)}** (found with a probability "
            "of 80 %, before the correction for several rows). A smaller one in the table below "
            "may be chance, whatever its sign."
        )
    return f"## Noise\n\n{text}"


def _design(study: Study, rows: int) -> str:
    seeds = _count(len(study.seeds), "seed")
    if study.noise_seeds:
        seeds += f" (and {len(study.noise_seeds)} more of the baseline)"
    drawn = "a new split of 80 % and 20 % for each seed, within groups"
    folds = drawn if study.protocol == "random splits" else _count(len(study.folds), "fold")
    parts = [
        study.design,
        f"{_count(rows, 'row')} x {seeds} x {folds}",
        f"{study.iterations} batches each" if study.iterations else "",
        f"{study.minutes:g} minutes each" if study.minutes else "",
        f"scored on {'the test cases' if study.split == 'test' else 'the held-out cases'}",
        f"{_count(study.threads, 'core')} a run",
    ]
    return "; ".join(part for part in parts if part) + "."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
