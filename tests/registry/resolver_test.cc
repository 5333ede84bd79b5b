#include "lib/registry/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

constexpr char kEnvironments[] =
    "task_handler: {callable: Task, initialization: {a: 1}}\n"
    "environments: {test: {task_handler: {initialization: {a: 2}}, steps: [{name: ALL, timeout_seconds: 7}]}}\n";

class ResolverTest : public RegistryTest {
 protected:
  absl::StatusOr<pb::ResolveTemplateResponse> Resolve(const pb::ResolveTemplateRequest& request) {
    return Decoded<pb::ResolveTemplateResponse>(resolver_.Resolve(request, absl::InfiniteFuture()));
  }
  absl::StatusOr<pb::ResolveTemplateResponse> Resolve(const std::string& reference,
                                                      const std::string& environment = "") {
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    request.set_environment(environment);
    return Resolve(request);
  }
  absl::StatusOr<pb::ResolveHandlerResponse> Handler(const std::string& step, const std::string& environment) {
    pb::ResolveHandlerRequest request;
    request.set_reference("payments/charge");
    request.set_step_name(step);
    request.set_environment(environment);
    return Decoded<pb::ResolveHandlerResponse>(resolver_.Resolve(request, absl::InfiniteFuture()));
  }
  template <typename Response>
  static absl::StatusOr<Response> Decoded(const absl::StatusOr<AnswerBytes>& bytes) {
    if (!bytes.ok()) return bytes.status();
    Response response;
    EXPECT_TRUE(response.ParseFromString(**bytes));
    return response;
  }
};

TEST_F(ResolverTest, EverySelectorPicksBySemanticPrecedence) {
  for (const char* version : {"1.9.0", "1.10.0", "2.0.0", "0.9.9"}) Register(Yaml("charge", version));
  EXPECT_EQ(Resolve("payments/charge:1.9.0")->reference(), "payments/charge:1.9.0");
  EXPECT_EQ(Resolve("payments/charge")->reference(), "payments/charge:2.0.0");
  EXPECT_EQ(Resolve("payments/charge:latest")->reference(), "payments/charge:2.0.0");
  EXPECT_EQ(Resolve("payments/charge:^1.2")->reference(), "payments/charge:1.10.0");
  EXPECT_EQ(Resolve("payments/charge:~1.9.0")->reference(), "payments/charge:1.9.0");
  EXPECT_EQ(Resolve("payments/charge:0")->reference(), "payments/charge:0.9.9");
  const std::string digest = Resolve("payments/charge:1.9.0")->digest();
  EXPECT_EQ(Resolve("payments/charge@" + digest)->reference(), "payments/charge:1.9.0");
}

TEST_F(ResolverTest, LatestIsNewAtOnce) {
  Register(Yaml("charge", "1.0.0"));
  EXPECT_EQ(Resolve("payments/charge")->reference(), "payments/charge:1.0.0");
  Register(Yaml("charge", "1.0.1"));
  EXPECT_EQ(Resolve("payments/charge")->reference(), "payments/charge:1.0.1");
}

TEST_F(ResolverTest, AppliesTheEnvironment) {
  Register(Yaml("charge", "1.0.0", kEnvironments));
  const auto test = Resolve("payments/charge", "test");
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_TRUE(test->environment_defined());
  EXPECT_EQ(test->template_().steps(0).timeout_seconds(), 7u);
  const auto other = Resolve("payments/charge", "moon");
  EXPECT_FALSE(other->environment_defined());
  EXPECT_FALSE(other->template_().steps(0).has_timeout_seconds());
  EXPECT_NE(other->resolution_digest(), test->resolution_digest());
  EXPECT_EQ(other->digest(), test->digest());
}

TEST_F(ResolverTest, AnExactAnswerIsFoundInMemoryAfterwards) {
  Register(Yaml("charge", "1.0.0"));
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge:1.0.0");
  EXPECT_FALSE(resolver_.Find(request));
  ASSERT_TRUE(resolver_.Resolve(request, absl::InfiniteFuture()).ok());
  const auto found = resolver_.Find(request);
  ASSERT_TRUE(found);
  EXPECT_EQ(**found, *resolver_.Resolve(request, absl::InfiniteFuture()));
  request.set_reference("payments/charge");
  ASSERT_TRUE(resolver_.Resolve(request, absl::InfiniteFuture()).ok());
  EXPECT_FALSE(resolver_.Find(request)) << "what latest means may change";
}

TEST_F(ResolverTest, AKnownResolutionIsNotSentAgain) {
  Register(Yaml("charge", "1.0.0"));
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge");
  const auto first = Resolve(request);
  request.set_if_not_digest(first->resolution_digest());
  const auto second = Resolve(request);
  EXPECT_TRUE(second->not_modified());
  EXPECT_FALSE(second->has_template_());
  request.set_if_not_digest("sha256:other");
  EXPECT_TRUE(Resolve(request)->has_template_());
}

TEST_F(ResolverTest, ARequiredEnvironmentMustBeDefined) {
  Register(Yaml("charge", "1.0.0", kEnvironments));
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge:1.0.0");
  request.set_environment("tset");
  EXPECT_TRUE(Resolve(request).ok());
  request.set_require_environment(true);
  for (int i = 0; i < 2; ++i) {  // from the database, from memory
    const auto refused = Resolve(request);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(std::string(refused.status().message()).find("did you mean 'test'?"), std::string::npos);
  }
}

TEST_F(ResolverTest, AHandlerCarriesWhatItsStepResolvesTo) {
  Register(Yaml("charge", "1.0.0", kEnvironments));
  const auto step = Handler("pay", "test");
  ASSERT_TRUE(step.ok()) << step.status();
  EXPECT_EQ(step->handler().callable(), "Pay");
  EXPECT_EQ(step->callable_kind(), pb::CALLABLE_KIND_CLASS);
  EXPECT_EQ(step->timeout_seconds(), 7u);
  EXPECT_EQ(step->retry_schedule_ms_size(), 3);
  EXPECT_EQ(step->retry_schedule_ms(1), 2000u);
  const auto task = Handler("", "test");
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(task->handler().initialization().fields().at("a").number_value(), 2);
  EXPECT_FALSE(task->has_retry());
}

TEST_F(ResolverTest, AHandlerWithNumbersBeyondDoublesCarriesThemExactly) {
  Register(
      "name: charge\nnamespace_name: payments\nversion: 1.0.0\n"
      "steps: [{name: pay, handler: {callable: Pay, initialization: {id: 9007199254740993}}}]\n");
  EXPECT_NE(Handler("pay", "")->exact_json().find("9007199254740993"), std::string::npos);
}

TEST_F(ResolverTest, UnknownStepsAndMissingTaskHandlersAreNotFound) {
  Register(Yaml("charge", "1.0.0"));
  EXPECT_EQ(DetailOf(Handler("pya", "").status()).reason, "STEP_NOT_FOUND");
  EXPECT_EQ(DetailOf(Handler("", "").status()).reason, "TASK_HANDLER_NOT_FOUND");
}

TEST_F(ResolverTest, RefusesWhatItCannotAnswer) {
  EXPECT_EQ(DetailOf(Resolve("nonsense").status()).reason, "REFERENCE_MALFORMED");
  EXPECT_EQ(DetailOf(Resolve("a/b", std::string(256, 'e')).status()).reason, "REQUEST_INVALID");
  pb::ResolveTemplateRequest request;
  request.set_reference("a/b");
  request.set_view(static_cast<pb::TemplateView>(9));
  EXPECT_EQ(Resolve(request).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Resolve("a/b").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ResolverTest, TogetherGivesWhatEachGetsAlone) {
  Register(Yaml("charge", "1.0.0", kEnvironments));
  Register(Yaml("refund", "1.0.0"));
  std::vector<pb::ResolveTemplateRequest> requests;
  for (const auto& [reference, environment] : {std::pair{"payments/charge:1.0.0", "test"},
                                               {"payments/refund:1.0.0", ""},
                                               {"payments/other:1.0.0", ""},
                                               {"payments/refund", ""},
                                               {"damaged", ""},
                                               {"payments/charge:1.0.0", ""}}) {
    requests.emplace_back().set_reference(reference);
    requests.back().set_environment(environment);
  }
  std::vector<const pb::ResolveTemplateRequest*> asked;
  for (const pb::ResolveTemplateRequest& request : requests) asked.push_back(&request);
  std::map<size_t, std::string> answers;
  const auto answer = [&](size_t i, const absl::StatusOr<AnswerBytes>& bytes) { answers[i] = **bytes; };
  resolver_.ResolveTogether(asked, absl::InfiniteFuture(), answer);
  // What is not simply there is left out, and so is what another caller asks for: here, the same one.
  EXPECT_THAT(answers, testing::UnorderedElementsAre(testing::Key(0), testing::Key(1)));
  for (const auto& [i, bytes] : answers) {
    EXPECT_EQ(bytes, **resolver_.Resolve(requests[i], absl::InfiniteFuture()));
  }
  resolver_.ResolveTogether(asked, absl::InfiniteFuture(), answer);
  EXPECT_THAT(answers, testing::UnorderedElementsAre(testing::Key(0), testing::Key(1), testing::Key(5)));
  EXPECT_TRUE(Resolve("payments/charge:1.0.0").ok());
}

TEST_F(ResolverTest, TogetherSaysWhatIsDeprecatedAndWhatIsRefused) {
  Register(Yaml("charge", "1.0.0"));
  pb::DeprecateTemplateRequest deprecate;
  deprecate.set_reference("payments/charge:1.0.0");
  deprecate.set_message("use another");
  ASSERT_TRUE(lifecycle_.Deprecate(deprecate, {}).ok());
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/charge:1.0.0");
  const pb::ResolveTemplateRequest* const asked[] = {&request};
  pb::ResolveTemplateResponse response;
  resolver_.ResolveTogether(asked, absl::InfiniteFuture(), [&](size_t, const absl::StatusOr<AnswerBytes>& bytes) {
    response = *Decoded<pb::ResolveTemplateResponse>(bytes);
  });
  EXPECT_EQ(response.state_notice().message(), "use another");
  request.set_environment("nowhere");
  request.set_require_environment(true);
  absl::Status refused;
  resolver_.ResolveTogether(asked, absl::InfiniteFuture(),
                            [&](size_t, const absl::StatusOr<AnswerBytes>& bytes) { refused = bytes.status(); });
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
}

}  // namespace
}  // namespace tasker::registry
