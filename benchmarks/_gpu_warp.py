"""Warped patches of the GPU check: `RandWarpBatchd` beside MONAI's transforms one by one."""

from dataclasses import replace

from benchmarks._augmentation_gpu import samples_per_second
from benchmarks._augmentation_setting import SETTINGS, Setting
from benchmarks._gpu_measure import failure, forget, here
from benchmarks._gpu_rows import Emit, Record, Sizes, warp_row

__all__ = ["measure_warps"]

TINY = Setting(
    name="3-D, 16^3", volume=(16, 16, 16), patch=(16, 16, 16), control_spacing=8, max_displacement=2
)


def measure_warps(sizes: Sizes, emit: Emit) -> None:
    """Milliseconds of a patch in a batch, with elastic deformation and without."""
    for setting in (*SETTINGS, TINY):
        if setting.name not in sizes.warps:
            continue
        for elastic in ("on", "off"):
            row = warp_row(setting.name, elastic)
            try:
                own, peer = samples_per_second(
                    replace(setting, elastic=elastic),
                    here().type,
                    elements=sizes.elements,
                    rounds=sizes.rounds,
                )
            except Exception as error:  # as in the training steps
                emit(Record(row=row, note=failure(error)))
            else:
                emit(Record(row=row, ms=1000 / own))
                emit(Record(row=row, tool="peer", ms=1000 / peer))
            forget()
