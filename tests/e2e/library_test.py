"""The C++ client library beside a real server: over TLS, and behind a proxy that stops forwarding without a word."""

import json
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import harness

PROBE = harness.BIN / "library_probe"
TEMPLATE = "name: pay\nnamespace_name: shop\nversion: {}\nsteps: [{{name: a, handler: {{callable: A}}}}]\n"
SECONDS = 120
KEEPALIVE = "10s"  # as often as a server lets its clients ask
SILENCE = "4s"  # that the library allows; far less than what passes between a server's bookmarks


class Library:
    """A running library_probe. `with Library(server=…, …) as library:`"""

    def __init__(self, **options):
        self.errors = tempfile.TemporaryFile()
        words = [f"{name.replace('_', '-')}={value}" for name, value in options.items()]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [PROBE, *words], stdin=pipe, stdout=pipe, stderr=self.errors, env=harness.clean_environment(), text=True
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.errors.close()

    def ask(self, reference=""):
        """What the library finds, and knows of changes."""
        self.process.stdin.write(reference + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the probe ended: {self.log()}")
        return json.loads(line)

    def wait_for(self, reference="", **expected):
        """Asks until the answer has these values, and gives it."""
        answers = []

        def is_there():
            answers.append(self.ask(reference))
            return expected.items() <= answers[-1].items()

        try:
            harness.wait_until(is_there, SECONDS, f"{expected}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}; the last answer was {answers[-1]}, the log {self.log()}") from None
        return answers[-1]

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()


class Proxy:
    """Forwards the bytes of each connection to a server, until told to stop: then those that are open stay so, and nothing
    passes. Later ones are forwarded. `with Proxy(address) as proxy:`"""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.wake, self.woken = socket.socketpair()
        self.lock = threading.Lock()  # guards what follows
        self.pairs = []
        self.stalled = []
        self.ended = False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.wake.send(b"x")
        self.thread.join()
        for each in (self.listener, self.wake, self.woken, *sum(self.pairs + self.stalled, ())):
            each.close()

    def stall(self):
        with self.lock:
            self.stalled, self.pairs = self.stalled + self.pairs, []
        self.wake.send(b"x")

    def drop_stalled(self):
        with self.lock:
            for end in sum(self.stalled, ()):
                end.close()
            self.stalled = []

    def run(self):
        while not self.ended:
            with selectors.DefaultSelector() as selector, self.lock:
                selector.register(self.listener, selectors.EVENT_READ)
                selector.register(self.woken, selectors.EVENT_READ)
                for pair in self.pairs:
                    selector.register(pair[0], selectors.EVENT_READ, (pair, pair[1]))
                    selector.register(pair[1], selectors.EVENT_READ, (pair, pair[0]))
                self.lock.release()
                try:
                    ready = selector.select()
                finally:
                    self.lock.acquire()
                for key, _ in ready:
                    self.serve(key)

    def serve(self, key):
        if key.fileobj is self.woken:
            self.woken.recv(4096)
        elif key.fileobj is self.listener:
            self.pairs.append((self.listener.accept()[0], socket.create_connection(self.server.rsplit(":", 1))))
        elif key.data[0] in self.pairs:
            try:
                data = key.fileobj.recv(65536)
                key.data[1].sendall(data)
            except OSError:
                data = b""
            if not data:
                self.pairs.remove(key.data[0])
                for end in key.data[0]:
                    end.close()


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class LibraryTest(unittest.TestCase):
    def setUp(self):
        self.folder = harness.make_temporary_folder()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def register(self, server, version, *options):
        file = self.folder / "template.yaml"
        file.write_text(TEMPLATE.format(version))
        harness.ctl(server, "register", file, *options)

    def certificate(self, name, issuer=None):
        """Makes NAME.pem and NAME.key; without an issuer it is an authority's."""
        subject = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.folder / f"{name}.key"]
        if issuer:
            subject += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
            subject += ["-CA", self.folder / f"{issuer}.pem", "-CAkey", self.folder / f"{issuer}.key"]
        openssl("req", "-x509", *subject, "-out", self.folder / f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def test_speaks_tls_and_shows_its_certificate(self):
        authority, _ = self.certificate("authority")
        stranger, _ = self.certificate("stranger")
        certificate, key = self.certificate("server", issuer="authority")
        worker, worker_key = self.certificate("worker", issuer="authority")
        token = self.folder / "token"
        token.write_text("any word, which servers leave to proxies".replace(" ", "-"))
        tls = ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", authority]
        own = {"tls_cert": worker, "tls_key": worker_key}
        with harness.Server(self.folder / "data", options=tls) as server:
            options = ["--tls-ca", authority, "--tls-cert", worker, "--tls-key", worker_key]
            self.register(server, "1.0.0", *options)
            with Library(server=server.address, tls_ca=authority, token_file=token, **own) as library:
                library.wait_for("shop/pay", found="shop/pay:1.0.0", watching=True, age=0)
                self.register(server, "2.0.0", *options)
                library.wait_for("shop/pay", found="shop/pay:2.0.0")
            for name, other in {
                "no certificate of its own": {"tls_ca": authority},
                "an authority that did not sign the server's": {"tls_ca": stranger, **own},
                "no TLS": {},
            }.items():
                with self.subTest(name), Library(server=server.address, **other) as library:
                    answer = library.ask("shop/pay")
                    self.assertEqual((answer["code"], answer["watching"]), ("UNAVAILABLE", False))

    def lose_a_connection(self, and_then, **options):
        """The connection of a library stalls, and it misses a change. When it knows, and_then(library, proxy) is called,
        after which it must come to hear of the change, and once."""
        with harness.Server(self.folder / "data") as server, Proxy(server.address) as proxy:
            with Library(server=proxy.address, **options) as library:
                library.wait_for(watching=True)
                self.register(server, "1.0.0")
                library.wait_for(changes=[1])
                library.wait_for("shop/pay", found="shop/pay:1.0.0", age=0)
                proxy.stall()
                self.register(server, "2.0.0")
                library.wait_for(watching=False)
                and_then(library, proxy)
                library.wait_for("shop/pay", found="shop/pay:2.0.0", watching=True, age=0, changes=[1, 2])

    def test_notices_a_silence_that_no_connection_reports(self):
        def then(library, proxy):
            old = library.ask("shop/pay")
            self.assertEqual(old["found"], "shop/pay:1.0.0", old)
            self.assertGreater(old["age"], 0)
            self.assertIn(f"nothing was heard of the watch for {SILENCE}", library.log())
            proxy.drop_stalled()

        self.lose_a_connection(then, longest_silence=SILENCE)

    def test_asks_a_server_of_which_nothing_is_heard_whether_it_lives(self):
        def then(library, _):
            self.assertNotIn("nothing was heard", library.log())

        self.lose_a_connection(then, keepalive=KEEPALIVE)


if __name__ == "__main__":
    unittest.main()
