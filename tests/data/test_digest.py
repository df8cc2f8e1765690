"""What the digests tell apart, and what they do not."""

import hashlib

import numpy as np
from hypothesis import given

from medseg.data.digest import file_sha256, path_sha256, voxels_sha256
from tests.data.builders import an_image
from tests.strategies import seeds


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # The example of FIPS 180-4.
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "a") == path_sha256(tmp_path / "a") == abc


def test_the_digest_of_a_folder_is_that_of_its_files_digests_without_hidden_ones(tmp_path):
    for name, content in {"2": b"two", "1": b"one", ".DS_Store": b"junk"}.items():
        (tmp_path / name).write_bytes(content)
    digests = hashlib.sha256(b"one").hexdigest() + hashlib.sha256(b"two").hexdigest()
    assert path_sha256(tmp_path) == hashlib.sha256(digests.encode()).hexdigest()


def test_the_digest_of_a_tree_is_that_of_all_its_files(tmp_path):
    for name, content in {"b/1": b"two", "a/2": b"one"}.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    digests = hashlib.sha256(b"one").hexdigest() + hashlib.sha256(b"two").hexdigest()
    assert path_sha256(tmp_path) == hashlib.sha256(digests.encode()).hexdigest()


@given(seed=seeds)
def test_the_digest_of_voxels_knows_values_and_not_how_they_are_stored(seed):
    image = an_image(seed)
    as_float = np.asfortranarray(image.astype(">f8"))
    assert voxels_sha256(image) == voxels_sha256(as_float)
    image[1, 2, 3] += 1
    assert voxels_sha256(image) != voxels_sha256(as_float)


def test_the_digest_of_voxels_knows_the_shape():
    assert voxels_sha256(np.zeros((2, 3, 4))) != voxels_sha256(np.zeros((3, 2, 4)))
