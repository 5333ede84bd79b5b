"""Starts the real server for end-to-end tests, on free ports and a PostgreSQL of its own, and makes sure that nothing
of it stays behind; makes the Python stubs of the protos."""

import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TASKER_BIN_DIR", ROOT / "build/release/bin"))
BUF = ROOT / "node_modules/.bin/buf"
EXAMPLES = ROOT / "examples/templates"

# A loaded machine may be slow; these bound a hang, they are not expectations.
READY_SECONDS = 120
STOP_SECONDS = 60
CALL_SECONDS = 60


def clean_environment():
    """This process's environment without what would configure the server or the command line."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TASKER_REGISTRY_")}


def make_temporary_folder():
    """A folder that PostgreSQL's user can enter, too, when the tests run as root."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tasker-e2e-"))
    folder.chmod(0o755)
    return folder


def processes_in(folder):
    """The ids of the processes that work inside a folder; a PostgreSQL works inside its cluster's."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            place = os.readlink(entry / "cwd").removesuffix(" (deleted)")
        except OSError:
            continue  # it has ended, or is not ours to look at
        if pathlib.Path(place).is_relative_to(folder):
            found.append(int(entry.name))
    return found


def wait_until(condition, seconds, what):
    """Waits until condition() holds; raises TimeoutError that names `what` when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)


def kill_processes(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Server:
    """A tasker-registryd. `with Server() as server:` starts it, and ends it in order, which must succeed.

    address     host:port of its gRPC
    data_dir    of its PostgreSQL; a fresh temporary one unless given, and then the caller removes it
    """

    def __init__(self, data_dir=None, options=(), listen="127.0.0.1:0"):
        self.owned_folder = None if data_dir else make_temporary_folder()
        self.data_dir = pathlib.Path(data_dir or self.owned_folder / "data")
        self.options = options
        self.listen = listen
        self.process = None
        self.address = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, error_type, *_):
        try:
            if error_type is None and self.process is not None:
                self.stop()
        finally:
            self.remove()

    @property
    def log_path(self):
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def log_end(self):
        return self.log_path.read_text(errors="replace")[-4000:] if self.log_path.exists() else ""

    def start(self):
        """Starts the server and waits for its ready line."""
        command = [BIN / "tasker-registryd", "serve", "--listen", self.listen, "--http-listen", ""]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*command, "--data-dir", self.data_dir, *self.options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment(),
                start_new_session=True,
            )
        line = self.read_ready_line()
        match = re.search(r"^ready .*\bgrpc=(\S+)", line)
        if not match:
            raise RuntimeError(f"the server printed {line!r} instead of its ready line\n{self.log_end()}")
        self.address = match.group(1)

    def read_ready_line(self):
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            deadline = time.monotonic() + READY_SECONDS
            while not text.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError(f"no ready line within {READY_SECONDS} s\n{self.log_end()}")
                piece = os.read(self.process.stdout.fileno(), 4096)
                if not piece:
                    break
                text += piece
        return text.decode()

    def stop(self):
        """SIGTERM; the server must end with status 0 and leave no process of its PostgreSQL."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        self.process.stdout.close()
        self.process = None
        if status != 0:
            raise RuntimeError(f"the server ended with status {status}\n{self.log_end()}")
        left = processes_in(self.data_dir)
        if left:
            raise RuntimeError(f"the server left processes behind: {left}\n{self.log_end()}")

    def kill(self):
        """SIGKILL to the server and to every process of its PostgreSQL, at once."""
        kill_processes([self.process.pid, *processes_in(self.data_dir)])
        self.process.wait(STOP_SECONDS)
        self.process.stdout.close()
        self.process = None
        wait_until(lambda: not processes_in(self.data_dir), STOP_SECONDS, "the end of the killed processes")

    def remove(self):
        """Whatever the state: no process and no folder of ours stays."""
        if self.process is not None:
            self.kill()
        kill_processes(processes_in(self.data_dir))
        if self.owned_folder:
            shutil.rmtree(self.owned_folder, ignore_errors=True)

    def channel(self):
        """A new connection; close it, or use it in a `with`."""
        return grpc.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])


def ctl(server, *arguments, check=True, **options):
    """Runs the command line against a server; returns the finished process with its texts."""
    return subprocess.run(
        [BIN / "tasker-registryctl", "--server", server.address, "--timeout", f"{CALL_SECONDS}s", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=CALL_SECONDS,
        check=check,
        env=clean_environment(),
        **{"cwd": ROOT, **options},
    )


def generate_stubs(folder):
    """Generates the Python stubs of the protos into a folder, which is then one to import from.

    By protoc with gRPC's plugin: Debian's python3-grpc-tools is too old for `optional` in proto3."""
    subprocess.run(
        [
            "protoc",
            f"-I{ROOT / 'proto'}",
            "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin",
            f"--python_out={folder}",
            f"--grpc_out={folder}",
            *sorted((ROOT / "proto/tasker/registry/v1").glob("*.proto")),
        ],
        check=True,
    )


def load_stubs():
    """Makes the stubs of the protos importable in this process, as `tasker.registry.v1`."""
    folder = tempfile.mkdtemp(prefix="tasker-stubs-")
    try:
        generate_stubs(folder)
        sys.path.insert(0, folder)
        # pylint: disable=import-outside-toplevel,import-error
        from tasker.registry.v1 import catalog_pb2, catalog_pb2_grpc, registry_pb2, registry_pb2_grpc
        from tasker.registry.v1 import resolver_pb2, resolver_pb2_grpc
    finally:
        shutil.rmtree(folder)
    return {
        "catalog": (catalog_pb2, catalog_pb2_grpc.CatalogServiceStub),
        "registry": (registry_pb2, registry_pb2_grpc.RegistryServiceStub),
        "resolver": (resolver_pb2, resolver_pb2_grpc.ResolverServiceStub),
    }
