"""`medseg bundle export` as its users have it."""

import onnxruntime

SUBJECT = "image (batch, 1, i, j, k) to logits"


def test_a_trained_bundle_is_exported_and_then_kept(trained, tmp_path, command, capfd):
    path = tmp_path / "out" / "model.onnx"
    assert command("bundle", "export", trained, "-o", path) == 0
    assert f"{path}: {SUBJECT}" in capfd.readouterr().out
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert command("bundle", "export", trained, "-o", path) == 2
    assert "is there already; give --overwrite" in capfd.readouterr().err


def test_a_folder_that_is_no_bundle_is_named(tmp_path, command, capfd):
    assert command("bundle", "export", tmp_path, "-o", tmp_path / "model.onnx") == 2
    assert "no bundle (no configs/metadata.json)" in capfd.readouterr().err
