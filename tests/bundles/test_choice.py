"""What a word that chooses promises."""

import pytest

from medseg.bundles import require_choice
from medseg.errors import UsageError


def test_a_word_that_chooses_nothing_is_refused_with_those_that_do():
    require_choice("schedule", "plateau", ["plateau", "polynomial"])
    with pytest.raises(
        UsageError, match=r"^schedule must be one of plateau, polynomial, got 'polynomal'$"
    ):
        require_choice("schedule", "polynomal", ["plateau", "polynomial"])
