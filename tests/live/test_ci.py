# SPDX-License-Identifier: Apache-2.0
"""conf/ci as its CI systems run it: the steps of the GitHub Action and the script of the GitLab job, with the files and variables these give."""
import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from rowcall import TOP, program
from servers import clean_environment

CI = TOP / "conf/ci"
LOOP = "psql -qAtX \"$DATABASE_URL\" " + " ".join(f"-c 'SELECT name FROM things WHERE id = {n}'" for n in range(1, 9))
SCRIPTS = [CI / "rowcall-ci", CI / "install-rowcall", TOP / "conf/install", TOP / "conf/quickstart", TOP / "tests/run"]


@pytest.fixture
def job(tmp_path, pg):
    """Runs commands in a work directory, rowcall and rowcall-ci installed, with variables of a CI system."""
    def run(*command, cwd=None, **variables):
        env = clean_environment(DATABASE_URL=pg.url(), XDG_STATE_HOME=str(tmp_path / "state"), ROWCALL_IDLE_GAP="800ms")
        return subprocess.run(command, cwd=cwd or work, env=env | {"PATH": f"{installed}:{env['PATH']}"} | variables, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)

    installed, work = tmp_path / "bin", tmp_path / "work"
    installed.mkdir()
    work.mkdir()
    (installed / "rowcall").symlink_to(program("release"))
    (installed / "rowcall-ci").symlink_to(CI / "rowcall-ci")
    run.work = work
    return run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_sound(script):
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    done = subprocess.run(["shellcheck", script], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
    assert os.access(script, os.X_OK)


# --- a plain shell --------------------------------------------------------------------------------------------------------------------

def test_shell(job):
    done = job("rowcall-ci", "--fail-on", "n-plus-one", "--", "sh", "-c", LOOP)
    assert done.returncode == 10 and done.stdout.count("thing\n") == 8, done
    assert re.search(r"^rowcall: FAIL findings=1 requests=1 queries=8$", done.stderr, re.M)
    made = job.work / "rowcall-report"
    assert sorted(path.name for path in made.iterdir()) == ["junit.xml", "report.html", "report.json", "report.md", "run.recording"]
    assert json.loads((made / "report.json").read_text())["gate"]["status"] == "fail"
    assert ElementTree.parse(made / "junit.xml").getroot().get("failures") == "1"
    again = job("rowcall", "report", "--fail-on", "n-plus-one", "rowcall-report/run.recording")
    assert again.returncode == 10 and "N+1" in again.stdout + again.stderr


@pytest.mark.parametrize("arguments, status", [(("--", "true"), 11), (("--allow-empty", "--", "sh", "-c", "exit 7"), 7), (("--max-queries", "x", "--", "true"), 2),
                                               (("--max-queries", "8", "--", "sh", "-c", LOOP), 0), ((), 2)])
def test_statuses_are_those_of_run(job, arguments, status):
    assert job("rowcall-ci", *arguments).returncode == status


def test_another_directory(job):
    assert job("rowcall-ci", "--", "sh", "-c", LOOP, ROWCALL_CI_DIR="out/of the way").returncode == 0
    assert (job.work / "out/of the way/report.json").exists() and not (job.work / "rowcall-report").exists()


# --- GitHub ---------------------------------------------------------------------------------------------------------------------------

class Workflow:
    """Runs the steps of a composite action as the runner does: inputs, outputs, files, `bash --noprofile --norc -eo pipefail`."""

    def __init__(self, job, tmp_path):
        self.job, self.action = job, yaml.safe_load((CI / "github/action.yml").read_text())
        self.files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")}
        self.results = {}

    def expand(self, text, inputs):
        def value(match):
            kind, name = match[1].split(".", 1)
            if kind == "inputs":
                return str(inputs[name])
            step, name = re.fullmatch(r"([\w-]+)\.outputs\.([\w-]+)", name).groups()
            return self.results[step].get(name, "")
        return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", value, text)

    def use(self, **given):
        """(status, output, the action's outputs)."""
        given = {name.replace("_", "-"): value for name, value in given.items()}
        for name, about in self.action["inputs"].items():
            assert name in given or not about.get("required") or "default" in about, f"input {name} is required"
        assert set(given) <= set(self.action["inputs"])
        inputs = {name: given.get(name, about.get("default", "")) for name, about in self.action["inputs"].items()}
        said = ""
        for step in self.action["runs"]["steps"]:
            for file in self.files.values():
                file.touch()
            self.files["GITHUB_OUTPUT"].write_text("")
            env = {name: self.expand(value, inputs) for name, value in step.get("env", {}).items()}
            done = self.job("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", self.expand(step["run"], inputs),
                            cwd=self.job.work / self.expand(step.get("working-directory", "."), inputs), GITHUB_ACTIONS="true", CI="true",
                            GITHUB_ACTION_PATH=str(CI / "github"), GITHUB_WORKSPACE=str(self.job.work), **env,
                            **{name: str(path) for name, path in self.files.items()})
            said += done.stdout + done.stderr
            lines = self.files["GITHUB_OUTPUT"].read_text().splitlines()
            self.results[step.get("id", step["name"])] = dict(line.split("=", 1) for line in lines)
            if done.returncode:
                break
        outputs = {name: self.expand(about["value"], inputs) for name, about in self.action["outputs"].items()}
        return done.returncode, said, outputs


@pytest.fixture
def workflow(job, tmp_path):
    return Workflow(job, tmp_path)


def test_github_action_is_well_formed(workflow):
    action = workflow.action
    assert {"name", "description", "inputs", "outputs", "runs"} == set(action)
    assert action["runs"]["using"] == "composite"
    assert all("description" in entry for group in ("inputs", "outputs") for entry in action[group].values())
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash" and "run" in step, "a composite step must name its shell"
        assert "${{" not in step["run"], "an expression in a script would let an input inject commands"
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(action["runs"])))
    assert used == set(action["inputs"])


def test_github_action(workflow, job):
    (job.work / "app dir").mkdir()
    status, said, outputs = workflow.use(run=LOOP, options="--fail-on n-plus-one --scope '*'", working_directory="app dir")
    assert status == 10, said
    assert outputs == {"findings": "1", "requests": "1", "queries": "8", "report-dir": "rowcall-report"}
    assert re.search(r"^::error title=N\+1.*SELECT", said, re.M), said
    assert "is not a setting" not in said
    summary = workflow.files["GITHUB_STEP_SUMMARY"].read_text()
    assert summary.startswith("<!-- rowcall -->") and "rowcall: FAIL" in summary
    assert json.loads((job.work / "app dir/rowcall-report/report.sarif").read_text())["version"] == "2.1.0"
    status, said, outputs = workflow.use(run="psql -qAtX \"$DATABASE_URL\" -c 'SELECT count(*) FROM things'")
    assert status == 0 and outputs["findings"] == "0", said
    assert workflow.files["GITHUB_STEP_SUMMARY"].read_text().count("<!-- rowcall -->") == 2, "a step's summary is appended to"


def test_github_action_passes_the_tests_status_on(workflow):
    status, said, outputs = workflow.use(run=LOOP + "\nfalse\necho unreached\n")
    assert status == 1 and "unreached" not in said and outputs["queries"] == "8"


# --- GitLab ---------------------------------------------------------------------------------------------------------------------------

def component(**given):
    """The job of the component after its inputs are put in, as GitLab does before it parses."""
    head, body = (CI / "gitlab/rowcall.yml").read_text().split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    assert set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", body)) == set(inputs)
    for name, about in inputs.items():
        assert name in given or "default" in (about or {}), f"input {name} is required"
        value = given.get(name, (about or {}).get("default"))
        body = body.replace(f"$[[ inputs.{name} ]]", str(value).replace("\\", "\\\\").replace('"', '\\"'))
    (name, found), = yaml.safe_load(body).items()
    return name, found


def run_gitlab(job, found):
    lines = [*found["before_script"], *found["script"]]
    return job("bash", "-c", "set -eo pipefail\n" + "\n".join(lines), GITLAB_CI="true", CI="true", CI_PROJECT_DIR=str(job.work), **found["variables"])


def test_gitlab_component(job):
    name, found = component(command=LOOP, options="--fail-on 'n-plus-one'")
    assert name == "rowcall" and {"stage", "image", "variables", "before_script", "script", "artifacts"} == set(found)
    done = run_gitlab(job, found)
    assert done.returncode == 10, done
    assert "is not a setting" not in done.stderr
    artifacts = found["artifacts"]
    assert artifacts["when"] == "always" and all((job.work / path).exists() for path in artifacts["paths"])
    for report in artifacts["reports"].values():
        assert (job.work / report).exists()
    (issue,) = json.loads((job.work / artifacts["reports"]["codequality"]).read_text())
    assert issue["check_name"] == "n-plus-one"


def test_gitlab_component_passes_the_tests_status_on(job):
    done = run_gitlab(job, component(command=LOOP + "; (exit 3); true")[1])
    assert done.returncode == 3, done
