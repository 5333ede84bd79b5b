"""How tasker-registryctl talks to servers: exit codes, tokens, TLS, timeouts, several servers. The servers are made up
here; what the real one answers is for the end-to-end tests."""

import concurrent.futures
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

import ctl
import grpc

sys.path.insert(0, str(ctl.ROOT / "tests/e2e"))
import harness  # pylint: disable=wrong-import-position

STUBS = harness.load_stubs()
registry, _ = STUBS["registry"]
resolver, _ = STUBS["resolver"]
catalog, _ = STUBS["catalog"]

SUMMARY = {"reference": "shop/pay:1.0.0", "namespace_name": "shop", "name": "pay", "version": "1.0.0"}


class FakeServer:
    """A gRPC server whose answers the test gives: {"Service/Method": function(request, context) -> response}."""

    def __init__(self, answers, credentials=None):
        self.answers = answers
        self.requests = []  # (method, request, metadata)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers((self,))
        if credentials:
            self.port = self.server.add_secure_port("localhost:0", credentials)
        else:
            self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.address = f"localhost:{self.port}"

    def service(self, details):
        name = details.method.removeprefix("/tasker.registry.v1.")
        if name not in self.answers:
            return None
        method = name.split("/")[1]
        module = {"Reg": registry, "Res": resolver, "Cat": catalog}[name[:3]]
        metadata = dict(details.invocation_metadata)

        def answer(request, context):
            self.requests.append((method, request, metadata))
            return self.answers[name](request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=getattr(module, method + "Request").FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None).wait()


def lists(_request, _context):
    return catalog.ListTemplatesResponse(templates=[catalog.TemplateSummary(**SUMMARY)])


def refuses(code, message="because"):
    def answer(_request, context):
        context.abort(code, message)

    return answer


def closed_port():
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class CallsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def serve(self, answers, credentials=None):
        return self.enterContext(FakeServer(answers, credentials))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def test_a_refusal_ends_with_3_and_the_servers_words(self):
        for code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL):
            server = self.serve({"CatalogService/ListTemplates": refuses(code, "no such thing")})
            done = ctl.run("--server", server.address, "list")
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertEqual(done.stderr, "tasker-registryctl: error: no such thing\n")

    def test_nobody_listening_ends_with_4(self):
        done = ctl.run("--server", f"localhost:{closed_port()}", "list")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn("cannot be reached", done.stderr)

    def test_a_server_that_does_not_answer_ends_with_4_after_the_timeout(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            done = ctl.run("--timeout", "300ms", "--server", f"localhost:{silent.getsockname()[1]}", "list")
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertIn("--timeout gives it more", done.stderr)

    def test_the_next_server_is_tried_when_one_cannot_be_reached(self):
        server = self.serve({"CatalogService/ListTemplates": lists})
        unavailable = self.serve({"CatalogService/ListTemplates": refuses(grpc.StatusCode.UNAVAILABLE)})
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            servers = [f"localhost:{closed_port()}", f"localhost:{silent.getsockname()[1]}", unavailable.address]
            done = ctl.run("--timeout", "20s", "--server", ",".join([*servers, server.address]), "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split("\t")[:2], ["shop/pay", "1.0.0"])

    def test_a_refusal_is_not_taken_to_another_server(self):
        first = self.serve({"CatalogService/ListTemplates": refuses(grpc.StatusCode.NOT_FOUND)})
        second = self.serve({"CatalogService/ListTemplates": lists})
        self.assertEqual(ctl.run("--server", f"{first.address},{second.address}", "list").returncode, 3)
        self.assertEqual(second.requests, [])

    def test_a_change_that_may_have_been_made_is_not_made_again(self):
        unavailable = refuses(grpc.StatusCode.UNAVAILABLE)
        for method, arguments in {
            "SetChannel": ["channel", "set", "shop/pay", "stable", "1.0.0", "--new"],
            "DeleteChannel": ["channel", "delete", "shop/pay", "stable"],
            "DeprecateTemplate": ["deprecate", "shop/pay:1.0.0", "--message", "old"],
            "YankTemplate": ["yank", "shop/pay:1.0.0", "--reason", "wrong"],
            "RestoreTemplate": ["restore", "shop/pay:1.0.0"],
            "PurgeTemplate": ["purge", "shop/pay:1.0.0", "--reason", "a key", "--yes"],
            "SetVersionPolicy": ["policy", "shop", "warn"],
        }.items():
            with self.subTest(method):
                first = self.serve({f"RegistryService/{method}": unavailable})
                done_twice = getattr(registry, f"{method}Response")()
                second = self.serve({f"RegistryService/{method}": lambda *_, response=done_twice: response})
                done = ctl.run("--server", f"{first.address},{second.address}", *arguments)
                self.assertEqual((done.returncode, len(first.requests), second.requests), (4, 1, []), done.stderr)

    def test_options_come_from_the_environment_and_flags_win(self):
        server = self.serve({"CatalogService/ListTemplates": lists})
        done = ctl.run("list", env={"TASKER_REGISTRY_SERVER": server.address, "TASKER_REGISTRY_OUTPUT": "json"})
        self.assertEqual(json.loads(done.stdout)[0]["reference"], "shop/pay:1.0.0")
        other = {"TASKER_REGISTRY_SERVER": f"localhost:{closed_port()}", "TASKER_REGISTRY_TIMEOUT": "1ms"}
        done = ctl.run("list", "--server", server.address, "--timeout", "30s", env=other)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_token_is_sent_and_its_line_end_is_not(self):
        server = self.serve({"CatalogService/ListTemplates": lists})
        token = self.write("token", "s3cret\n")
        self.assertEqual(ctl.run("--server", server.address, "--token-file", token, "list").returncode, 0)
        self.assertEqual(server.requests[0][2]["authorization"], "Bearer s3cret")

    def test_speaks_tls_with_a_client_certificate(self):
        key, certificate = str(self.folder / "key.pem"), str(self.folder / "cert.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True,
            capture_output=True,
        )
        pair = (pathlib.Path(key).read_bytes(), pathlib.Path(certificate).read_bytes())
        credentials = grpc.ssl_server_credentials([pair], pair[1], require_client_auth=True)
        server = self.serve({"CatalogService/ListTemplates": lists}, credentials)
        with_certificate = ["--tls-cert", certificate, "--tls-key", key]
        done = ctl.run("--server", server.address, "--tls-ca", certificate, *with_certificate, "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(ctl.run("--server", server.address, "--tls-ca", certificate, "list").returncode, 4)
        self.assertEqual(ctl.run("--server", server.address, "list").returncode, 4)

    def test_a_list_follows_its_pages_and_sends_its_filters(self):
        def page(request, _context):
            number = int(request.page_token or 0)
            summary = catalog.TemplateSummary(**SUMMARY, description=f"page\t{number}\x1b[2J")
            return catalog.ListTemplatesResponse(templates=[summary], next_page_token=str(number + 1) if number < 2 else "")

        server = self.serve({"CatalogService/ListTemplates": page})
        done = ctl.run("--server", server.address, "list", "--namespace", "shop", "--name", "p", "--tag", "t", "--system",
                       "s", "--event", "e", "--callable", "c")  # fmt: skip
        self.assertEqual([line.split("\t")[-1] for line in done.stdout.splitlines()], [f"page {i} [2J" for i in range(3)])
        request = server.requests[2][1]
        self.assertEqual((request.namespace_name, request.name_prefix, request.tag), ("shop", "p", "t"))
        self.assertEqual((request.system, request.event, request.callable), ("s", "e", "c"))

    def test_register_sends_one_batch_with_everything_asked_for(self):
        def register(request, _context):
            results = [registry.Registration(reference="shop/pay:1.0.0", outcome=1) for _ in request.sources]
            return registry.RegisterTemplatesResponse(registrations=results, revision=7)

        server = self.serve({"RegistryService/RegisterTemplates": register})
        paths = [self.write("a.yaml", ctl.GOOD), self.write("b.yaml", ctl.GOOD + "# größer\r\n")]
        done = ctl.run("--server", server.address, "register", *paths, "--dry-run", "--keep-unknown", "-o", "json",
                       "--source-revision", "abc", "--source-uri", "https://example.com")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("dry run", done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual((answer["revision"], answer["dry_run"], len(answer["registrations"])), (7, True, 2))
        [(_, request, _)] = server.requests
        self.assertEqual([source.yaml.encode() for source in request.sources],
                         [pathlib.Path(path).read_bytes() for path in paths])  # fmt: skip
        self.assertEqual([source.file_name for source in request.sources], paths)
        self.assertTrue(request.dry_run and request.sources[0].keep_unknown_keys)
        self.assertEqual((request.source_revision, request.source_uri), ("abc", "https://example.com"))

    def test_register_sends_nothing_when_a_path_cannot_be_read_or_sent(self):
        server = self.serve({"RegistryService/RegisterTemplates": refuses(grpc.StatusCode.INTERNAL)})
        good = self.write("a.yaml", ctl.GOOD)
        (self.folder / "binary.yaml").write_bytes(b"name: \xff\n")
        for bad, code in ((str(self.folder / "missing"), "FILE_UNREADABLE"), (str(self.folder / "binary.yaml"), "UTF8")):
            done = ctl.run("--server", server.address, "register", good, bad)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(code, done.stderr)
            self.assertIn("nothing was registered", done.stderr)
        self.assertEqual(server.requests, [])

    def test_register_shows_every_issue_of_a_refused_batch_in_the_authors_text(self):
        def validate(request, _context):
            issue = registry.Issue(severity=1, code="VERSION_INVALID", line=3, column=10, message="no version", hint="mend")
            bad = "1.0\n" in request.source.yaml
            return registry.ValidateTemplateResponse(valid=not bad, issues=[issue] if bad else [])

        refuse = refuses(grpc.StatusCode.INVALID_ARGUMENT, "the first mistake (and 1 more)")
        server = self.serve({"RegistryService/RegisterTemplates": refuse, "RegistryService/ValidateTemplate": validate})
        paths = [self.write("a.yaml", ctl.BAD), self.write("b.yaml", ctl.GOOD), self.write("c.yaml", ctl.BAD)]
        done = ctl.run("--server", server.address, "register", *paths)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for path in (paths[0], paths[2]):
            excerpt = "    3 | version: 1.0\n      |          ^\nhelp: mend\n"
            self.assertIn(f"{path}:3:10: error: no version [VERSION_INVALID]\n{excerpt}", done.stderr)
        self.assertIn("nothing was registered; 3 files checked: 2 errors, 0 warnings", done.stderr)

    def test_register_repeats_a_refusal_that_no_single_template_explains(self):
        fine = {"RegistryService/ValidateTemplate": lambda *_: registry.ValidateTemplateResponse(valid=True)}
        refuse = refuses(grpc.StatusCode.INVALID_ARGUMENT, "shop/pay:1.0.0 stands in this batch twice")
        server = self.serve({"RegistryService/RegisterTemplates": refuse, **fine})
        done = ctl.run("--server", server.address, "register", self.write("a.yaml", ctl.GOOD))
        self.assertEqual(done.returncode, 1)
        self.assertIn("stands in this batch twice", done.stderr)

    def test_documents_keep_their_numbers(self):
        exact = '{"a":9007199254740993,"b":18446744073709551615,"c":3.0,"d":19.99,"e":1e+300}'
        canonical = ('{"name":"pay","namespace_name":"shop","steps":[{"handler":{"callable":"A","initialization":' + exact
                     + '},"name":"a"}],"version":"1.0.0"}')  # fmt: skip
        answer = resolver.ResolveTemplateResponse(reference="shop/pay:1.0.0", template_json=canonical)
        handler = resolver.ResolveHandlerResponse(reference="shop/pay:1.0.0", step_name="a", callable_kind=1)
        server = self.serve({"ResolverService/ResolveTemplate": lambda *_: answer,
                             "ResolverService/ResolveHandler": lambda *_: handler})  # fmt: skip
        for arguments in (["resolve", "shop/pay"], ["handler", "shop/pay", "a"]):
            done = ctl.run("--server", server.address, *arguments, "-o", "json")
            for number in ("9007199254740993", "18446744073709551615", "3.0", "19.99", "1e+300"):
                self.assertRegex(done.stdout, rf'": {number.replace("+", "[+]")}[,\n]')
        self.assertEqual(server.requests[0][1].view, resolver.TEMPLATE_VIEW_JSON)

    def test_an_environment_that_is_not_defined_is_noted(self):
        answer = resolver.ResolveTemplateResponse(reference="shop/pay:1.0.0", environment="prod", template_json="{}")
        server = self.serve({"ResolverService/ResolveTemplate": lambda *_: answer})
        done = ctl.run("--server", server.address, "resolve", "shop/pay", "-e", "prod", "--require-environment")
        self.assertEqual(done.returncode, 0)
        self.assertIn("does not define environment 'prod'", done.stderr)
        self.assertTrue(server.requests[0][1].require_environment)

    def test_source_is_byte_for_byte_and_its_absence_is_said(self):
        text = "a: 1\r\n\tx\n\n# größer, no line end"
        stored = {"with": catalog.GetTemplateResponse(source=text), "without": catalog.GetTemplateResponse()}
        server = self.serve({"CatalogService/GetTemplate": lambda request, _: stored[request.reference.split("/")[1]]})
        done = ctl.run("--server", server.address, "get", "shop/with", "--source", text=False)
        self.assertEqual((done.returncode, done.stdout), (0, text.encode()))
        done = ctl.run("--server", server.address, "get", "shop/without", "--source")
        self.assertEqual((done.returncode, done.stdout), (3, ""))


if __name__ == "__main__":
    unittest.main()
