"""The server as a worker and a deploy pipeline in Python meet it: grpcio from Debian and stubs made from the protos."""

import json
import unittest

import grpc
import harness

STUBS = harness.load_stubs()
registry, RegistryStub = STUBS["registry"]
resolver, ResolverStub = STUBS["resolver"]
catalog, CatalogStub = STUBS["catalog"]

CREATED = registry.REGISTRATION_OUTCOME_CREATED
UNCHANGED = registry.REGISTRATION_OUTCOME_UNCHANGED
EXAMPLE_REFERENCES = {
    "examples/callable_kinds:1.0.0",
    "mathematics/mathematical_sequence:1.0.0",
    "orders/diamond_workflow_handler:1.0.0",
    "payments/credit_card_payment:1.0.0",
    "publishing/linear_workflow_handler:1.0.0",
}
BROKEN = """\
name: broken
namespace_name: payments
version: 1.0.0
steps:
  - name: one
    handler: { callable: One }
    dependancies: [two]
"""


def example_sources():
    return [
        registry.TemplateSource(yaml=path.read_text(encoding="utf-8"), file_name=path.name)
        for path in sorted(harness.EXAMPLES.glob("*.yaml"))
    ]


class PythonClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        server = cls.enterClassContext(harness.Server())
        channel = cls.enterClassContext(server.channel())
        cls.registry, cls.resolver, cls.catalog = RegistryStub(channel), ResolverStub(channel), CatalogStub(channel)
        cls.registered = cls.register_examples()

    @classmethod
    def register_examples(cls):
        request = registry.RegisterTemplatesRequest(sources=example_sources(), source_revision="0a1b2c3")
        return cls.registry.RegisterTemplates(request, timeout=harness.CALL_SECONDS)

    def refusal(self, method, request):
        """The error with which a call is refused."""
        with self.assertRaises(grpc.RpcError) as caught:
            method(request, timeout=harness.CALL_SECONDS)
        return caught.exception

    def test_a_batch_registers_every_example_as_one_change(self):
        self.assertEqual({r.reference for r in self.registered.registrations}, EXAMPLE_REFERENCES)
        self.assertEqual({r.outcome for r in self.registered.registrations}, {CREATED})
        self.assertEqual(self.registered.revision, 1)

    def test_registering_the_same_again_changes_nothing(self):
        again = self.register_examples()
        self.assertEqual({r.outcome for r in again.registrations}, {UNCHANGED})
        self.assertEqual(
            [r.digest for r in again.registrations], [r.digest for r in self.registered.registrations]
        )

    def test_only_the_specifications_own_example_draws_warnings(self):
        warned = {r.reference for r in self.registered.registrations if r.issues}
        self.assertEqual(warned, {"payments/credit_card_payment:1.0.0"})

    def test_both_views_of_a_resolution_say_the_same(self):
        requests = [
            resolver.ResolveTemplateRequest(
                reference="orders/diamond_workflow_handler", environment="production", view=view
            )
            for view in (resolver.TEMPLATE_VIEW_STRUCTURED, resolver.TEMPLATE_VIEW_JSON)
        ]
        structured, text = [self.resolver.ResolveTemplate(r, timeout=harness.CALL_SECONDS) for r in requests]
        document = json.loads(text.template_json)
        self.assertEqual(structured.resolution_digest, text.resolution_digest)
        self.assertEqual([s.name for s in structured.template.steps], [s["name"] for s in document["steps"]])
        channels = structured.template.steps[3].handler.initialization["channels"]
        self.assertEqual(list(channels), document["steps"][3]["handler"]["initialization"]["channels"])
        self.assertEqual(list(channels), ["email", "sms"])

    def test_a_known_resolution_need_not_be_sent_again(self):
        request = resolver.ResolveTemplateRequest(reference="orders/diamond_workflow_handler", environment="production")
        first = self.resolver.ResolveTemplate(request, timeout=harness.CALL_SECONDS)
        request.if_not_digest = first.resolution_digest
        second = self.resolver.ResolveTemplate(request, timeout=harness.CALL_SECONDS)
        self.assertTrue(second.not_modified)
        self.assertFalse(second.HasField("template"))

    def test_an_undefined_environment_resolves_to_the_base_unless_it_is_required(self):
        request = resolver.ResolveTemplateRequest(reference="orders/diamond_workflow_handler", environment="moon")
        self.assertFalse(self.resolver.ResolveTemplate(request, timeout=harness.CALL_SECONDS).environment_defined)
        request.require_environment = True
        error = self.refusal(self.resolver.ResolveTemplate, request)
        self.assertIs(error.code(), grpc.StatusCode.FAILED_PRECONDITION)

    def test_a_handler_comes_with_its_kind_and_its_retry_schedule(self):
        request = resolver.ResolveHandlerRequest(
            reference="orders/diamond_workflow_handler", environment="production", step_name="reserve_stock"
        )
        answer = self.resolver.ResolveHandler(request, timeout=harness.CALL_SECONDS)
        self.assertEqual(answer.handler.callable, "orders.steps.ReserveStock")
        self.assertEqual(answer.callable_kind, resolver.CALLABLE_KIND_DOTTED_PATH)
        self.assertEqual(answer.system_dependency, "warehouse")
        self.assertEqual(list(answer.retry_schedule_ms), [500, 500, 1000, 1500, 2500])
        self.assertEqual([event.name for event in answer.publishes_events], ["stock.reserved"])

    def test_an_unknown_step_is_not_found_and_names_the_nearest(self):
        request = resolver.ResolveHandlerRequest(reference="orders/diamond_workflow_handler", step_name="reserve_stok")
        error = self.refusal(self.resolver.ResolveHandler, request)
        self.assertIs(error.code(), grpc.StatusCode.NOT_FOUND)
        self.assertIn("reserve_stock", error.details())

    def test_every_kind_of_callable_is_recognised(self):
        request = catalog.ListCallablesRequest(reference="examples/callable_kinds")
        uses = self.catalog.ListCallables(request, timeout=harness.CALL_SECONDS).callables
        kinds = {use.step_name or "(task)": resolver.CallableKind.Name(use.kind) for use in uses}
        prefix = "CALLABLE_KIND_"
        self.assertEqual(
            {step: kind.removeprefix(prefix) for step, kind in kinds.items()},
            {
                "(task)": "CLASS",
                "by_class": "CLASS",
                "by_class_method": "METHOD",
                "by_instance_method": "METHOD",
                "by_module_function": "METHOD",
                "by_dotted_path": "DOTTED_PATH",
                "by_rust_path": "RUST_PATH",
                "by_proc": "PROC",
                "by_lambda": "LAMBDA",
                "by_key": "KEY",
            },
        )

    def test_pages_hold_every_template_once_in_order(self):
        names, token = [], ""
        while True:
            request = catalog.ListTemplatesRequest(page_size=2, page_token=token)
            page = self.catalog.ListTemplates(request, timeout=harness.CALL_SECONDS)
            self.assertLessEqual(len(page.templates), 2)
            names += [summary.reference for summary in page.templates]
            token = page.next_page_token
            if not token:
                break
        self.assertEqual(names, sorted(EXAMPLE_REFERENCES))

    def test_a_summary_counts_the_steps(self):
        answer = self.catalog.ListTemplates(catalog.ListTemplatesRequest(), timeout=harness.CALL_SECONDS)
        counts = {summary.name: summary.step_count for summary in answer.templates}
        self.assertEqual((counts["callable_kinds"], counts["credit_card_payment"]), (9, 5))

    def test_a_stored_template_keeps_its_authors_text_and_where_it_came_from(self):
        request = catalog.GetTemplateRequest(reference="payments/credit_card_payment", include_source=True)
        answer = self.catalog.GetTemplate(request, timeout=harness.CALL_SECONDS)
        text = (harness.EXAMPLES / "credit_card_payment.yaml").read_text(encoding="utf-8")
        self.assertEqual(answer.source, text)
        self.assertEqual(answer.provenance.source_revision, "0a1b2c3")
        self.assertEqual(answer.provenance.file_name, "credit_card_payment.yaml")

    def test_validation_reports_the_place_and_what_was_meant(self):
        source = registry.TemplateSource(yaml=BROKEN, file_name="broken.yaml")
        request = registry.ValidateTemplateRequest(source=source)
        answer = self.registry.ValidateTemplate(request, timeout=harness.CALL_SECONDS)
        self.assertFalse(answer.valid)
        issue = next(issue for issue in answer.issues if issue.line == 7)
        self.assertEqual((issue.severity, issue.column), (registry.SEVERITY_ERROR, 5))
        self.assertIn("dependencies", issue.message + issue.hint)

    def test_an_invalid_template_is_refused_with_details_that_fit_into_the_trailers(self):
        steps = "".join(f"  - {{name: s{i}, handler: {{callable: X}}, unknown_key_{i}: 1}}\n" for i in range(500))
        text = f"name: broken\nnamespace_name: payments\nversion: 1.0.0\nsteps:\n{steps}"
        request = registry.RegisterTemplateRequest(source=registry.TemplateSource(yaml=text))
        error = self.refusal(self.registry.RegisterTemplate, request)
        self.assertIs(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertLessEqual(len(error.details()), 1024)
        details = dict(error.trailing_metadata())["grpc-status-details-bin"]
        self.assertIn(b"google.rpc.ErrorInfo", details)
        self.assertIn(b"google.rpc.BadRequest", details)
        self.assertLessEqual(len(details), 4096)

    def test_one_broken_item_keeps_the_whole_batch_out(self):
        good = BROKEN.replace("dependancies: [two]", "").replace("name: broken", "name: whole")
        sources = [registry.TemplateSource(yaml=text) for text in (good, BROKEN)]
        error = self.refusal(self.registry.RegisterTemplates, registry.RegisterTemplatesRequest(sources=sources))
        self.assertIs(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        error = self.refusal(self.catalog.GetTemplate, catalog.GetTemplateRequest(reference="payments/whole"))
        self.assertIs(error.code(), grpc.StatusCode.NOT_FOUND)

    def test_a_dry_run_stores_nothing(self):
        text = BROKEN.replace("dependancies: [two]", "").replace("name: broken", "name: rehearsed")
        request = registry.RegisterTemplateRequest(source=registry.TemplateSource(yaml=text), dry_run=True)
        answer = self.registry.RegisterTemplate(request, timeout=harness.CALL_SECONDS)
        self.assertEqual((answer.registration.outcome, answer.revision), (CREATED, 0))
        error = self.refusal(self.catalog.GetTemplate, catalog.GetTemplateRequest(reference="payments/rehearsed"))
        self.assertIs(error.code(), grpc.StatusCode.NOT_FOUND)


if __name__ == "__main__":
    unittest.main()
