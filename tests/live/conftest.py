# SPDX-License-Identifier: Apache-2.0
"""Servers, the program under test and the demo shop for the live tests."""
import pathlib
import shutil
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from rowcall import PYTHON, TOP, Rowcall, program  # noqa: E402
from servers import MariaDB, PostgreSQL, clean_environment  # noqa: E402

# A shell ignores these in what it starts in the background, and who is started with an ignored signal keeps ignoring it.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def pg():
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def my_here():
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def my(my_here):
    return my_here


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


def deployed(place, app, integration):
    """An app of the quickstart in a directory of its own, with its request tags beside it, as a newcomer would have it."""
    shutil.copytree(TOP / "conf/quickstart.d" / app, place)
    shutil.copy(TOP / "conf/integrations" / f"{integration}.py", place / f"{integration}_tags.py")
    return place


@pytest.fixture(scope="session")
def shop(pg, tmp_path_factory):
    """The Django shop, its tables filled, in database shop: the directory to run it in."""
    place = deployed(tmp_path_factory.mktemp("django") / "app", "django_shop", "django")
    pg.sql("CREATE DATABASE shop OWNER app")
    subprocess.run([PYTHON, "fill.py"], cwd=place, check=True, env=clean_environment(DATABASE_URL=pg.url(database="shop")))
    return place


@pytest.fixture(scope="session")
def sqlalchemy_shop(my_here, tmp_path_factory):
    """The SQLAlchemy shop, the same way on MariaDB."""
    place = deployed(tmp_path_factory.mktemp("sqlalchemy") / "app", "sqlalchemy_shop", "sqlalchemy")
    my_here.sql("CREATE DATABASE shop")
    subprocess.run([PYTHON, "shop.py", "fill"], cwd=place, check=True,
                   env=clean_environment(DATABASE_URL=my_here.url(database="shop", scheme="mysql+pymysql")))
    return place
