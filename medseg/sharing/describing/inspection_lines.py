"""Lines of an inspection for a terminal: one screen, in which no text of the bundle can pose.

What the bundle says stands behind a label on the same line, escaped and cut to the width; the
verdict is the last line, and nothing else begins a line with it.
"""

import shutil
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal
from unicodedata import east_asian_width

from medseg._text import printable
from medseg.bundles.judgement.verdict import Judgement, Place
from medseg.sharing.describing.inspection import Inspection
from medseg.sharing.describing.size_words import size_words
from medseg.sharing.describing.summary import Summary
from medseg.sharing.describing.weights_summary import WeightsSummary

__all__ = ["inspection_lines", "wrapped"]

_LABEL = 12
_FIRST = 12
_MOST_LINES = 3
_NARROWEST, _WIDEST = 60, 120
_MOST_SCORES = 6


def inspection_lines(inspection: Inspection, *, places: Literal["first", "all"]) -> Iterator[str]:
    """The lines, the verdict last.

    Args:
        inspection: Of a bundle.
        places: `first` tells the first ones, and how many more there are.
    """
    width = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((100, 24)).columns))
    yield from _labelled("bundle", inspection.path, width)
    for label, text in _facts(inspection.summary):
        if text:
            yield from _labelled(label, text, width)
    for remark in inspection.remarks:
        yield from _labelled("remark", remark, width)
    for grade, text in _places(inspection.judgement, places):
        yield from _labelled(grade, text, width)
    yield _verdict(inspection.judgement)


def _labelled(label: str, text: str, width: int) -> Iterator[str]:
    """A text behind its label, in as many lines as are allowed; each has a mark of its own."""
    room = width - _LABEL - 4
    lines = list(wrapped(text, room))
    for number, line in enumerate(lines[:_MOST_LINES]):
        last = number == _MOST_LINES - 1 and len(lines) > _MOST_LINES
        mark = f"{label:<{_LABEL}}" if number == 0 else f"{'':<{_LABEL}}"
        yield f"  {mark}| {line}{'...' if last else ''}"


def wrapped(text: str, columns: int) -> Iterator[str]:
    """A text in lines of at most so many columns, with what cannot be seen escaped."""
    line, used = "", 0
    for letter in printable(text):
        part = letter if letter.isprintable() else ascii(letter)[1:-1]
        size = sum(1 + (east_asian_width(one) in "WF") for one in part)
        if used + size > columns:
            # At the last space, unless that wastes half of the line.
            whole, space, rest = line.rpartition(" ")
            line, rest = (whole, rest) if space and len(rest) < columns // 2 else (line, "")
            yield line
            line, used = rest, len(rest)
        line, used = line + part, used + size
    if line:
        yield line


def _facts(summary: Summary | None) -> Iterator[tuple[str, str]]:
    if summary is None:
        return
    yield "name", f"{summary.name} {summary.version}".strip()
    yield "task", summary.task
    yield "image", summary.image
    yield "labels", ", ".join(summary.labels[:20]) + (", ..." if len(summary.labels) > 20 else "")
    yield "network", summary.network
    yield "weights", _weights(summary.weights)
    yield "data", summary.data
    yield "licences", _licences(summary)
    yield "scores", _scores(summary)
    yield "use", summary.use
    yield "needs", ", ".join(f"{name} {version}" for name, version in summary.needs.items())
    yield "holds", _holds(summary)


def _weights(weights: WeightsSummary | None) -> str:
    if weights is None:
        return "none that medseg reads"
    parts = [
        f"{size_words(weights.size)}, {weights.numbers:,} numbers ({', '.join(weights.types)})"
    ]
    if weights.networks > 1:
        parts.insert(0, f"{weights.networks} networks, whose mean is predicted")
    if weights.window:
        parts.append(f"window {'x'.join(map(str, weights.window))}")
    told = weights.provenance
    if told is not None and told.bundle is not None:
        count = f", {told.images.count}" if told.images is not None else ""
        parts.append(f"trained by {told.bundle} {told.version or ''}".rstrip())
        parts.append(f"on {told.data} ({told.trained_on}{count})")
    return ", ".join(parts)


def _licences(summary: Summary) -> str:
    bundle, data = summary.licences["bundle"], summary.licences["data"]
    parts = (
        f"bundle {', '.join(bundle)}" if bundle else "",
        f"data {', '.join(data)}" if data else "",
        " ".join(summary.licences["copyright"]),
    )
    return "; ".join(filter(None, parts))


def _scores(summary: Summary) -> str:
    if summary.scores is not None:
        rows = [
            f"{row.of} {row.metric} {row.value:.4g}"
            + (f" [{row.interval[0]:.4g}, {row.interval[1]:.4g}]" if row.interval else "")
            for row in summary.scores.rows[:_MOST_SCORES]
        ]
        return f"{', '.join(rows)}; {summary.scores.data} ({summary.scores.cases} cases)"
    metrics = [f"{name} {value:.4g}" for name, value in summary.eval_metrics.items()]
    return ", ".join(metrics[:_MOST_SCORES])


def _holds(summary: Summary) -> str:
    digest = summary.bundle_sha256
    return ", ".join(
        (
            f"{summary.files} files, {size_words(summary.size)}",
            f"digests of all ({digest[:12]})" if digest else "no digests",
            "a signature (medseg bundle verify)" if summary.has_signature else "no signature",
            "a golden case (medseg bundle test)" if summary.has_golden_case else "no golden case",
        )
    )


def _places(judgement: Judgement, places: Literal["first", "all"]) -> Iterator[tuple[str, str]]:
    # The gravest first; files of a folder that are there for one reason are one line.
    ordered = sorted(judgement.places, key=lambda place: place.grade != "refused")
    groups = [list(group) for _, group in groupby(ordered, key=_kind)]
    if places == "all":
        groups = [[place] for place in ordered]
    shown = len(groups) if places == "all" else _FIRST
    for group in groups[:shown]:
        yield group[0].grade, _told(group)
    if len(groups) > shown:
        yield "...", f"{_number(sum(map(len, groups[shown:])), 'more place')}; --all tells them"


def _kind(place: Place) -> tuple[str, str, str]:
    where = place.file.rpartition("/")[0] if place.line is None else f"{place.file}:{place.line}"
    return place.grade, place.reason, where


def _told(group: Sequence[Place]) -> str:
    if len(group) == 1:
        return str(group[0])
    names = ", ".join(place.file.rpartition("/")[2] for place in group[:3])
    folder = group[0].file.rpartition("/")[0] or "its folder"
    return f"{len(group)} files in {folder} ({names}, ...): {group[0].reason}"


def _verdict(judgement: Judgement) -> str:
    count = len(judgement.places)
    if judgement.verdict == "safe":
        return "verdict: safe - plain data, and parts that the rules list"
    places = _number(count, "place")
    if judgement.verdict == "refused":
        return f"verdict: refused - {places}; medseg does not run it"
    return f"verdict: needs trust - {places}; medseg bundle trust, digest {judgement.digest}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
