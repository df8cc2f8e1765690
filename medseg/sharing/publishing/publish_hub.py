"""Publication of a packed bundle on the Hugging Face hub."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from medseg.bundles.judgement.zips.zip_tree import ZipTree, extract
from medseg.errors import UsageError
from medseg.sharing.digests import read_digests
from medseg.sharing.layout import DIGESTS
from medseg.sharing.publishing.hub import CARD, Repository, hub_api, told
from medseg.sharing.publishing.share import safe_contents
from medseg.sharing.store.contents import Contents

__all__ = ["publish_to_hub"]


def publish_to_hub(packed: Path, target: str) -> str:
    """Commit a packed bundle's files to a repository, which is made if it is not there.

    What the repository has and the bundle has not is removed; each version stays under a tag.

    Args:
        packed: A complete zip that is judged safe.
        target: `hf://OWNER/NAME`, or `hf://OWNER/NAME@BRANCH`.

    Returns:
        What was done, in a line.

    Raises:
        UsageError: If the repository has another content under that version.
        DataError: If the zip is incomplete or not safe, or the hub refuses.
        MachineError: If it cannot be reached, or huggingface_hub is not installed.
    """
    contents = safe_contents(packed)
    repository = Repository.parse(target)
    api = hub_api(repository)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / contents.name
        extract(ZipTree(packed), folder)
        shutil.copyfile(folder / "docs" / CARD, folder / CARD)
        with told(repository):
            commit = _commit(api, repository, folder, contents)
    fixed = Repository(id=repository.id, revision=commit)
    return f"{repository}: {contents.name}@{contents.version}, fixed as {fixed}"


def _commit(api: Any, repository: Repository, folder: Path, contents: Contents) -> str:
    # As MONAI names a version.
    tag = contents.version
    api.create_repo(repository.id, exist_ok=True)
    tags = {ref.name: ref.target_commit for ref in api.list_repo_refs(repository.id).tags}
    if tag in tags:
        _require_same(api, repository, folder, tag)
        return str(tags[tag])
    done = api.upload_folder(
        repo_id=repository.id,
        folder_path=folder,
        revision=repository.revision,
        commit_message=f"{contents.name} {contents.version}",
        delete_patterns="*",
    )
    api.create_tag(repository.id, tag=tag, revision=done.oid)
    return str(done.oid)


def _require_same(api: Any, repository: Repository, folder: Path, tag: str) -> None:
    """Refuse a version that is there with another content."""
    here = read_digests((folder / DIGESTS).read_bytes(), str(folder))
    with TemporaryDirectory() as temporary:
        path = api.hf_hub_download(repository.id, DIGESTS, revision=tag, local_dir=temporary)
        there = read_digests(Path(path).read_bytes(), str(repository))
    if here.bundle_sha256 != there.bundle_sha256:
        what = f"has {tag} with another content; a published version stays, so raise the version"
        raise UsageError(f"{repository}: {what}")
