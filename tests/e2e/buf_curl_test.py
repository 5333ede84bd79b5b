"""The server as a person with a generic gRPC client meets it: buf curl, which finds every message by reflection."""

import json
import subprocess
import unittest

import harness

SERVICES = {"tasker.registry.v1.RegistryService", "tasker.registry.v1.ResolverService"}
SERVICES |= {"tasker.registry.v1.CatalogService", "grpc.health.v1.Health"}
PAYMENT = "payments/credit_card_payment:1.0.0"


class BufCurlTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(harness.Server())
        text = (harness.EXAMPLES / "credit_card_payment.yaml").read_text(encoding="utf-8")
        cls.registered = cls.call("RegistryService/RegisterTemplate", {"source": {"yaml": text}})

    @classmethod
    def buf(cls, *arguments):
        command = [harness.BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=harness.CALL_SECONDS, check=False)

    @classmethod
    def call(cls, method, request):
        """The answer, or for a refused call its {code, message, details}."""
        full = method if method.startswith("grpc.") else "tasker.registry.v1." + method
        done = cls.buf("-d", json.dumps(request), f"http://{cls.server.address}/{full}")
        return json.loads(done.stdout if done.returncode == 0 else done.stderr)

    def test_reflection_lists_every_service(self):
        done = self.buf("--list-services", f"http://{self.server.address}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLessEqual(SERVICES, set(done.stdout.split()))

    def test_reflection_describes_every_method_it_lists(self):
        done = self.buf("--list-methods", f"http://{self.server.address}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tasker.registry.v1.ResolverService/ResolveTemplate", done.stdout.split())

    def test_registers_yaml_text(self):
        registration = self.registered["registration"]
        self.assertEqual(registration["reference"], PAYMENT)
        self.assertEqual(registration["outcome"], "REGISTRATION_OUTCOME_CREATED")
        self.assertEqual(int(self.registered["revision"]), 1)

    def test_resolves_the_payment_template_for_production(self):
        answer = self.call(
            "ResolverService/ResolveTemplate",
            {"reference": "payments/credit_card_payment", "environment": "production"},
        )
        self.assertEqual(answer["reference"], PAYMENT)
        self.assertTrue(answer["environmentDefined"])
        template = answer["template"]
        self.assertEqual(template["taskHandler"]["initialization"]["max_concurrency"], 100)
        self.assertEqual(template["taskHandler"]["initialization"]["timeout_ms"], 30000)
        check_fraud = next(step for step in template["steps"] if step["name"] == "check_fraud")
        self.assertEqual(check_fraud["handler"]["initialization"]["risk_threshold"], 0.9)
        self.assertTrue(check_fraud["handler"]["initialization"]["feature_flags"]["use_graph_analysis"])

    def test_an_unknown_template_is_not_found_and_names_the_nearest(self):
        error = self.call("ResolverService/ResolveTemplate", {"reference": "payments/credit_card_paymnet"})
        self.assertEqual(error["code"], "not_found")
        self.assertIn("credit_card_payment", error["message"])

    def test_other_content_under_the_same_version_already_exists(self):
        text = "name: credit_card_payment\nnamespace_name: payments\nversion: 1.0.0\n"
        text += "steps: [{name: pay, handler: {callable: Pay}}]\n"
        error = self.call("RegistryService/RegisterTemplate", {"source": {"yaml": text}})
        self.assertEqual(error["code"], "already_exists")

    def test_the_server_says_that_it_is_healthy(self):
        self.assertEqual(self.call("grpc.health.v1.Health/Check", {})["status"], "SERVING")


if __name__ == "__main__":
    unittest.main()
