"""Mean scores of each row by class and by group of cases, with macro, micro and pooled averages."""

from medseg.studies.pages.averages import group_means, group_names
from medseg.studies.pages.contents import Contents
from medseg.studies.pages.figures import plain, score_name
from medseg.studies.pages.markdown_text import escaped, table

__all__ = ["classes_section", "groups_section"]


def classes_section(contents: Contents) -> str:
    """A column for each class and average; empty if no row was scored."""
    rows = contents.summary.rows
    names = list(dict.fromkeys(name for one in rows for name in one.classes))
    if not names:
        return ""
    lines = [[escaped(one.row), *(plain(one.classes.get(name)) for name in names)] for one in rows]
    note = (
        f"Mean {escaped(score_name(contents.score))} over runs. Macro: every class weighs the "
        "same; micro: every case and class does; pooled: all cases are counted as one image, so "
        "large structures weigh most."
    )
    columns = ["row", *map(escaped, names)]
    return "\n\n".join(("## Classes and averages", note, table(columns, lines)))


def groups_section(contents: Contents) -> str:
    """A column for each group of cases, such as a tissue; empty if cases have none."""
    groups = group_names(contents.results)
    if not groups:
        return ""
    lines: list[list[str]] = []
    for one in contents.summary.rows:
        means = group_means(contents.results, one.row, contents.score)
        total = sum(means.values()) / len(means)
        lines.append([escaped(one.row), *map(plain, means.values()), plain(total)])
    name = escaped(score_name(contents.score))
    note = f"Mean {name} over runs; `mean`: of the groups, however many cases each has."
    columns = ["row", *map(escaped, groups), "mean"]
    return "\n\n".join(("## Groups of cases", note, table(columns, lines)))
