"""Paths, addresses and words that write, read or send elsewhere, without any code."""

from tests.bundles.attacks.case import Attack, attacks, made

__all__ = ["PATHS"]

TRUST = "needs trust"

_LINES: list[Attack] = attacks(
    {
        "case whose name is a setting of the weights": (
            TRUST,
            "w: {_target_: medseg.networks.trained_setting, path: models/model.safetensors, "
            "name: where, default: x}\n"
            "x: {_target_: CacheDataset, data: [{image: docs/i.nii.gz, case: '@w'}]}",
        ),
        "images whose paths are a setting of the weights": (
            TRUST,
            "w: {_target_: medseg.networks.trained_setting, path: models/model.safetensors, "
            "name: cases, default: []}\nx: {_target_: Dataset, data: '@w'}",
        ),
        "case whose name is put together of a setting": (
            TRUST,
            "w: {_target_: medseg.networks.trained_setting, path: models/model.safetensors, "
            "name: where, default: x}\n"
            "x: {_target_: Dataset, data: \"$[{'image': 'a', 'case': str(@w) + 'x'}]\"}",
        ),
        "metadata of a folder that the weights name": (
            TRUST,
            "w: {_target_: medseg.networks.trained_setting, path: models/model.safetensors, "
            "name: where, default: x}\n"
            "x: {_target_: medseg.bundles.training_provenance, bundle_root: '@w'}",
        ),
        "reader of Pillow, which hands EPS to Ghostscript": (
            TRUST,
            "x: {_target_: LoadImaged, keys: image, reader: PILReader}",
        ),
        "reader of ITK, which follows HDF5 to other files": (
            TRUST,
            "x: {_target_: LoadImaged, keys: image, reader: ITKReader}",
        ),
        "any reader, as none is named": (TRUST, "x: {_target_: LoadImaged, keys: image}"),
        "any reader, by null": (TRUST, "x: {_target_: LoadImaged, keys: image, reader: null}"),
        "output into the root": (TRUST, "output_dir: /"),
        "output into an absolute folder": (TRUST, "output_dir: /tmp/canary"),
        "output into the home folder": (TRUST, "output_dir: ~/canary"),
        "output into another's home folder": (TRUST, "output_dir: ~root"),
        "output above": (TRUST, "output_dir: ../canary"),
        "output above, in the middle": (TRUST, "output_dir: eval/../../canary"),
        "output above, with a backslash": (TRUST, "output_dir: ..\\canary"),
        "output on a drive": (TRUST, "output_dir: 'C:\\Windows'"),
        "output on a drive, relative to it": (TRUST, "output_dir: 'C:canary'"),
        "output on a share": (TRUST, "output_dir: '\\\\server\\share'"),
        "output on a share, with slashes": (TRUST, "output_dir: //server/share"),
        "output at an address": (TRUST, "output_dir: s3://bucket/canary"),
        "output at a file address": (TRUST, "output_dir: file:///tmp/canary"),
        "output below the bundle, and out of it": (
            TRUST,
            "output_dir: \"$@bundle_root + '/../..'\"",
        ),
        "absolute path in two": (TRUST, "output_dir: \"$'/' + 'tmp/canary'\""),
        "absolute path behind an empty text": (TRUST, "e: ''\noutput_dir: \"$@e + '/tmp'\""),
        "absolute path of two keys": (TRUST, "a: /\nb: tmp\noutput_dir: '$@a + @b'"),
        "dots in two": (TRUST, "output_dir: \"$'.' + './canary'\""),
        "dots of a key": (TRUST, "up: ..\noutput_dir: \"$@bundle_root + '/' + @up\""),
        "dots of two keys": (TRUST, "d: .\noutput_dir: \"$@bundle_root + '/' + @d + @d + '/x'\""),
        "path as an escape": (TRUST, "output_dir: '$\"\\x2ftmp\"'"),
        "path of texts side by side": (TRUST, "output_dir: \"$'/' 'tmp'\""),
        "path by percent": (TRUST, "output_dir: \"$'%stmp' % '/'\""),
        "path by an f-string": (TRUST, "output_dir: '$f\"{chr(47)}tmp\"'"),
        "path backwards": (TRUST, "output_dir: \"$'pmt/'[::-1]\""),
        "path by replace": (TRUST, "output_dir: \"$'Xtmp'.replace('X', chr(47))\""),
        "path by join": (TRUST, "output_dir: \"$'/'.join(['', 'tmp'])\""),
        "path by a slice of a word": (TRUST, "output_dir: \"$'a/b'[1] + 'tmp'\""),
        "path by str of a key": (TRUST, "root: /tmp\noutput_dir: '$str(@root)'"),
        "path in a branch": (TRUST, "output_dir: \"$'/tmp' if len(@keys) else 'eval'\""),
        "path behind or": (TRUST, "output_dir: \"$'' or '/tmp'\""),
        "path behind a false reference": (TRUST, "no: false\noutput_dir: \"$@no or '/tmp'\""),
        "path in a dictionary": (TRUST, "output_dir: \"${'a': '/tmp'}['a']\""),
        "path in a list": (TRUST, "output_dir: \"$['/tmp'][0]\""),
        "path in a comprehension": (TRUST, "output_dir: \"$[p for p in ['/tmp']][0]\""),
        "path by max": (TRUST, "output_dir: \"$max('/tmp', '')\""),
        "path by sum of lists": (TRUST, "output_dir: \"$(['/tmp'] + [])[0]\""),
        "path by a reference to an item": (TRUST, "p: [/tmp]\noutput_dir: '@p#0'"),
        "path by a macro": (TRUST, "p: {q: /tmp}\noutput_dir: '%p::q'"),
        "path by a product": (TRUST, "output_dir: \"$@bundle_root + '/..' * 3\""),
        "path by pathlib's slash": (
            TRUST,
            "log: {_target_: medseg.bundles.find_bundle_root}\noutput_dir: \"$@log / '/tmp'\"",
        ),
        "path from the weights' header": (
            TRUST,
            "output_dir: {_target_: medseg.networks.trained_setting, path: '@ckpt_path', "
            "name: output_dir, default: eval}",
        ),
        "path from the weights' header, pieced on": (
            TRUST,
            "where: {_target_: medseg.networks.trained_setting, path: '@ckpt_path', name: x, "
            "default: ''}\noutput_dir: \"$@where + '/eval'\"",
        ),
        "path of a class's name": (
            TRUST,
            "class_names: [background, /tmp]\noutput_dir: '$@class_names[1]'",
        ),
        "checkpoints elsewhere": (TRUST, "ckpt_dir: /tmp/canary"),
        "weights of the disk": (TRUST, "ckpt_path: /tmp/model.safetensors"),
        "cache elsewhere": (TRUST, "cache_dir: ~/.ssh"),
        "data of the disk": (TRUST, "dataset_dir: /home"),
        "path in an argument of any name": (
            TRUST,
            "x: {_target_: medseg.data.list_images, folder: /home}",
        ),
        "replaces what is there": (TRUST, "overwrite: replace"),
        "replaces what is there, in two": (TRUST, "overwrite: \"$'re' + 'place'\""),
        "replaces what is there, by a key": (TRUST, "w: replace\noverwrite: '@w'"),
        "replaces what is there, by a macro": (TRUST, "w: replace\noverwrite: '%w'"),
        "tracking server": (TRUST, "mlflow: http://localhost:9/"),
        "tracking server in an argument": (
            TRUST,
            "control: {_target_: medseg.training.Control, output_dir: '@output_dir', "
            "ckpt_dir: '@output_dir', mlflow: 'http://localhost:9/'}",
        ),
        "address of the web": (TRUST, "dataset_dir: https://localhost:9/set.zip"),
        "zero byte in a path": (TRUST, 'output_dir: "eval\\0/../.."'),
        "path of variables of the shell": (TRUST, "output_dir: $HOME/canary"),
        "device as a file": (TRUST, "dataset_dir: /dev/stdin"),
        "environment of a process": (TRUST, "manifest_file: /proc/self/environ"),
        # --- texts of which a part is not known, and may be empty or a dot
        **{
            f"image elsewhere, {what}": (
                TRUST,
                'imports: ["$import os"]\n'
                "s: {_target_: medseg.networks.trained_setting, path: models/none.safetensors, "
                "name: none, default: ''}\n"
                "x: {_target_: Dataset, transform: {_target_: LoadImaged, keys: image}, "
                f'data: [{{image: "${text}"}}]}}',
            )
            for what, text in {
                "behind the end of a path": "os.path.basename('a/') + '/canary'",
                "before the end of a path": "'/' + os.path.basename('a/canary')",
                "behind a number": "str(abs(1)) + '/../../canary'",
                "of two dots": "os.path.basename('a/.') + './canary'",
                "of two dots, apart": "os.path.join(os.path.basename('a/.') + '.', 'canary')",
                "in a home folder": "'~' + os.path.basename('a/root')",
                "behind a setting of the weights": "@s + '/canary'",
            }.items()
        },
    }
)
_FILES: list[Attack] = [
    made(
        "second config sends the output elsewhere",
        TRUST,
        {"configs/extra.yaml": "output_dir: /tmp/canary\n"},
        "configs/extra.yaml",
    ),
    made(
        "second config replaces what is there",
        TRUST,
        {"configs/extra.yaml": "overwrite: replace\n"},
        "configs/extra.yaml",
    ),
    made(
        "large files fetched from the web",
        TRUST,
        {
            "large_files.yml": "large_files:\n- {path: models/model.pt, url: 'http://localhost:9/'}\n"
        },
        "large_files.yml",
    ),
    made(
        "large files put above the bundle",
        TRUST,
        {"large_files.yml": "large_files:\n- {path: ../../x, url: 'https://localhost:9/'}\n"},
        "large_files.yml",
    ),
]
_FILES += [
    made(f"image whose voxels are {what}", TRUST, {path: text}, path)
    for what, path, text in (
        (
            "another file's, MetaImage",
            "golden/a.mha",
            "ObjectType = Image\nNDims = 2\nElementDataFile = /tmp/canary\n",
        ),
        (
            "another file's behind a comment that says otherwise, MetaImage",
            "golden/a.mha",
            "ObjectType = Image\nComment = \rElementDataFile = LOCAL\n"
            "ElementDataFile = ../../canary\n",
        ),
        (
            "named behind a long comment, MetaImage",
            "golden/a.mha",
            f"Comment = {'x' * 10_000}\nElementDataFile = /tmp/canary\n",
        ),
        (
            "another file's, NRRD",
            "golden/a.nrrd",
            "NRRD0004\ntype: uchar\ndata file: /tmp/canary\n\n",
        ),
        (
            "another file's by the old name, NRRD",
            "golden/a.nrrd",
            "NRRD0001\ntype: uchar\ndatafile: ../canary\n\n",
        ),
        (
            "named behind a long comment, NRRD",
            "golden/a.nrrd",
            f"NRRD0004\n# {'x' * 10_000}\ndata file: /tmp/canary\n\n",
        ),
    )
]
PATHS: list[Attack] = [*_LINES, *_FILES]
