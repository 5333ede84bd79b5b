"""Two servers on one database, and those who watch them: reads that are never stale, changes in order, each exactly
once, through kills of a server and restarts of PostgreSQL; a watcher that never reads."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

import grpc
import harness

ROUNDS = 1000
WATCHERS = 200
CHANGES = 120  # while servers and PostgreSQL are killed
# More than a server keeps in memory for its watchers, and than a connection takes that nobody reads from.
STALLED_BATCHES = 60
STALLED_BATCH = 200
STALLED_BYTES = 2_000  # that each change of them has

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
resolver, ResolverStub = STUBS["resolver"]
catalog, CatalogStub = STUBS["catalog"]

# What a watch may end with when its server or the database goes, and which a client answers by coming back.
PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)

TEMPLATE = """\
name: {name}
namespace_name: watched
version: {version}
steps: [{{name: pay, handler: {{callable: Pay}}}}]
"""


class Replica(harness.Server):
    """A second server on the PostgreSQL of another one; always at the same address, so that clients find it again."""

    def __init__(self, first):
        # The fifth line says in which folder its socket is.
        socket_folder = (first.data_dir / "postgres/postmaster.pid").read_text().splitlines()[4]
        super().__init__(
            options=["--database-url", f"host={socket_folder} port=5432 user=tasker dbname=tasker"],
            listen=f"127.0.0.1:{lasting_port()}",
        )


def lasting_port():
    """A port that stays free while the server is down: clients that try to connect get theirs from another range."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="utf-8") as file:
        lowest = int(file.read().split()[0])
    while True:
        port = random.randrange(10000, lowest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def register(stub, name, version="1.0.0"):
    source = registry.TemplateSource(yaml=TEMPLATE.format(name=name, version=version))
    request = registry.RegisterTemplateRequest(source=source)
    return stub.RegisterTemplate(request, timeout=harness.CALL_SECONDS)


class Watcher(threading.Thread):
    """Watches from the beginning; comes back from the last revision that it has seen whole when a watch ends."""

    def __init__(self, servers, number):
        super().__init__(daemon=True)
        self.servers, self.number = servers, number
        self.revisions = []
        self.resumed = 0
        self.error = None
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.is_set() and self.error is None:
            server = self.servers[(self.number + self.resumed) % len(self.servers)]
            with grpc.insecure_channel(server.address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                self.watch(ResolverStub(channel))

    def watch(self, stub):
        seen = self.revisions[-1] if self.revisions else 0
        try:
            self.call = stub.WatchTemplates(resolver.WatchTemplatesRequest(from_revision=seen))
            for message in self.call:
                if message.changes:
                    self.revisions.append(message.revision)
                if self.stopped.is_set():
                    return
        except grpc.RpcError as error:
            if error.code() not in PASSING and not self.stopped.is_set():
                self.error = error
            self.resumed += 1
            time.sleep(0.05)

    def stop(self):
        self.stopped.set()
        self.call.cancel()
        self.join(harness.CALL_SECONDS)


class TwoServersTest(unittest.TestCase):
    def setUp(self):
        self.first = self.enter(harness.Server())
        self.second = self.enter(Replica(self.first))

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def test_a_read_with_min_revision_is_never_stale(self):
        with self.first.channel() as here, self.second.channel() as there:
            writer, reader = RegistryStub(here), ResolverStub(there)
            for number in range(ROUNDS):
                version = f"1.0.{number}"
                revision = register(writer, "fresh", version).revision
                answer = reader.ResolveTemplate(
                    resolver.ResolveTemplateRequest(reference="watched/fresh", min_revision=revision),
                    timeout=harness.CALL_SECONDS,
                )
                self.assertEqual(answer.reference, f"watched/fresh:{version}")

    def test_all_watchers_of_both_servers_see_the_same_in_order(self):
        with self.first.channel() as channel:
            stub = RegistryStub(channel)
            watchers = [Watcher([server], n) for n in range(10) for server in (self.first, self.second)]
            for watcher in watchers:
                watcher.start()
            for number in range(50):
                register(stub, f"seen_{number}")
            self.await_all(watchers, 50)
        for watcher in watchers:
            watcher.stop()
            self.assertEqual(watcher.revisions, list(range(1, 51)))

    def await_all(self, watchers, revision):
        def done():
            errors = [watcher.error for watcher in watchers if watcher.error]
            self.assertEqual(errors, [])
            return all(watcher.revisions and watcher.revisions[-1] >= revision for watcher in watchers)

        harness.wait_until(done, 3 * harness.CALL_SECONDS, f"revision {revision} at every watcher")

    def test_a_watch_of_the_command_line_goes_on_after_a_restart_and_ends_on_interrupt(self):
        with self.first.channel() as channel:
            stub = RegistryStub(channel)
            register(stub, "before")
            command = [harness.BIN / "tasker-registryctl", "--server", self.second.address]
            watch = subprocess.Popen(
                [*command, "watch", "--from", "0", "--output", "json", "watched"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=harness.clean_environment(),
            )
            self.addCleanup(watch.stdout.close)
            self.addCleanup(watch.kill)
            self.assertEqual(json.loads(watch.stdout.readline())["name"], "before")
            self.second.stop()
            register(stub, "meanwhile")
            self.second.start()
            self.assertEqual(json.loads(watch.stdout.readline())["name"], "meanwhile")
            watch.send_signal(signal.SIGINT)
            self.assertEqual(watch.wait(harness.CALL_SECONDS), 0)
        listed = json.loads(harness.ctl(self.first, "log", "watched", "--output", "json", "--oldest-first").stdout)
        self.assertEqual([(row["revision"], row["name"]) for row in listed], [(1, "before"), (2, "meanwhile")])

    def test_watchers_see_each_revision_once_through_kills_of_server_and_database(self):
        watchers = [Watcher([self.second], number) for number in range(WATCHERS)]
        for watcher in watchers:
            watcher.start()
        written = self.write_through_kills()
        self.await_all(watchers, written)
        for watcher in watchers:
            watcher.stop()
            self.assertEqual(watcher.revisions, list(range(1, written + 1)))
        self.assertGreaterEqual(min(watcher.resumed for watcher in watchers), 1)

    def write_through_kills(self):
        with self.first.channel() as channel:
            stub = RegistryStub(channel)
            for number in range(CHANGES):
                if number == CHANGES // 3:
                    self.kill_second()
                    self.second.start()
                if number == CHANGES * 2 // 3:
                    self.restart_database()
                self.register_patiently(stub, f"kept_{number}")
            info = CatalogStub(channel).GetServerInfo(catalog.GetServerInfoRequest(), timeout=harness.CALL_SECONDS)
            return info.revision

    def kill_second(self):
        self.second.process.kill()
        self.second.process.wait(harness.STOP_SECONDS)
        self.second.process.stdout.close()

    def restart_database(self):
        postmaster = self.first.data_dir / "postgres/postmaster.pid"
        os.kill(int(postmaster.read_text().split()[0]), signal.SIGQUIT)

    def register_patiently(self, stub, name):
        deadline = time.monotonic() + harness.CALL_SECONDS
        while True:
            try:
                return register(stub, name)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def test_a_watcher_that_never_reads_is_ended_and_costs_no_memory(self):
        # Otherwise gRPC takes ever more from a fast connection, read or not.
        steady = [("grpc.http2.bdp_probe", 0), ("grpc.use_local_subchannel_pool", 1)]
        with self.first.channel() as here, grpc.insecure_channel(self.second.address, options=steady) as there:
            stub = RegistryStub(here)
            idle = [ResolverStub(there).WatchTemplates(resolver.WatchTemplatesRequest()) for _ in range(20)]
            for call in idle:
                next(call)  # its first bookmark: it has begun
            before = resident_kib(self.second)
            for number in range(STALLED_BATCHES):
                names = [f"t{number}_{item}" for item in range(STALLED_BATCH)]
                request = registry.RegisterTemplatesRequest(
                    sources=[registry.TemplateSource(yaml=TEMPLATE.format(name=n, version="1.0.0")) for n in names],
                    source_uri="u" * STALLED_BYTES,
                )
                revision = stub.RegisterTemplates(request, timeout=harness.CALL_SECONDS).revision
            codes = set()
            for call in idle:
                seen = 0
                try:
                    for message in call:
                        if message.changes and not message.continued:
                            self.assertEqual(message.revision, seen + 1)
                            seen = message.revision
                            if seen == revision:
                                call.cancel()
                except grpc.RpcError as error:
                    codes.add(error.code())
                    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                        self.assertIn(f"resume from revision {seen}", error.details())
            self.assertIn(grpc.StatusCode.RESOURCE_EXHAUSTED, codes)
            # The feed's memory is 16 MiB; the rest is what gRPC and the allocator hold.
            self.assertLess(resident_kib(self.second) - before, 100 << 10)


def resident_kib(server):
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))


if __name__ == "__main__":
    unittest.main()
