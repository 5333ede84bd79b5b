"""Export and import with the real programs: what comes back is the same registry, byte for byte, and what is wrong with
an archive is refused whole."""

import json
import pathlib
import queue
import shutil
import subprocess
import tarfile
import tempfile
import unittest

import grpc
import harness

STUBS = harness.load_stubs()
pb, RegistryStub = STUBS["registry"]

TEXT = "name: {name}\nnamespace_name: {namespace}\nversion: {version}\nsteps: # über\r\n- {{name: a, handler: {{callable: A}}}}\n"


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class ArchiveTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.source = cls.enterClassContext(harness.Server())
        cls.fill(cls.source)
        cls.backup = cls.folder / "backup"
        harness.ctl(cls.source, "export", cls.backup)

    @classmethod
    def fill(cls, server):
        """Something of everything that an archive can hold."""
        harness.ctl(server, "register", harness.EXAMPLES, "--source-revision", "abc123")
        with server.channel() as channel:
            stub = RegistryStub(channel)

            def do(method, request):
                return getattr(stub, method)(request, timeout=harness.CALL_SECONDS)

            for version in ("1.0.0", "1.2.0", "1.10.0", "2.0.0", "3.0.0"):
                text = TEXT.format(namespace="shop", name="order", version=version)
                source = pb.TemplateSource(yaml=text, file_name="dir/order.yaml")
                do("RegisterTemplate", pb.RegisterTemplateRequest(source=source, source_uri="git:x"))
            message = pb.RegisterTemplateRequest()
            template = message.source.template
            template.name, template.namespace_name, template.version = "message", "shop", "1.0.0"
            step = template.steps.add(name="a")
            step.handler.callable = "A"
            do("RegisterTemplate", message)
            do("SetChannel", pb.SetChannelRequest(reference="shop/order", channel="stable", version="1.10.0"))
            do("SetChannel", pb.SetChannelRequest(reference="shop/order", channel="canary", version="2.0.0"))
            do("DeprecateTemplate", pb.DeprecateTemplateRequest(reference="shop/order:1.0.0", message="old", replacement="shop/order:^1.2"))
            do("YankTemplate", pb.YankTemplateRequest(reference="shop/order:1.2.0", reason="wrong"))
            do("YankTemplate", pb.YankTemplateRequest(reference="shop/order:3.0.0", reason="leaked"))
            do("PurgeTemplate", pb.PurgeTemplateRequest(reference="shop/order:3.0.0", reason="a key"))
            do("SetVersionPolicy", pb.SetVersionPolicyRequest(namespace_name="shop", policy=pb.VERSION_POLICY_WARN))

    def place(self, name):
        return pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / name

    def counts(self, server, *arguments):
        return json.loads(harness.ctl(server, "import", *arguments, "-o", "json").stdout)

    def refused(self, server, archive, code, *words):
        """Importing must end with this code and say these words; the registry must be as it was."""
        with tempfile.TemporaryDirectory() as folder:
            before, after = pathlib.Path(folder) / "before", pathlib.Path(folder) / "after"
            harness.ctl(server, "export", before)
            done = harness.ctl(server, "import", archive, check=False)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)
            harness.ctl(server, "export", after)
            self.assertEqual(files_of(before), files_of(after))

    def changed(self, change):
        """A copy of the archive, after change(folder)."""
        copy = self.place("changed")
        shutil.copytree(self.backup, copy)
        change(copy)
        return copy

    def index_changed(self, change):
        """A copy of the archive with change(lines of the index)."""

        def rewrite(folder):
            index = folder / "index.jsonl"
            lines = [json.loads(line) for line in index.read_text().splitlines()]
            change(lines)
            lines[-1] = {"item_count": len(lines) - 2}
            index.write_text("".join(json.dumps(line) + "\n" for line in lines))

        return self.changed(rewrite)

    def test_an_archive_holds_the_authors_files(self):
        for path in harness.EXAMPLES.glob("*.yaml"):
            self.assertIn(path.read_bytes(), files_of(self.backup).values(), path)
        self.assertEqual(
            (self.backup / "templates/shop/order/1.0.0.yaml").read_bytes().decode(),
            TEXT.format(namespace="shop", name="order", version="1.0.0"),
        )
        self.assertTrue((self.backup / "templates/shop/message/1.0.0.json").is_file())

    def test_an_import_is_the_same_registry_and_a_second_one_changes_nothing(self):
        with harness.Server() as target:
            first = self.counts(target, self.backup)
            self.assertEqual(first["created_versions"], len(list(harness.EXAMPLES.glob("*.yaml"))) + 5)
            self.assertEqual((first["set_channels"], first["created_tombstones"]), (2, 1))
            for name in ("again", "again.tar.gz"):
                harness.ctl(target, "export", self.place(name).parent / name)
            again = self.place("again")
            harness.ctl(target, "export", again)
            self.assertEqual(files_of(again), files_of(self.backup))
            second = self.counts(target, self.backup)
            self.assertEqual(second.pop("unchanged_versions"), first["created_versions"])
            self.assertEqual(set(second.values()), {0}, second)
            found = harness.ctl(target, "get", "shop/order:stable", "--source").stdout
            self.assertEqual(found, TEXT.format(namespace="shop", name="order", version="1.10.0").replace("\r\n", "\n"))
            self.restores_what_differs(target)
            self.refuses_other_content(target)

    def test_an_import_is_seen_at_once_by_who_asks_the_server_that_made_it(self):
        resolver, ResolverStub = STUBS["resolver"]
        with harness.Server() as target, target.channel() as channel:
            stub = ResolverStub(channel)

            def found(reference):
                request = resolver.ResolveTemplateRequest(reference=reference)
                try:
                    return stub.ResolveTemplate(request, timeout=harness.CALL_SECONDS).reference
                except grpc.RpcError as error:
                    return error.code().name

            references = ("shop/order", "shop/order:stable", "shop/order:1.0.0", "shop/message")
            text = TEXT.format(namespace="shop", name="order", version="0.1.0")
            RegistryStub(channel).RegisterTemplate(pb.RegisterTemplateRequest(source=pb.TemplateSource(yaml=text)))
            for _ in range(2):  # the second time from the server's memory
                before = [found(reference) for reference in references]
                self.assertEqual(before, ["shop/order:0.1.0", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"])
            harness.ctl(target, "import", self.backup)
            after = [found(reference) for reference in references]
            self.assertEqual(after, ["shop/order:2.0.0", "shop/order:1.10.0", "shop/order:1.0.0", "shop/message:1.0.0"])

    def restores_what_differs(self, target):
        with target.channel() as channel:
            stub = RegistryStub(channel)
            stub.RestoreTemplate(pb.RestoreTemplateRequest(reference="shop/order:1.2.0"))
            stub.YankTemplate(pb.YankTemplateRequest(reference="shop/order:2.0.0", reason="mistake"))
            stub.DeleteChannel(pb.DeleteChannelRequest(reference="shop/order", channel="stable"))
            stub.SetVersionPolicy(
                pb.SetVersionPolicyRequest(namespace_name="shop", policy=pb.VERSION_POLICY_NONE)
            )
        dry = self.counts(target, self.backup, "--dry-run")
        self.assertEqual((dry["set_states"], dry["set_channels"], dry["revision"]), (2, 1, 0))
        real = self.counts(target, self.backup)
        self.assertGreater(real.pop("revision"), dry.pop("revision"))
        self.assertEqual(real, dry)
        again = self.place("again")
        harness.ctl(target, "export", again)
        self.assertEqual(files_of(again), files_of(self.backup))

    def refuses_other_content(self, target):
        other = self.place("other.yaml")
        other.write_text(TEXT.format(namespace="shop", name="new", version="1.0.0"))
        harness.ctl(target, "register", other)
        archive = self.place("archive")
        harness.ctl(target, "export", archive)
        with harness.Server() as third:
            other.write_text(other.read_text() + "description: other\n")
            harness.ctl(third, "register", other)
            self.refused(third, archive, 3, "shop/new:1.0.0 is registered with other content")
            self.assertEqual(harness.ctl(third, "list").stdout.count("\n"), 1)

    def test_a_tarball_travels_through_a_pipe(self):
        with harness.Server() as target:
            command = [harness.BIN / "tasker-registryctl", "--timeout", "60s", "--server"]
            out = subprocess.Popen([*command, self.source.address, "export", "-"], stdout=subprocess.PIPE)
            done = subprocess.run(
                [*command, target.address, "import", "-"], stdin=out.stdout, capture_output=True, check=True
            )
            out.stdout.close()
            self.assertEqual(out.wait(harness.CALL_SECONDS), 0)
            self.assertIn(b"created_versions", done.stdout)
            ours, theirs = self.place("a.tar.gz"), self.place("b.tar.gz")
            harness.ctl(target, "export", theirs)
            harness.ctl(self.source, "export", ours)
            self.assertEqual(ours.read_bytes(), theirs.read_bytes())
            with tarfile.open(ours) as tar:
                names = {member.name for member in tar}
            self.assertEqual(names, {str(name) for name in files_of(self.backup)})

    def test_a_part_can_be_exported_and_what_does_not_exist_cannot(self):
        part = self.place("part")
        harness.ctl(self.source, "export", part, "--namespace", "shop", "--name", "mess")
        self.assertEqual(
            {str(name) for name in files_of(part)}, {"index.jsonl", "templates/shop/message/1.0.0.json"}
        )
        done = harness.ctl(self.source, "export", self.place("none"), "--namespace", "shopp", check=False)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("did you mean 'shop'", done.stderr)

    def test_what_is_wrong_with_an_archive_is_named_and_nothing_of_it_is_stored(self):
        text = "templates/shop/order/1.2.0.yaml"

        def tamper(folder):
            (folder / text).write_text((folder / text).read_text().replace("callable: A", "callable: B"))

        def swap(folder):
            shutil.copy(folder / "templates/shop/order/1.0.0.yaml", folder / text)

        def first(lines, kind):
            return next(i for i, line in enumerate(lines) if f"archived_{kind}" in line)

        with harness.Server() as target:
            name = "shop/order:1.2.0"
            self.refused(target, self.changed(tamper), 1, name, "the digest of its text is sha256:")
            self.refused(target, self.changed(swap), 1, name, "its text is that of shop/order:1.0.0")
            self.refused(target, self.changed(lambda f: (f / text).write_text("a: [")), 1, name, "YAML_SYNTAX")
            self.refused(target, self.changed(lambda f: (f / text).unlink()), 1, text)
            double = self.index_changed(lambda lines: lines.insert(2, lines[1]))
            self.refused(target, double, 1, "item 2", "it stands in the archive twice")
            early = self.index_changed(lambda lines: lines.insert(1, lines.pop(first(lines, "channel"))))
            self.refused(target, early, 1, "item 2", "it is out of order")

            def lose_version(lines):
                lines[:] = [line for line in lines if "shop/order:1.10.0" not in str(line)]

            self.refused(target, self.index_changed(lose_version), 1, "points at shop/order:1.10.0")

            def no_time(lines):
                del lines[first(lines, "version")]["archived_version"]["create_time"]

            self.refused(target, self.index_changed(no_time), 1, "create_time is missing")
            self.assertEqual(harness.ctl(target, "list").stdout, "")

    def test_a_purged_version_comes_back_from_an_archive_with_its_own_content_only(self):
        with harness.Server() as target:
            text = self.place("order.yaml")
            text.write_bytes(TEXT.format(namespace="shop", name="order", version="2.0.0").encode())
            harness.ctl(target, "register", text)
            with target.channel() as channel:
                stub = RegistryStub(channel)
                stub.YankTemplate(pb.YankTemplateRequest(reference="shop/order:2.0.0"))
                stub.PurgeTemplate(pb.PurgeTemplateRequest(reference="shop/order:2.0.0"))
            self.assertGreater(self.counts(target, self.backup)["created_versions"], 5)
            again = self.place("again")
            harness.ctl(target, "export", again)
            self.assertEqual(
                files_of(again).keys(), files_of(self.backup).keys(), "the version is back, its tombstone gone"
            )

    def test_a_call_that_breaks_off_stores_nothing(self):
        with harness.Server() as target, target.channel() as channel, self.source.channel() as from_channel:
            exported = RegistryStub(from_channel).ExportTemplates(pb.ExportTemplatesRequest())
            items = [response.item for response in exported]
            for count in range(len(items)):
                started = queue.SimpleQueue()

                def requests(count=count, started=started):
                    call = started.get(timeout=harness.CALL_SECONDS)
                    for item in items[:count]:
                        yield pb.ImportTemplatesRequest(item=item)
                    call.cancel()
                    yield pb.ImportTemplatesRequest(item=items[count])

                call = RegistryStub(channel).ImportTemplates.future(requests())
                started.put(call)
                with self.assertRaises((grpc.RpcError, grpc.FutureCancelledError)):
                    call.result(harness.CALL_SECONDS)
            self.assertEqual(harness.ctl(target, "list").stdout, "")


if __name__ == "__main__":
    unittest.main()
