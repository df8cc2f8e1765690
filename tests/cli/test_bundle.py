"""`medseg bundle export` and `halve` as their users have them."""

import hashlib

import onnxruntime

SUBJECT = "image (batch, 1, i, j, k) to logits"


def test_a_trained_bundle_is_exported_and_then_kept(trained, tmp_path, command, capfd):
    path = tmp_path / "out" / "model.onnx"
    assert command("bundle", "export", trained, "-o", path) == 0
    assert f"{path}: {SUBJECT}" in capfd.readouterr().out
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert command("bundle", "export", trained, "-o", path) == 2
    assert "already exists; use --overwrite" in capfd.readouterr().err


def test_a_folder_that_is_no_bundle_is_named(tmp_path, command, capfd):
    assert command("bundle", "export", tmp_path, "-o", tmp_path / "model.onnx") == 2
    assert "not a bundle (no configs/metadata.json)" in capfd.readouterr().err


def test_halved_weights_are_told_with_their_digest_and_then_kept(trained, tmp_path, command, capfd):
    weights, half = trained / "models" / "model.safetensors", tmp_path / "half.safetensors"
    assert command("bundle", "halve", weights, "-o", half) == 0
    digest = hashlib.sha256(half.read_bytes()).hexdigest()
    told = capfd.readouterr().out
    assert told.startswith(f"{half}: ")
    assert told.endswith(f" MB, sha256 {digest}\n")
    assert command("bundle", "halve", weights, "-o", half) == 2
    assert "already exists; use --overwrite" in capfd.readouterr().err
    assert command("bundle", "halve", weights, "-o", tmp_path / "half.pt") == 2
    assert "must end in .safetensors" in capfd.readouterr().err
