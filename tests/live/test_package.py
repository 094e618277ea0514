# SPDX-License-Identifier: Apache-2.0
"""The Debian package that cpack makes of build/release, and the container recipe that is built around it."""
import os
import re
import shutil
import subprocess

import pytest
import yaml

from rowcall import TOP
from servers import clean_environment
from waiting import await_true, free_port

CONTAINER = TOP / "conf/container"


def ask(*command, **more):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True, **more).stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """(the package, the directory it is unpacked in)"""
    config = TOP / "build/release/CPackConfig.cmake"
    if not config.exists() or not shutil.which("dpkg-shlibdeps") or not shutil.which("file"):
        pytest.skip("there is no build/release, or dpkg-dev or file is not installed")
    work = tmp_path_factory.mktemp("package")
    ask("cpack", "--config", config, "-B", work)
    (deb,) = work.glob("rowcall_*_*.deb")
    ask("dpkg", "-x", deb, work / "root")
    return deb, work / "root"


def test_the_package_says_what_it_is(package):
    fields = dict(line.split(": ", 1) for line in ask("dpkg-deb", "-f", package[0]).splitlines() if re.match(r"[\w-]+: ", line))
    version = ask(package[1] / "usr/bin/rowcall", "--version").split()[1]
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == ("rowcall", version, ask("dpkg", "--print-architecture").strip())
    wanted = {name.split()[0] for name in fields["Depends"].split(", ")}
    assert {"libc6", "libevent-core-2.1-7", "libssl3", "libpq5", "libyaml-0-2", "libsqlite3-0"} <= wanted
    for name in wanted:
        assert ask("dpkg-query", "-W", "-f", "${db:Status-Status}", name) == "installed"


def test_the_package_has_what_people_look_for(package):
    root = package[1]
    shipped = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert {"usr/bin/rowcall", "usr/bin/rowcall-ci", "usr/share/man/man1/rowcall.1", "usr/share/doc/rowcall/copyright"} <= shipped
    assert {path.name for path in (TOP / "conf/integrations").iterdir()} == {path.name for path in (root / "usr/share/rowcall/integrations").iterdir()}
    assert b".debug_info" not in (root / "usr/bin/rowcall").read_bytes(), "stripped"


def test_the_manual_page_renders(package):
    if not shutil.which("man"):
        pytest.skip("man is not installed")
    done = subprocess.run(["man", "--warnings", "-l", package[1] / "usr/share/man/man1/rowcall.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=clean_environment(MANWIDTH="120", LC_ALL="C.UTF-8", MAN_KEEP_FORMATTING=""))
    text = re.sub(".\b", "", done.stdout)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert "ROWCALL RUN" in text and "    --fail-on RULE[:proven]" in text


def test_the_packaged_program_works(package, pg, tmp_path):
    env = clean_environment(DATABASE_URL=pg.url(), XDG_STATE_HOME=str(tmp_path), PATH=f"{package[1]}/usr/bin:{os.environ['PATH']}")
    done = subprocess.run(["rowcall-ci", "--", "sh", "-c", "psql -qAtX \"$DATABASE_URL\" -c 'SELECT count(*) FROM things'"], cwd=tmp_path, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stdout == "100\n", done
    assert "rowcall: PASS findings=0 requests=1 queries=1" in done.stderr


# --- the container recipe -------------------------------------------------------------------------------------------------------------

def instructions():
    """[(instruction, arguments)] of the Containerfile."""
    text = "".join(line for line in open(CONTAINER / "Containerfile") if not line.startswith("#"))
    return [tuple(line.split(None, 1)) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def ignored():
    return {line.strip() for line in open(TOP / ".dockerignore")}


def test_the_recipe_copies_what_is_there():
    stages = set()
    for word, rest in instructions():
        if word == "FROM":
            assert re.fullmatch(r"debian:12-slim( AS \w+)?", rest)
            stages.add(rest.partition(" AS ")[2])
        elif word == "COPY" and rest.startswith("--from="):
            stage, source = rest.removeprefix("--from=").split()[:2]
            assert stage in stages and any(word == "RUN" and source in rest for word, rest in instructions())
        elif word == "COPY":
            for source in rest.split()[:-1]:
                assert (TOP / source).exists() and source not in ignored()
        else:
            assert word in {"RUN", "WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"}, word


def test_the_recipe_runs_sound_commands():
    groups = {line.split()[0] for line in open(TOP / "conf/packages") if line.strip() and not line.startswith("#")}
    for command in (rest for word, rest in instructions() if word == "RUN"):
        ask("bash", "-n", "-c", command)
        if shutil.which("shellcheck"):
            ask("shellcheck", "-s", "sh", "-", input=command)
        for installed in re.findall(r"conf/install ([a-z ]+)", command):
            assert set(installed.split()) <= groups
        for preset in re.findall(r"--preset (\w+)", command):
            assert f'"name": "{preset}"' in (TOP / "CMakePresets.json").read_text()


def exec_form(word):
    (line,) = [rest for instruction, rest in instructions() if instruction == word]
    return yaml.safe_load(line[line.index("["):])


def compose():
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]


def test_compose_wires_what_it_names():
    services = compose()
    for name, service in services.items():
        assert set(service) <= {"image", "build", "environment", "healthcheck", "depends_on", "stop_grace_period", "profiles"}, name
        assert ("image" in service) != ("build" in service)
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in services[other] or "build" in services[other], f"{other} has no health check"
        for duration in (service.get("stop_grace_period"), service.get("healthcheck", {}).get("interval")):
            assert duration is None or re.fullmatch(r"\d+s", duration)
    build = services["rowcall"]["build"]
    context = (CONTAINER / build["context"]).resolve()
    assert context == TOP and (context / build["dockerfile"]) == CONTAINER / "Containerfile"
    ours, app = services["rowcall"]["environment"], services["app"]["environment"]
    assert (app["PGHOST"], app["PGPORT"]) == ("rowcall", ours["ROWCALL_LISTEN"].rpartition(":")[2])
    assert ours["ROWCALL_UPSTREAM"] == "postgresql://db:5432" and "db" in services
    database = services["db"]["environment"]
    assert [app[f"PG{name}"] for name in ("USER", "PASSWORD", "DATABASE")] == [database[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB")]


def test_the_container_would_work(package, pg, tmp_path):
    """The container's entry point, command, health check and variables, with the addresses of this machine."""
    listen, admin = free_port(), free_port()
    (program,), command = exec_form("ENTRYPOINT"), exec_form("CMD")
    health = exec_form("HEALTHCHECK")
    assert program == "rowcall" and health == ["rowcall", "ping"] and "127.0.0.1:9433" in command
    ours = compose()["rowcall"]["environment"]
    env = clean_environment(**ours) | {"ROWCALL_LISTEN": ours["ROWCALL_LISTEN"].replace("5432", str(listen)),
                                       "ROWCALL_UPSTREAM": ours["ROWCALL_UPSTREAM"].replace("db:5432", f"127.0.0.1:{pg.port}")}
    binary = package[1] / "usr/bin/rowcall"
    said = open(tmp_path / "said", "w+")
    with subprocess.Popen([binary, *(part.replace("9433", str(admin)) for part in command)], env=env, cwd=tmp_path, stderr=said) as running:
        probe = [binary, *health[1:], "--url", f"http://127.0.0.1:{admin}"]
        await_true(lambda: subprocess.run(probe, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0, "the health check")
        assert ask("psql", "-qAtX", "-h", "127.0.0.1", "-p", listen, "-U", "app", "-c", "SELECT count(*) FROM things", "app", env=clean_environment()) == "100\n"
        running.terminate()
        assert running.wait(60) == 0
    report = (tmp_path / "said").read_text()
    assert "is not a setting" not in report and "rowcall: PASS findings=0 requests=1 queries=1" in report
