"""The example workers in C++, Python and Node beside a real server: each prints what runs the steps of its template, and
again when another version is promoted, by its registration or by moving a channel; the server's restart does not make it
miss one."""

import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import harness

NODE_FOLDER = harness.ROOT / "examples/worker-node"
TEMPLATE = """\
name: {name}
namespace_name: workers
version: {version}
task_handler: {{ callable: Workers::Task }}
steps:
  - name: only
    handler: {{ callable: Workers::V{major} }}
"""
SECONDS = 120


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Worker:
    """A running worker and what it has printed."""

    def __init__(self, command, environment=None):
        self.text = ""
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**harness.clean_environment(), **(environment or {})},
            text=True,
        )
        self.errors = ""
        self.readers = [
            threading.Thread(target=self.read, args=(self.process.stdout, "text")),
            threading.Thread(target=self.read, args=(self.process.stderr, "errors")),
        ]
        for reader in self.readers:
            reader.start()

    def read(self, stream, name):
        for line in stream:
            setattr(self, name, getattr(self, name) + line)

    def wait_for(self, text):
        """Waits until the whole of what it has printed is `text`."""
        try:
            harness.wait_until(lambda: self.text == text, SECONDS, "the worker's output")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; it printed {self.text!r}, and {self.errors!r} to stderr") from None

    def end(self):
        """SIGTERM; gives its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()
            for reader in self.readers:
                reader.join()
            self.process.stdout.close()
            self.process.stderr.close()


class WorkerTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.make_temporary_folder()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def register(self, server, name, version):
        """Gives what a worker prints of that version."""
        major = version.split(".")[0]
        file = pathlib.Path(self.folder, "template.yaml")
        file.write_text(TEMPLATE.format(name=name, version=version, major=major), encoding="utf-8")
        harness.ctl(server, "register", file)
        return f"workers/{name}:{version}\n  (the task) Workers::Task\n  only Workers::V{major}\n"

    def follow_promotions(self, command, environment=None):
        """Runs a worker for each reference that `promotions` names. `command` is theirs but for server, reference and
        environment."""
        server = harness.Server(self.folder / "data", listen=f"127.0.0.1:{free_port()}")
        workers = {}
        with server:
            try:
                for reference, expected in self.promotions(server):
                    if reference not in workers:
                        workers[reference] = Worker([*command, server.address, reference, "production"], environment)
                    workers[reference].wait_for(expected)
            finally:
                ended = [(worker.end(), worker.errors) for worker in workers.values()]
        for status, errors in ended:
            self.assertEqual(status, 0, errors)

    def promotions(self, server):
        """Changes the registry step by step, and gives a reference and what a worker that follows it prints by then."""
        latest, stable = "workers/task", "workers/task:stable"
        first = self.register(server, "task", "1.0.0")
        harness.ctl(server, "channel", "set", latest, "stable", "1.0.0")
        yield latest, first
        yield stable, first
        self.register(server, "other", "9.0.0")
        second = self.register(server, "task", "2.0.0")
        yield latest, first + second
        # Had its registration reached the worker of the channel, that would have printed it before what comes next.
        third = self.register(server, "task", "3.0.0")
        harness.ctl(server, "channel", "set", latest, "stable", "3.0.0")
        yield stable, first + third
        yield latest, first + second + third
        harness.ctl(server, "channel", "rollback", latest, "stable")
        yield stable, first + third + first
        server.stop()
        server.start()
        harness.ctl(server, "channel", "set", latest, "stable", "2.0.0")
        fourth = self.register(server, "task", "4.0.0")
        yield stable, first + third + first + second
        yield latest, first + second + third + fourth

    def test_cpp(self):
        self.follow_promotions([harness.BIN / "example_worker"])

    def test_python(self):
        stubs = tempfile.mkdtemp(dir=self.folder)
        harness.generate_stubs(stubs)
        worker = harness.ROOT / "examples/worker-python/worker.py"
        self.follow_promotions([sys.executable, "-B", worker], {"PYTHONPATH": stubs})

    @unittest.skipUnless(
        shutil.which("node") and (NODE_FOLDER / "node_modules/@grpc/grpc-js").is_dir(),
        "no Node, or not its packages: run `npm ci --prefix examples/worker-node`",
    )
    def test_node(self):
        self.follow_promotions([shutil.which("node"), NODE_FOLDER / "worker.js"])

    def test_the_guide_shows_what_is_compiled(self):
        guide = (harness.ROOT / "docs/client-library.md").read_text(encoding="utf-8")
        source = (harness.ROOT / "examples/worker/main.cc").read_text(encoding="utf-8")
        blocks = [block.split("```")[0] for block in guide.split("```cpp\n")[1:]]
        self.assertTrue(blocks)
        for block in blocks:
            self.assertIn(block, source)


if __name__ == "__main__":
    unittest.main()
