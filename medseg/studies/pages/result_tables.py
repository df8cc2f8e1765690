"""Main table of a study, a line for each row, and its ranking with its stability."""

from collections import Counter
from collections.abc import Sequence

from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import (
    NOTHING,
    interval,
    p_value,
    percent,
    plain,
    score_name,
    signed,
    signed_interval,
)
from medseg.studies.pages.markdown_text import escaped, table
from medseg.studies.statistics_types import Comparison, Estimate

__all__ = ["ranking_section", "results_section"]


def results_section(contents: Contents) -> str:
    """Score, paired difference, tests and verdict of each row, and what was published of it."""
    name, rows = escaped(score_name(contents.score)), contents.summary.rows
    columns = ["row", "verdict"]
    published = bool(contents.results.published)
    columns += ["published", "reproduced"] if published else []
    words = len(columns)
    columns += ["runs", f"{name}, mean ± SD", "95 % interval", "difference", "95 % interval"]
    columns += ["p, cases", "p, mean", "P(better)"]
    lines = [
        [
            _name(contents, one),
            escaped(one.verdict),
            *(_published(contents, one) if published else ()),
            *_numbers(one),
        ]
        for one in rows
    ]
    parts = ["## Results", _counted(contents), table(columns, lines, words=words), _legend(name)]
    return "\n\n".join(part for part in (*parts, _notes(rows)) if part)


def ranking_section(contents: Contents) -> str:
    """Rows from the best to the worst, and how far their places are sure."""
    lines = [
        [
            escaped(one.row),
            str(one.rank),
            f"{one.rank_ci95[0]} to {one.rank_ci95[1]}",
            percent(one.first_share),
        ]
        for one in contents.summary.ranking
    ]
    if len(lines) < 2:
        return ""
    note = (
        "Under resampling of cases and seeds: the middle 95 % of a row's ranks, and how often it "
        "is the first."
    )
    columns = ["row", "rank", "95 % of ranks", "first"]
    return "\n\n".join(("## Ranking", table(columns, lines), note))


def _counted(contents: Contents) -> str:
    """How many rows are better, worse, or not told apart, in a sentence."""
    compared = [one for one in contents.summary.rows if one.difference is not None]
    seen = Counter(one.finding for one in compared)
    text = (
        f"Rows compared with the baseline: {len(compared)}, of which {seen['better']} better, "
        f"{seen['worse']} worse, {seen['no evidence']} without evidence of a difference."
    )
    found = Counter(one.published for one in compared if one.published)
    if found:
        counts = (f"{count} {word}" for word, count in sorted(found.items()))
        text += f" Published findings: {found.total()}, of which {', '.join(counts)}."
    return text


def _legend(name: str) -> str:
    return (
        f"Differences are those to the baseline in {name}, same cases, same seed and fold. p: of "
        "Wilcoxon's signed-rank test over cases within folds, and of the t-test of the mean over "
        "cases and seeds, both after Holm's correction for all rows; a row is better or worse if "
        "its interval and both tests say so. P(better): that a new run of the row scores better "
        "than one of the baseline. SD: between runs."
    )


def _notes(rows: Sequence[Comparison]) -> str:
    """What the numbers leave out, each note once, with the rows that it is about."""
    about: dict[str, list[str]] = {}
    for one in rows:
        for note in one.notes:
            about.setdefault(note, []).append(escaped(one.row))
    return "\n".join(f"- {escaped(note)} ({', '.join(names)})" for note, names in about.items())


def _published(contents: Contents, one: Comparison) -> list[str]:
    effect, note = contents.results.published.get(one.row, (NOTHING, ""))
    reproduced = one.published or NOTHING
    return [escaped(f"{effect}: {note}" if note else effect), reproduced]


def _numbers(one: Comparison) -> list[str]:
    score = one.score
    return [
        str(one.runs) + (f" of {one.runs + len(one.failed)}" if one.failed else ""),
        _mean_and_sd(score),
        interval(score and score.ci95),
        signed(one.difference),
        signed_interval(one.difference_ci95),
        p_value(one.p_holm),
        p_value(one.p_mean_holm),
        percent(one.probability_better),
    ]


def _mean_and_sd(score: Estimate | None) -> str:
    if score is None:
        return NOTHING
    return plain(score.mean) + ("" if score.sd is None else f" ± {plain(score.sd)}")


def _name(contents: Contents, one: Comparison) -> str:
    """The row's number, by which plots call it, and its name."""
    place = contents.results.rows.index(one.row)
    return f"{place}. {escaped(one.row)}"
