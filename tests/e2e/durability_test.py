"""kill -9 of the server and of its PostgreSQL in the middle of registrations, 20 rounds on the same data: every version
that was acknowledged is there afterwards, whole; a batch that was not acknowledged is there whole or not at all."""

import hashlib
import shutil
import threading
import unittest

import grpc
import harness

ROUNDS = 20
WRITERS = 4
BATCH = 5
# The kill comes when so many calls of the round are acknowledged; others are then under way.
ACKNOWLEDGED_BEFORE_KILL = 25

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
resolver, _ = STUBS["resolver"]
catalog, CatalogStub = STUBS["catalog"]

TEMPLATE = """\
# round {round}, writer {writer}, call {call}
name: {name}
namespace_name: durable
version: {round}.{writer}.{call}
description: "{filler}"
steps:
  - name: first
    handler: {{ callable: "Durable::First", initialization: {{ call: {call} }} }}
  - name: second
    dependencies: [first]
    handler: {{ callable: "Durable::Second" }}
"""


def text_of(round_number, writer, call, item):
    filler = hashlib.sha256(f"{round_number}/{writer}/{call}/{item}".encode()).hexdigest() * 20
    return TEMPLATE.format(round=round_number, writer=writer, call=call, name=f"template_{item}", filler=filler)


class Writer(threading.Thread):
    """Registers until the server is gone: single templates and batches in turn."""

    def __init__(self, server, round_number, writer):
        super().__init__(daemon=True)
        self.server, self.round_number, self.writer = server, round_number, writer
        self.acknowledged = []  # (reference, digest, text)
        self.calls = 0  # acknowledged ones
        self.unacknowledged = []  # the texts of the call that the kill interrupted
        self.error = None

    def run(self):
        with self.server.channel() as channel:
            stub = RegistryStub(channel)
            try:
                while True:
                    self.register(stub)
            except grpc.RpcError as error:
                self.error = error

    def register(self, stub):
        count = BATCH if self.calls % 2 else 1
        self.unacknowledged = [text_of(self.round_number, self.writer, self.calls, item) for item in range(count)]
        sources = [registry.TemplateSource(yaml=text) for text in self.unacknowledged]
        if count == 1:
            request = registry.RegisterTemplateRequest(source=sources[0])
            registrations = [stub.RegisterTemplate(request, timeout=harness.CALL_SECONDS).registration]
        else:
            request = registry.RegisterTemplatesRequest(sources=sources)
            registrations = stub.RegisterTemplates(request, timeout=harness.CALL_SECONDS).registrations
        self.acknowledged += [(r.reference, r.digest, t) for r, t in zip(registrations, self.unacknowledged)]
        self.unacknowledged = []
        self.calls += 1


class DurabilityTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.make_temporary_folder()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def test_every_acknowledged_version_survives_kill_9_whole(self):
        acknowledged = []
        for number in range(1, ROUNDS + 1):
            server = harness.Server(self.folder / "data")
            self.addCleanup(server.remove)
            server.start()
            writers = [Writer(server, number, writer) for writer in range(WRITERS)]
            for writer in writers:
                writer.start()
            harness.wait_until(
                lambda: sum(writer.calls for writer in writers) >= ACKNOWLEDGED_BEFORE_KILL
                or any(writer.error for writer in writers),
                harness.CALL_SECONDS,
                "enough acknowledged calls",
            )
            self.assertEqual([writer.error for writer in writers if writer.error], [], server.log_end())
            server.kill()
            for writer in writers:
                writer.join(harness.CALL_SECONDS)
                self.assertFalse(writer.is_alive())
            acknowledged += [entry for writer in writers for entry in writer.acknowledged]
            self.check_after_restart(writers)
        with harness.Server(self.folder / "data") as server, server.channel() as channel:
            for entry in acknowledged:
                self.assert_whole(CatalogStub(channel), *entry)
        print(f"{len(acknowledged)} acknowledged versions in {ROUNDS} rounds, all there")

    def check_after_restart(self, writers):
        with harness.Server(self.folder / "data") as server, server.channel() as channel:
            stub = CatalogStub(channel)
            for writer in writers:
                for entry in writer.acknowledged:
                    self.assert_whole(stub, *entry)
                there = [self.is_stored(stub, text) for text in writer.unacknowledged]
                self.assertIn(sum(there), (0, len(there)), "an interrupted batch is there in part")

    def assert_whole(self, stub, reference, digest, text):
        request = catalog.GetTemplateRequest(
            reference=reference, view=resolver.TEMPLATE_VIEW_JSON, include_source=True
        )
        stored = stub.GetTemplate(request, timeout=harness.CALL_SECONDS)
        self.assertEqual((stored.reference, stored.digest, stored.source), (reference, digest, text))
        self.assertEqual("sha256:" + hashlib.sha256(stored.template_json.encode()).hexdigest(), digest)

    def is_stored(self, stub, text):
        keys = dict(line.split(": ", 1) for line in text.splitlines()[1:4])
        reference = f"{keys['namespace_name']}/{keys['name']}:{keys['version']}"
        try:
            stored = stub.GetTemplate(
                catalog.GetTemplateRequest(reference=reference, include_source=True), timeout=harness.CALL_SECONDS
            )
        except grpc.RpcError as error:
            self.assertIs(error.code(), grpc.StatusCode.NOT_FOUND)
            return False
        self.assertEqual(stored.source, text)
        return True


if __name__ == "__main__":
    unittest.main()
