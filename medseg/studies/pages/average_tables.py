"""Mean scores of each row by class and by group of cases, with macro, micro and pooled averages."""

from medseg.studies.pages.averages import group_means
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
        f"Mean {escaped(score_name(contents.score))} over runs. Macro: mean of the classes' means "
        "over cases; pooled: all cases counted as one image, then the mean of the classes; micro: "
        "all cases and classes counted as one, so that large structures weigh most."
    )
    columns = ["row", *map(escaped, names)]
    return "\n\n".join(("## Classes and averages", note, table(columns, lines)))


def groups_section(contents: Contents) -> str:
    """A column for each group of cases, such as a tissue; empty if cases have none."""
    rows = [(one.row, group_means(one, contents.score)) for one in contents.summary.rows]
    groups = list(dict.fromkeys(group for _, means in rows for group in means))
    if not groups:
        return ""
    lines = [[escaped(row), *(plain(means.get(group)) for group in groups)] for row, means in rows]
    name = escaped(score_name(contents.score))
    note = (
        f"Mean {name} over runs, cases and classes; the mean of the groups weighs each the same, "
        "however many cases it has."
    )
    columns = ["row", *map(escaped, groups)]
    return "\n\n".join(("## Groups of cases", note, table(columns, lines)))
