"""Checks that everything that docker-compose.yml and deploy/Dockerfile name exists: paths, CMake presets, targets and
variables, packages, libraries, options, subcommands, environment variables, and each other's parts. The images
themselves are not built here."""

import json
import os
import pathlib
import re
import shlex
import subprocess
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ["TASKER_BIN_DIR"])
BUILD = BIN.parent
DOCKERFILE = ROOT / "deploy/Dockerfile"
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
# What the official PostgreSQL image understands.
POSTGRES_IMAGE_VARIABLES = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS", "PGDATA"}


def dockerfile_stages():
    """[{name, image, instructions: [(WORD, argument)]}] with continued lines joined and comments dropped."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    stages = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, argument = line.strip().partition(" ")
        if word == "FROM":
            image, _, name = argument.partition(" AS ")
            stages.append({"name": name, "image": image, "instructions": []})
        else:
            stages[-1]["instructions"].append((word, argument))
    return stages


STAGES = dockerfile_stages()


def arguments_of(stage, word):
    return [argument for instruction, argument in stage["instructions"] if instruction == word]


def packages_of(stage):
    """The packages that a stage installs with apt."""
    commands = re.split(r"&&", " && ".join(arguments_of(stage, "RUN")))
    words = [word for command in commands if "apt-get install" in command for word in shlex.split(command)]
    return {word for word in words[words.index("install") + 1 :] if not word.startswith("-")}


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def help_line(help_text, option):
    """What a help text says behind an option, or None where it does not know it."""
    match = re.search(rf"^\s+(?:-\w,\s*)?{re.escape(option)}\b(?!-)(.*)$", help_text, re.MULTILINE)
    return match and match.group(1)


def assert_callable(program, arguments):
    """Fails unless the program's help knows every subcommand and option of a call."""
    help_text = output_of(BIN / program, "--help")
    subcommands = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            option, _, value = word.partition("=")
            line = help_line(help_text, option)
            assert line is not None, f"{program} {' '.join(subcommands)} has no option {option}"
            if not value and re.match(r" [A-Z]", line):  # help names the kind of the value in capitals
                rest.pop(0)
        else:
            assert re.search(rf"^\s+{re.escape(word)}\b", help_text, re.MULTILINE), f"{program} has no command {word}"
            subcommands.append(word)
            help_text += output_of(BIN / program, *subcommands, "--help")


def shared_libraries(program):
    """The files of the libraries that the program itself asks for."""
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", output_of("readelf", "-d", program)))
    places = dict(re.findall(r"^\s*(\S+) => (\S+)", output_of("ldd", program), re.MULTILINE))
    return {name: places[name] for name in needed if name in places}


def cmake_files(folder):
    return sorted((ROOT / folder).rglob("CMakeLists.txt"))


def package_of(file):
    """The Debian package that owns a file. /lib is a link to /usr/lib, and packages use either name."""
    for name in (str(file), str(file).removeprefix("/usr")):
        done = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise AssertionError(f"{file} belongs to no package")


class DockerfileTest(unittest.TestCase):
    def test_every_copied_path_is_in_the_repository_and_in_the_build_context(self):
        ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
        for stage in STAGES:
            for argument in arguments_of(stage, "COPY"):
                words = argument.split()
                if words[0].startswith("--from="):
                    continue
                for source in words[:-1]:
                    self.assertTrue((ROOT / source).exists(), f"COPY {source}: no such path")
                    self.assertNotIn(source.split("/")[0], ignored, f"COPY {source}: .dockerignore leaves it out")

    def test_everything_that_the_build_reads_is_copied(self):
        copied = {word for argument in arguments_of(STAGES[0], "COPY") for word in argument.split()[:-1]}
        needed = {path.parent.name for path in ROOT.glob("*/CMakeLists.txt")} - {"tests"}  # BUILD_TESTING is off
        for folder in needed:
            for file in cmake_files(folder):
                text = file.read_text(encoding="utf-8")
                needed = needed | set(re.findall(r"\$\{PROJECT_SOURCE_DIR\}/([\w./-]*\w)", text))
        for path in needed:
            covered = {path, *map(str, pathlib.PurePosixPath(path).parents)}
            self.assertTrue(covered & copied, f"{path} is not copied")

    def test_what_is_copied_from_the_build_stage_is_built_there(self):
        names = {stage["name"]: stage for stage in STAGES}
        run = " ".join(arguments_of(STAGES[0], "RUN"))
        for stage in STAGES:
            for argument in arguments_of(stage, "COPY"):
                words = argument.split()
                if not words[0].startswith("--from="):
                    continue
                self.assertIn(words[0].removeprefix("--from="), names)
                for source in words[1:-1]:
                    path = pathlib.PurePosixPath(source)
                    self.assertEqual(str(path.parent), arguments_of(STAGES[0], "WORKDIR")[0] + "/build/release/bin")
                    self.assertTrue((BIN / path.name).exists(), f"{source}: the build makes no such program")
                    self.assertIn(path.name, re.search(r"--target ([^&]+)", run).group(1).split())

    def test_presets_targets_and_variables_exist(self):
        run = " ".join(arguments_of(STAGES[0], "RUN"))
        presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))
        configure = {preset["name"] for preset in presets["configurePresets"] if not preset.get("hidden")}
        build = {preset["name"] for preset in presets["buildPresets"]}
        self.assertLessEqual(set(re.findall(r"cmake --preset (\S+)", run)), configure)
        self.assertLessEqual(set(re.findall(r"cmake --build --preset (\S+)", run)), build)
        cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
        for variable in re.findall(r"-D ?([A-Z_]+)=", run):
            self.assertRegex(cache, rf"(?m)^{variable}:", f"-D {variable}: no such variable")
        targets = output_of("ninja", "-C", BUILD, "-t", "targets", "all")
        for target in re.search(r"--target ([^&]+)", run).group(1).split():
            self.assertRegex(targets, rf"(?m)^{re.escape(target)}:", f"--target {target}: no such target")

    def test_the_build_stage_installs_what_setup_installs_for_building(self):
        setup = set((ROOT / "scripts/setup").read_text(encoding="utf-8").split())
        installed = packages_of(STAGES[0])
        self.assertEqual(installed - setup, set(), "not in scripts/setup")
        for_tests = {"libgtest-dev", "libgmock-dev", "libbenchmark-dev", "libclang-rt-14-dev", "libyaml-cpp-dev",
                     "libnghttp2-dev"}
        libraries = {word for word in setup if re.fullmatch(r"(lib[\w.+-]+|prometheus-cpp)-dev", word)}
        elsewhere = {"libboost-json1.83-dev"}  # Ubuntu's name
        self.assertEqual(libraries - for_tests - elsewhere - installed, set(), "scripts/setup installs it for building")

    def test_the_last_stage_installs_every_library_that_the_programs_load(self):
        if 'VERSION_ID="12"' not in pathlib.Path("/etc/os-release").read_text(encoding="utf-8"):
            self.skipTest("the image is Debian 12, and the names of its libraries' packages can be told only there")
        self.assertTrue(STAGES[-1]["image"].startswith("debian:12"))
        installed = packages_of(STAGES[-1])
        always_there = {"libc6", "libgcc-s1", "libstdc++6"}  # the first is essential, the others it needs for C++
        wanted = {}
        for program in ("tasker-registryd", "tasker-registryctl"):
            for name, place in shared_libraries(BIN / program).items():
                wanted.setdefault(package_of(pathlib.Path(place).resolve()), name)
        self.assertEqual({p: n for p, n in wanted.items() if p not in installed | always_there}, {})
        self.assertEqual(
            installed - set(wanted) - {"ca-certificates"}, set(), "installed, but none of the programs loads it"
        )

    def test_it_does_not_run_as_root_and_starts_a_program_that_it_holds(self):
        last = STAGES[-1]
        self.assertNotIn(arguments_of(last, "USER")[-1], ("0", "root"))
        self.assertIn(f"--uid {arguments_of(last, 'USER')[-1]} ", " ".join(arguments_of(last, "RUN")))
        entry = json.loads(arguments_of(last, "ENTRYPOINT")[-1])
        self.assertEqual(entry, ["/usr/local/bin/tasker-registryd"])
        assert_callable("tasker-registryd", json.loads(arguments_of(last, "CMD")[-1]))


class SetupTest(unittest.TestCase):
    def test_it_installs_every_library_that_cmake_asks_pkg_config_for(self):
        setup = set((ROOT / "scripts/setup").read_text(encoding="utf-8").split())
        below = [file for top in ("lib", "server", "client", "tests") for file in cmake_files(top)]
        for file in [ROOT / "CMakeLists.txt", *below]:
            for modules in re.findall(r"pkg_check_modules\(\w+ ([^)]+)\)", file.read_text(encoding="utf-8")):
                for module in set(modules.split()) - {"REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL"}:
                    folder = output_of("pkg-config", "--variable=pcfiledir", module).strip()
                    # libpq-dev comes with libpqxx-dev.
                    package = package_of(pathlib.Path(folder, module + ".pc")).replace("libpq-dev", "libpqxx-dev")
                    self.assertIn(package, setup, f"{file.relative_to(ROOT)} asks for {module}")


class ComposeTest(unittest.TestCase):
    def registry_services(self):
        return {name: service for name, service in COMPOSE["services"].items() if "build" in service}

    def test_the_dockerfile_that_it_builds_exists(self):
        for name, service in self.registry_services().items():
            context = ROOT / service["build"]["context"]
            self.assertTrue((context / service["build"]["dockerfile"]).is_file(), name)

    def test_commands_use_subcommands_and_options_that_the_server_knows(self):
        for name, service in self.registry_services().items():
            with self.subTest(name):
                assert_callable("tasker-registryd", service["command"])

    def test_environment_variables_are_those_of_an_option_or_of_the_postgresql_image(self):
        help_text = output_of(BIN / "tasker-registryd", "--help")
        for name, service in COMPOSE["services"].items():
            for variable in service.get("environment", {}):
                if name in self.registry_services():
                    prefix, option = variable[:16], variable[16:].lower().replace("_", "-")
                    self.assertEqual(prefix, "TASKER_REGISTRY_", name)
                    self.assertIsNotNone(help_line(help_text, "--" + option), f"{variable}: no such option")
                else:
                    self.assertIn(variable, POSTGRES_IMAGE_VARIABLES, name)

    def test_variables_that_it_takes_from_outside_have_defaults(self):
        for variable in re.findall(r"\$\{([^}]+)\}", COMPOSE_TEXT):
            self.assertIn(":-", variable)

    def test_services_wait_for_services_that_can_become_what_they_wait_for(self):
        for name, service in COMPOSE["services"].items():
            for other, need in service.get("depends_on", {}).items():
                self.assertIn(other, COMPOSE["services"], name)
                if need["condition"] == "service_healthy":
                    self.assertIn("healthcheck", COMPOSE["services"][other], f"{name} waits for {other}")
                elif need["condition"] == "service_completed_successfully":
                    self.assertNotIn("restart", COMPOSE["services"][other], f"{name} waits for the end of {other}")
                else:
                    self.assertEqual(need["condition"], "service_started")

    def test_health_checks_call_programs_that_the_image_holds(self):
        for name, service in self.registry_services().items():
            if "healthcheck" not in service:
                continue
            kind, program, *arguments = service["healthcheck"]["test"]
            self.assertEqual(kind, "CMD")
            self.assertEqual(pathlib.PurePosixPath(program).parent, pathlib.PurePosixPath("/usr/local/bin"))
            with self.subTest(name):
                assert_callable(pathlib.PurePosixPath(program).name, arguments)

    def test_the_database_that_the_server_is_told_is_the_one_that_is_made(self):
        made = COMPOSE["services"]["postgres"]["environment"]
        expected = (
            f"postgresql://{made['POSTGRES_USER']}:{made['POSTGRES_PASSWORD']}@postgres:5432/{made['POSTGRES_DB']}"
        )
        for service in self.registry_services().values():
            self.assertEqual(service["environment"]["TASKER_REGISTRY_DATABASE_URL"], expected)

    def test_published_ports_are_the_ones_that_the_server_listens_on_and_the_image_exposes(self):
        exposed = set(arguments_of(STAGES[-1], "EXPOSE")[0].split())
        for service in self.registry_services().values():
            listened = {word.rsplit(":", 1)[1] for word in service["command"] if word.startswith("0.0.0.0:")}
            for port in service.get("ports", []):
                self.assertIn(port.rsplit(":", 1)[1], listened & exposed)

    def test_volumes_are_declared_and_all_used(self):
        used = {v.split(":")[0] for service in COMPOSE["services"].values() for v in service.get("volumes", [])}
        self.assertEqual(used, set(COMPOSE["volumes"]))


if __name__ == "__main__":
    unittest.main()
