"""The Python packages that scripts/install-packages puts into a virtual environment beside the sources.

They are PyPI's, for what Debian does not have or has too old. Where they could not be installed, tests that need them
are skipped.
"""

import importlib.util
import sys

import pytest

from support.settings import REPOSITORY

_FOLDER = REPOSITORY / ".build-python"

# Runs programs made of those packages.
PYTHON = str(_FOLDER / "bin/python")

_places = [str(path) for path in _FOLDER.glob("lib/python3*/site-packages")]
sys.path += _places


def needs(*modules):
    """A mark that skips tests where one of these modules is not in the virtual environment."""
    missing = [name for name in modules if importlib.machinery.PathFinder.find_spec(name, _places) is None]
    return pytest.mark.skipif(bool(missing), reason=f"scripts/install-packages tests could not install {missing}")
