"""`medseg bundle index` and `publish`: shares of packed bundles."""

from pathlib import Path
from typing import Annotated

import typer

from medseg.cli.say import say

__all__ = ["index", "publish"]


def index(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of packed bundles.")],
) -> None:
    """Make a share of a folder: write index.json for install, index.html to look at.

    Any web server can then serve the folder as it is.

    medseg bundle index /srv/bundles
    """
    from medseg.sharing.publishing.share import write_index
    from medseg.sharing.publishing.share_index import INDEX, PAGE

    done = write_index(folder)
    for reason in done.left_out.values():
        say(f"left out: {reason}", to="errors")
    many = len(done.index.bundles)
    say(f"{folder}: {many} bundle{'' if many == 1 else 's'} in {INDEX} and {PAGE}")


def publish(
    packed: Annotated[Path, typer.Argument(metavar="ZIP", help="As medseg bundle pack made it.")],
    target: Annotated[
        str,
        typer.Argument(help="Folder of a share, oci://HOST/REPOSITORY:TAG or hf://OWNER/NAME."),
    ],
) -> None:
    """Publish a packed bundle: copy it into a share and renew its index, or send it elsewhere.

    A version that is published stays as it is: another content needs another version.

    medseg bundle publish covid_lung_ct_unet3d-0.4.1.zip /srv/bundles
    """
    from medseg.sharing.publishing.publish import publish as publish_bundle

    say(publish_bundle(packed, target))
