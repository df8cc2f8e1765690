"""The table of the GPU check, in Markdown: a row for all that should have been measured."""

from collections.abc import Mapping

from benchmarks._gpu_rows import SECTIONS, Record, Sizes, Tool

__all__ = ["table"]

Records = Mapping[tuple[str, Tool], Record]
HEADS = (
    "what",
    "medseg, ms",
    "peer, ms",
    "ratio",
    "medseg, GB",
    "peer, GB",
    "medseg, busy",
    "peer, busy",
    "note",
)
ABOUT = """\
Milliseconds of a step, of a patch and of a volume, medians; `ratio` is the peer's by medseg's.
GB is the most that torch held on the GPU; `busy` is the share of the time in which the GPU
computed. Peers: of a step nnU-Net's way in plain torch, of a patch MONAI's transforms one by one,
of a volume MONAI's `SlidingWindowInferer`. fp32 is torch's default, in which cuDNN convolves in
TF32.
"""


def table(
    machine: Mapping[str, str], sizes: Sizes, records: Records, ends: Mapping[str, str]
) -> str:
    """All of it.

    Args:
        machine: What it ran on, by name.
        sizes: Of what was measured.
        records: What was measured.
        ends: How each section ended: `ended`, or else why some rows of it are empty.
    """
    facts = "\n".join(f"- {name}: {text}" for name, text in machine.items() if name != "device")
    volume = "x".join(map(str, sizes.volume))
    size = (
        f"- sizes: patches and windows of {sizes.patch}^3, two a step, {sizes.depth} levels from "
        f"{sizes.width} channels to {sizes.most}, volume of {volume}"
    )
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    for section in SECTIONS:
        end = ends.get(section.name, "not begun")
        lines += [_line(row, records, end) for row in section.rows(sizes)]
    told = "\n".join(
        f"- {section.name}: {ends.get(section.name, 'not begun')}" for section in SECTIONS
    )
    return f"{facts}\n{size}\n\n{ABOUT}\n" + "\n".join(lines) + f"\n\nSections:\n\n{told}\n"


def _line(row: str, records: Records, end: str) -> str:
    empty = Record(row=row)
    own, peer = records.get((row, "medseg"), empty), records.get((row, "peer"), empty)
    notes = dict.fromkeys(note for note in (own.note, peer.note) if note)
    if (row, "medseg") not in records or end != "ended":
        notes[f"section {end}"] = None
    ratio = f"{peer.ms / own.ms:.2f}" if own.ms and peer.ms else ""
    cells = (
        row,
        *(_number(value, "{:.1f}") for value in (own.ms, peer.ms)),
        ratio,
        *(_number(value, "{:.2f}") for value in (own.gb, peer.gb)),
        *(_number(value, "{:.0%}") for value in (own.busy, peer.busy)),
        "; ".join(notes),
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
