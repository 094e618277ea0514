# SPDX-License-Identifier: Apache-2.0
"""Servers, the program under test and the demo shop for the live tests."""
import pathlib
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rowcall import PYTHON, TOP, Rowcall, program  # noqa: E402
from servers import MariaDB, PostgreSQL, clean_environment  # noqa: E402


@pytest.fixture(scope="session")
def pg():
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def my():
    with MariaDB() as server:
        yield server


@pytest.fixture
def rowcall(tmp_path):
    """The release build."""
    under_test = Rowcall(tmp_path)
    yield under_test
    under_test.abandon()


@pytest.fixture
def hardened(tmp_path):
    """The build with ASan and UBSan where there is one, else the release build: for what tries to break the program."""
    under_test = Rowcall(tmp_path, "dev" if program("dev").exists() else "release")
    yield under_test
    under_test.abandon()


@pytest.fixture(scope="session")
def shop(pg, tmp_path_factory):
    """The demo shop as a newcomer would have it, its tables filled: the directory to run it in."""
    place = tmp_path_factory.mktemp("shop") / "app"
    shutil.copytree(TOP / "conf/quickstart.d/django_shop", place)
    shutil.copy(TOP / "conf/integrations/django.py", place / "django_tags.py")
    pg.sql("CREATE DATABASE shop OWNER app")
    subprocess.run([PYTHON, "fill.py"], cwd=place, check=True, env=clean_environment(DATABASE_URL=pg.url(database="shop")))
    return place
