"""tasker-registryctl against the real server: what its users see."""

import json
import pathlib
import sys
import tempfile
import unittest

import ctl

sys.path.insert(0, str(ctl.ROOT / "tests/e2e"))
import harness  # pylint: disable=wrong-import-position

PAYMENT = "payments/credit_card_payment"


class ServerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.registered = cls.run_ctl("register", str(harness.EXAMPLES), "--source-revision", "abc123")

    @classmethod
    def run_ctl(cls, *arguments, **options):
        return ctl.run("--server", cls.server.address, "--timeout", "60s", *arguments, **options)

    def document(self, *arguments):
        done = self.run_ctl(*arguments, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_registers_the_examples_and_shows_their_warnings(self):
        self.assertEqual(self.registered.returncode, 0, self.registered.stderr)
        rows = [line.split("\t") for line in self.registered.stdout.splitlines()]
        self.assertEqual({row[0] for row in rows}, {"created"})
        self.assertIn(f"{PAYMENT}:1.0.0", [row[1] for row in rows])
        self.assertIn("credit_card_payment.yaml:31:7: warning:", self.registered.stderr)

    def test_registering_again_changes_nothing(self):
        answer = self.document("register", str(harness.EXAMPLES))
        self.assertEqual({row["outcome"] for row in answer["registrations"]}, {"unchanged"})

    def test_exports_and_imports_show_on_a_terminal_how_far_they_are(self):
        server = ("--server", self.server.address, "--timeout", "60s")
        archive = self.folder / "shown.tar.gz"
        self.assertIn("exporting", ctl.on_terminal(*server, "export", archive))
        self.assertIn("importing", ctl.on_terminal(*server, "import", "--dry-run", archive))

    def test_the_log_says_who_registered_what_when_and_from_where(self):
        rows = self.document("log", PAYMENT, "--kind", "register")
        shown = [(row["kind"], row["version"], row["source_revision"]) for row in rows]
        self.assertEqual(shown, [("REGISTER", "1.0.0", "abc123")])
        self.assertEqual(self.document("log", "nowhere"), [])
        self.assertEqual(self.document("log", PAYMENT, "--kind", "yank,set-version-policy", "--limit", "0"), [])
        self.assertEqual(len(self.document("log", "--limit", "2")), 2)
        revisions = [row["revision"] for row in self.document("log", "--oldest-first", "--from", "0", "--limit", "0")]
        self.assertEqual(revisions, sorted(revisions))
        done = self.run_ctl("log", "--kind", "dance")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("register, set-channel", done.stderr)

    def test_a_watch_that_cannot_begin_says_why(self):
        done = self.run_ctl("watch", "--from", "999999999")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("not there yet", done.stderr)
        self.assertEqual(self.run_ctl("watch", "payments/refund:1.0.0").returncode, 3)
        self.assertEqual(ctl.run("--server", "localhost:1", "--timeout", "1s", "watch").returncode, 4)

    def test_a_dry_run_stores_nothing(self):
        path = self.folder / "dry.yaml"
        path.write_text(ctl.GOOD.replace("pay", "dry"))
        done = self.run_ctl("register", "--dry-run", str(path))
        self.assertEqual((done.returncode, done.stdout.split("\t")[:2]), (0, ["created", "shop/dry:1.0.0"]))
        self.assertEqual(self.run_ctl("get", "shop/dry").returncode, 3)

    def test_a_batch_with_a_mistake_is_refused_whole_and_all_its_issues_are_shown(self):
        good, bad, worse = (self.folder / name for name in ("good.yaml", "bad.yaml", "worse.yaml"))
        good.write_text(ctl.GOOD.replace("pay", "whole"))
        bad.write_text(ctl.BAD)
        worse.write_text(ctl.GOOD + "  - {name: b, handler: {callable: B}, dependencies: [c, d]}\n")
        done = self.run_ctl("register", str(good), str(bad), str(worse))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for place in (f"{bad}:3:10: error", f"{bad}:4:1: error", f"{worse}:6:"):
            self.assertIn(place, done.stderr)
        self.assertEqual(self.run_ctl("get", "shop/whole").returncode, 3)

    def test_other_content_under_a_registered_version_is_refused_by_the_server(self):
        path = self.folder / "other.yaml"
        path.write_text(ctl.GOOD.replace("pay", "taken"))
        self.assertEqual(self.run_ctl("register", str(path)).returncode, 0)
        path.write_text(ctl.GOOD.replace("pay", "taken").replace("callable: A", "callable: B"))
        done = self.run_ctl("register", str(path))
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("shop/taken:1.0.0", done.stderr)

    def test_resolves_for_an_environment_as_json_yaml_and_table(self):
        document = self.document("resolve", PAYMENT, "-e", "production")
        self.assertEqual(document["reference"], f"{PAYMENT}:1.0.0")
        self.assertIs(document["environment_defined"], True)
        [fraud] = [step for step in document["template"]["steps"] if step["name"] == "check_fraud"]
        self.assertEqual(fraud["handler"]["initialization"]["ml_model_version"], "2.1.0-prod")
        as_yaml = self.run_ctl("resolve", PAYMENT, "-e", "production").stdout
        self.assertIn('ml_model_version: 2.1.0-prod\n', as_yaml)
        as_table = self.run_ctl("resolve", PAYMENT, "-e", "production", "-o", "table").stdout
        self.assertIn("check_fraud\tPaymentProcessing::FraudCheckHandler\tvalidate_payment\t", as_table)

    def test_an_undefined_environment_is_noted_or_refused(self):
        done = self.run_ctl("resolve", PAYMENT, "-e", "prodution")
        self.assertEqual(done.returncode, 0)
        self.assertIn("does not define environment 'prodution'", done.stderr)
        self.assertEqual(self.run_ctl("resolve", PAYMENT, "-e", "prodution", "--require-environment").returncode, 3)

    def test_handler_shows_what_runs_a_step_and_when_it_is_retried(self):
        document = self.document("handler", PAYMENT, "check_fraud", "-e", "production")
        self.assertEqual(document["handler"]["callable"], "PaymentProcessing::FraudCheckHandler")
        self.assertEqual((document["callable_kind"], document["retry_schedule_ms"]), ("class", [2000, 4000]))
        self.assertEqual(document["handler"]["initialization"]["risk_threshold"], 0.9)
        task = self.document("handler", PAYMENT)
        self.assertEqual(task["handler"]["callable"], "PaymentProcessing::CreditCardPaymentHandler")
        self.assertEqual(self.run_ctl("handler", PAYMENT, "nonsense").returncode, 3)

    def test_get_shows_the_template_where_it_came_from_and_its_source(self):
        document = self.document("get", PAYMENT)
        self.assertEqual(document["provenance"]["source_revision"], "abc123")
        self.assertEqual(document["template"]["name"], "credit_card_payment")
        source = self.run_ctl("get", PAYMENT, "--source", text=False).stdout
        self.assertEqual(source, (harness.EXAMPLES / "credit_card_payment.yaml").read_bytes())

    def test_lists_templates_versions_and_callables(self):
        [summary] = self.document("list", "--namespace", "payments", "--name", "credit")
        self.assertEqual(summary["reference"], f"{PAYMENT}:1.0.0")
        self.assertEqual([row["version"] for row in self.document("versions", PAYMENT)], ["1.0.0"])
        callables = self.document("callables", PAYMENT)["callables"]
        self.assertEqual(len(callables), 6)
        self.assertEqual(callables[0], {"callable": "PaymentProcessing::CreditCardPaymentHandler", "kind": "class",
                                        "step_name": "", "method": ""})  # fmt: skip

    def test_lists_say_channels_states_and_versions_and_search_text(self):
        [summary] = self.document("list", "--text", "credit paym", "--state", "active")
        self.assertEqual((summary["name"], summary["state"], summary["channels"], summary["version_count"]),
                         ("credit_card_payment", "active", [], 1))  # fmt: skip
        self.assertEqual(self.document("list", "--text", "'; nothing (has) & this"), [])
        self.assertEqual(self.document("versions", PAYMENT, "--state", "yanked"), [])
        self.assertEqual(self.run_ctl("list", "--state", "gone").returncode, 2)

    def test_usages_of_callables_events_and_systems(self):
        [usage] = self.document("usages", "--callable", "PaymentProcessing::FraudCheckHandler")
        self.assertEqual(usage, {"reference": f"{PAYMENT}:1.0.0", "term": "PaymentProcessing::FraudCheckHandler",
                                 "role": "step handler", "step_name": "check_fraud", "environment": "",
                                 "state": "active"})  # fmt: skip
        everywhere = self.document("usages", "--callable", "PaymentProcessing::", "--prefix", "--all-versions")
        self.assertEqual(len(everywhere), 6)
        roles = {row["role"] for row in self.document("usages", "--system", "payment_gateway")}
        self.assertEqual(roles, {"primary system", "step's system"})
        roles = {row["role"] for row in self.document("usages", "--event", "payment.authorized")}
        self.assertEqual(roles, {"declares", "publishes"})
        done = self.run_ctl("usages", "--system", "nothing")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("nobody uses it", done.stderr)
        for wrong in ((), ("--system", "a", "--event", "b")):
            self.assertEqual(self.run_ctl("usages", *wrong).returncode, 2)

    def test_check_callables_ends_with_1_when_something_is_missing(self):
        rows = self.document("callables", PAYMENT)["callables"]
        callables = [row["callable"] for row in rows]
        path = self.folder / "callables.txt"
        path.write_text("\n".join(callables) + "\n\n")
        done = self.run_ctl("check-callables", "--template", PAYMENT, str(path))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn("1 of 1 template can run whole", done.stderr)
        check = ("check-callables", "--namespace", "payments")
        done = self.run_ctl(*check, input="\r\n  ".join(callables[:-1]))
        self.assertEqual(done.returncode, 1)
        missing = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual([row[:3] for row in missing if row[0] == f"{PAYMENT}:1.0.0"],
                         [[f"{PAYMENT}:1.0.0", rows[-1]["step_name"], callables[-1]]])  # fmt: skip
        answer = json.loads(self.run_ctl(*check, "-o", "json", input="").stdout)
        self.assertIs(answer[0]["runnable"], False)
        self.assertEqual(self.run_ctl(*check, str(self.folder / "missing")).returncode, 1)
        self.assertEqual(self.run_ctl("check-callables", "--template", "payments/nothing", str(path)).returncode, 3)

    def test_namespaces_and_events(self):
        spaces = {row["name"]: row for row in self.document("namespaces")}
        self.assertIn("payment_gateway", spaces["payments"]["system_dependencies"])
        self.assertEqual([row["name"] for row in self.document("namespaces", "--name", "paym")], ["payments"])
        [event] = self.document("events", "--namespace", "payments", "--name", "payment.auth")
        self.assertEqual((event["event_name"], event["reference"]), ("payment.authorized", f"{PAYMENT}:1.0.0"))
        self.assertEqual(event["schema"]["type"], "object")

    def test_tables_of_lists_fit_a_terminal(self):
        for command in (("list",), ("versions", PAYMENT), ("namespaces",), ("events",),
                        ("usages", "--callable", "P", "--prefix")):  # fmt: skip
            lines = ctl.on_terminal("--server", self.server.address, *command).splitlines()
            self.assertGreater(len(lines), 1)
            self.assertLessEqual(max(len(line) for line in lines), 80, command)

    def test_an_input_that_fits_ends_with_0_from_a_file_or_stdin(self):
        text = json.dumps({"card_number": "4111111111111111", "cvv": "123", "amount": 19.99, "currency": "EUR",
                           "customer_id": 7})  # fmt: skip
        path = self.folder / "input.json"
        path.write_text(text)
        for file, stdin in ((str(path), ""), ("-", text)):
            done = self.run_ctl("check-input", PAYMENT, file, input=stdin)
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertIn(f"valid for {PAYMENT}:1.0.0", done.stderr)

    def test_an_input_that_does_not_fit_ends_with_1_and_a_line_for_each_reason(self):
        text = '{"card_number": "4111", "cvv": "123", "amount": 0.001, "currency": "EUR"}'
        done = self.run_ctl("check-input", PAYMENT, "-", input=text)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = sorted(line.split(" ")[0] + " " + line.split(" ")[-1] for line in done.stdout.splitlines())
        self.assertEqual(lines, ["<stdin>#/amount: [minimum]", "<stdin>#/card_number: [pattern]",
                                 "<stdin>#: [required]"])  # fmt: skip
        self.assertIn("3 errors", done.stderr)
        answer = json.loads(self.run_ctl("check-input", PAYMENT, "-", "-o", "json", input=text).stdout)
        self.assertEqual((answer["reference"], answer["valid"]), (f"{PAYMENT}:1.0.0", False))
        self.assertEqual({error["schema_pointer"] for error in answer["errors"]},
                         {"/required", "/properties/amount/minimum", "/properties/card_number/pattern"})  # fmt: skip

    def test_an_events_payload_is_checked_and_an_unknown_event_refused(self):
        fine = '{"order_id": 9007199254740993, "authorization_id": "a", "amount": 1, "currency": "USD"}'
        check = ("check-event", PAYMENT, "payment.authorized", "-")
        self.assertEqual(self.run_ctl(*check, input=fine).returncode, 0)
        done = self.run_ctl(*check, input=fine.replace('"USD"', '"usd"'))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"\A<stdin>#/currency: .*usd.* \[enum\]\n\Z")
        done = self.run_ctl("check-event", PAYMENT, "payment.authorised", "-", input=fine)
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("did you mean 'payment.authorized'?", done.stderr)

    def test_a_payload_that_cannot_be_read_ends_with_1(self):
        for file, text, message in (("-", '{"a": 1,}', "byte"), ("-", "", "byte"), (str(self.folder), "", "folder"),
                                    (str(self.folder / "missing"), "", "no such file")):  # fmt: skip
            done = self.run_ctl("check-input", PAYMENT, file, input=text)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn(message, done.stderr)
        self.assertEqual(self.run_ctl("check-input", PAYMENT).returncode, 2)
        self.assertEqual(self.run_ctl("check-input", "payments/unknown", "-", input="{}").returncode, 3)

    def register(self, name, version="1.0.0", *options):
        path = self.folder / f"{name}-{version}.yaml"
        path.write_text(ctl.GOOD.replace("pay", name).replace("1.0.0", version))
        return self.run_ctl("register", str(path), *options)

    def test_channels_are_set_while_registering_and_moved_if_nobody_else_did(self):
        self.assertEqual(self.register("moving", "1.0.0", "--channel", "stable", "--channel", "canary").returncode, 0)
        self.assertEqual(self.register("moving", "1.1.0").returncode, 0)
        self.assertEqual(self.document("resolve", "shop/moving:canary")["reference"], "shop/moving:1.0.0")
        moved = self.document("channel", "set", "shop/moving", "stable", "^1", "--expect", "1.0.0")
        self.assertEqual((moved["old_version"], moved["version"]), ("1.0.0", "1.1.0"))
        lost = self.run_ctl("channel", "set", "shop/moving", "stable", "1.0.0", "--expect", "1.0.0")
        self.assertEqual((lost.returncode, lost.stdout), (3, ""))
        self.assertIn("points at 1.1.0", lost.stderr)
        self.assertEqual(self.run_ctl("channel", "set", "shop/moving", "stable", "1.0.0", "--new").returncode, 3)
        self.assertEqual(self.run_ctl("channel", "set", "shop/moving", "latest", "1.0.0").returncode, 3)
        done = self.run_ctl("channel", "delete", "shop/moving", "canary")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("old_version\t1.0.0\n", done.stdout)
        self.assertEqual(self.run_ctl("resolve", "shop/moving:canary").returncode, 3)

    def test_a_channel_rolls_back_to_where_it_pointed_and_shows_its_history(self):
        self.register("rolling", "1.0.0", "--channel", "stable")
        new = self.run_ctl("channel", "rollback", "shop/rolling", "stable")
        self.assertEqual((new.returncode, new.stdout), (3, ""))
        self.assertIn("did not exist before its last move", new.stderr)
        self.register("rolling", "1.1.0", "--channel", "stable")
        back = self.document("channel", "rollback", "shop/rolling", "stable")
        self.assertEqual((back["old_version"], back["version"]), ("1.1.0", "1.0.0"))
        [channel] = self.document("channel", "list", "shop/rolling")
        self.assertEqual((channel["channel"], channel["version"], channel["state"]), ("stable", "1.0.0", "active"))
        self.run_ctl("channel", "delete", "shop/rolling", "stable")
        history = self.document("channel", "list", "shop/rolling", "--history", "stable")
        self.assertEqual([move["version"] for move in history], ["", "1.0.0", "1.1.0", "1.0.0"])
        self.assertEqual(self.run_ctl("channel", "rollback", "shop/rolling", "stable").returncode, 3)

    def test_wrong_channel_commands_are_usage_errors(self):
        for arguments in ([], ["set"], ["set", "shop/x:1.0.0", "stable", "1.0.0"], ["list", "--history", "stable"],
                          ["set", "shop/x", "stable", "1.0.0", "--new", "--expect", "1.0.0"],
                          ["set", "shop/x", b"\xff", "1.0.0"]):  # fmt: skip
            self.assertEqual(self.run_ctl("channel", *arguments).returncode, 2, arguments)

    def test_states_show_as_notices_until_the_version_is_restored(self):
        self.register("stated")
        exact = "shop/stated:1.0.0"
        answer = self.document("deprecate", exact, "--message", "too slow", "--replacement", "shop/stated:^2")
        self.assertEqual((answer["reference"], answer["state"]), (exact, "deprecated"))
        for command in (["resolve", exact], ["handler", exact, "a"], ["get", exact]):
            done = self.run_ctl(*command, "-o", "json")
            self.assertEqual(json.loads(done.stdout)["state_notice"]["message"], "too slow")
            self.assertRegex(done.stderr, f"{exact} is deprecated since .* \\(too slow\\); use shop/stated:\\^2\n")
        self.assertEqual(self.run_ctl("channel", "set", "shop/stated", "stable", "1.0.0").returncode, 0)
        done = self.run_ctl("yank", exact, "--reason", "charges twice", "-o", "json")
        self.assertEqual(json.loads(done.stdout)["channels"], ["stable"])
        self.assertIn("channel 'stable' points at shop/stated:1.0.0", done.stderr)
        done = self.run_ctl("resolve", "shop/stated:stable")
        self.assertEqual(done.returncode, 3)
        self.assertIn("charges twice", done.stderr)
        self.assertEqual(self.document("restore", exact)["state"], "active")
        self.assertNotIn("state_notice", self.document("get", exact))
        self.assertEqual(self.document("get", exact)["channels"], ["stable"])
        self.assertEqual(self.run_ctl("yank", "shop/stated").returncode, 3)

    def test_a_purge_needs_a_yes_and_says_so_ever_after(self):
        self.register("purged")
        exact = "shop/purged:1.0.0"
        self.assertEqual(self.run_ctl("purge", exact).returncode, 2)
        self.assertEqual(self.run_ctl("purge", exact, "--yes").returncode, 3)
        self.run_ctl("yank", exact)
        done = self.run_ctl("purge", exact, "--yes", "--reason", "holds a secret")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"reference\t{exact}\n", done.stdout)
        done = self.run_ctl("get", exact)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"was purged at .* \(holds a secret\)")
        path = self.folder / "purged-other.yaml"
        path.write_text(ctl.GOOD.replace("pay", "purged").replace("callable: A", "callable: B"))
        done = self.run_ctl("register", str(path))
        self.assertEqual(done.returncode, 3)
        self.assertIn("only the content of before may return", done.stderr)

    def test_a_policy_is_set(self):
        answer = self.document("policy", "fresh", "warn")
        self.assertEqual((answer["old_policy"], answer["policy"]), ("none", "warn"))
        self.assertEqual(self.run_ctl("policy", "fresh", "sometimes").returncode, 2)

    def test_an_unknown_template_ends_with_3_and_the_nearest(self):
        done = self.run_ctl("get", "payments/credit_card_paymnet")
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertIn("credit_card_payment", done.stderr)

    def test_version_asks_the_server_when_told_to(self):
        self.assertRegex(self.document("version", "--server-info")["server_version"], r"^\d+\.\d+\.\d+")


if __name__ == "__main__":
    unittest.main()
