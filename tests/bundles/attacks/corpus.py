"""All attacks, by family."""

from pathlib import Path

from tests.bundles.attacks.archives import ARCHIVES
from tests.bundles.attacks.case import Attack
from tests.bundles.attacks.differences import DIFFERENCES
from tests.bundles.attacks.expressions import EXPRESSIONS
from tests.bundles.attacks.files import FILES
from tests.bundles.attacks.leaks import LEAKS
from tests.bundles.attacks.logging_conf import LOGGING_CONF
from tests.bundles.attacks.names import NAMES
from tests.bundles.attacks.paths import PATHS
from tests.bundles.attacks.pickles import PICKLES
from tests.bundles.attacks.places import PLACES
from tests.bundles.attacks.plain_data import PLAIN_DATA
from tests.bundles.attacks.targets import TARGETS

__all__ = ["CORPUS", "FAMILIES", "SEEN"]

FAMILIES: dict[str, list[Attack]] = {
    "expressions": EXPRESSIONS,
    "names": NAMES,
    "places": PLACES,
    "targets": TARGETS,
    "leaks": LEAKS,
    "paths": PATHS,
    "differences": DIFFERENCES,
    "plain data": PLAIN_DATA,
    "logging.conf": LOGGING_CONF,
    "files": FILES,
    "pickles": PICKLES,
    "archives": ARCHIVES,
}
CORPUS: dict[str, Attack] = {
    f"{family}: {attack.name}": attack for family, table in FAMILIES.items() for attack in table
}
# What became of each attack when `loose.py` let it loose under plain MONAI; `-` if nothing did.
SEEN = Path(__file__).with_name("seen.tsv")
