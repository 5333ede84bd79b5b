// Nothing is lost between text, model, canonical JSON and protobuf: generated templates and, where it is there, the
// corpus of real ones (TASKER_CORPUS names its folder, ../shared/corpus is looked at otherwise).
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/wire/task_template.h"

namespace tasker::wire {
namespace {

namespace fs = std::filesystem;

// Makes templates in which every field may be there or not, with values that protobuf finds hard.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  tmpl::TaskTemplate Template() {
    tmpl::TaskTemplate t;
    t.name = "t";
    t.namespace_name = "n";
    t.version = "1.2.3";
    Maybe(t.description, [&] { return Text(); });
    if (Coin()) t.metadata = Metadata();
    if (Coin()) t.task_handler = Handler();
    if (Coin()) t.system_dependencies.primary = Text();
    if (Coin()) t.system_dependencies.secondary = {Text(), Text()};
    for (int i = Number(3); i > 0; --i) t.domain_events.push_back(Event());
    Maybe(t.input_schema, [&] { return Value(); });
    Maybe(t.lifecycle, [&] { return Value(); });
    for (int i = Number(4); i >= 0; --i) t.steps.push_back(Step());
    for (int i = Number(3); i > 0; --i) t.environments[Text()] = Environment();
    t.extensions = Extensions();
    return t;
  }

 private:
  bool Coin() { return random_() % 2 == 0; }
  int Number(int below) { return static_cast<int>(random_() % static_cast<uint32_t>(below)); }
  template <typename Field, typename Make>
  void Maybe(std::optional<Field>& field, const Make& make) {
    if (Coin()) field = make();
  }

  std::string Text() {
    const char* const texts[] = {"a", "ü€𝄞", "x y\n\"z\\", "", "\x01\x7f", "true", "1.0", "~"};
    return texts[Number(8)] + std::to_string(random_() % 1000);
  }

  // Never null: for an optional field that is absence.
  base::Json Value(int depth = 0) {
    switch (Number(depth > 4 ? 7 : 9)) {
      case 0:
        return base::Json(Coin());
      case 1:
        return base::Json(int64_t{Number(2000)} - 1000);
      case 2:
        return base::Json((int64_t{1} << 53) - 2 + Number(4));
      case 3:
        return base::Json(uint64_t{0xffffffffffffffff} - random_());
      case 4:
        return base::Json(static_cast<double>(Number(1000)) / 8);
      case 5:
        return base::Json(static_cast<double>(random_()) * 1e290);
      case 6:
        return base::Json(Text());
      case 7: {
        base::JsonArray array;
        for (int i = Number(4); i > 0; --i) array.push_back(Coin() ? base::Json(nullptr) : Value(depth + 1));
        return array;
      }
      default:
        return Object(depth + 1);
    }
  }

  base::JsonObject Object(int depth = 0) {
    base::JsonObject object;
    for (int i = Number(4); i > 0; --i) object[Text()] = Coin() ? Value(depth) : base::Json(nullptr);
    return object;
  }

  base::JsonObject Extensions() {
    base::JsonObject object;
    if (Number(4) == 0) object["x-note"] = Value();
    return object;
  }

  tmpl::TemplateMetadata Metadata() {
    tmpl::TemplateMetadata m;
    Maybe(m.author, [&] { return Text(); });
    if (Coin()) m.tags = {Text(), Text()};
    Maybe(m.created_at, [&] { return std::string("2024-01-01T00:00:00Z"); });
    m.extensions = Extensions();
    return m;
  }

  tmpl::HandlerDefinition Handler() {
    tmpl::HandlerDefinition h;
    h.callable = Text();
    h.initialization = Object();
    Maybe(h.method, [&] { return Text(); });
    Maybe(h.resolver, [&] { return Text(); });
    h.extensions = Extensions();
    return h;
  }

  tmpl::RetryConfiguration Retry() {
    tmpl::RetryConfiguration r;
    r.retryable = Coin();
    r.limit = static_cast<uint32_t>(Number(100));
    r.backoff = static_cast<tmpl::BackoffStrategy>(Number(4));
    Maybe(r.backoff_base_ms, [&] { return uint64_t{random_()}; });
    Maybe(r.max_backoff_ms, [&] { return uint64_t{random_()}; });
    r.extensions = Extensions();
    return r;
  }

  tmpl::DomainEventDefinition Event() {
    tmpl::DomainEventDefinition e;
    e.name = Text();
    Maybe(e.description, [&] { return Text(); });
    Maybe(e.schema, [&] { return Value(); });
    e.extensions = Extensions();
    return e;
  }

  tmpl::PublishedEvent Published() {
    tmpl::PublishedEvent e;
    e.name = Text();
    if (Coin()) return e;
    Maybe(e.condition, [&] { return Text(); });
    Maybe(e.schema, [&] { return Value(); });
    Maybe(e.delivery_mode, [&] { return Text(); });
    Maybe(e.publisher, [&] { return Text(); });
    e.extensions = Extensions();
    return e;
  }

  tmpl::StepDefinition Step() {
    tmpl::StepDefinition s;
    s.name = Text();
    Maybe(s.description, [&] { return Text(); });
    s.handler = Handler();
    Maybe(s.type, [&] { return static_cast<tmpl::StepType>(Number(5)); });
    Maybe(s.system_dependency, [&] { return Text(); });
    if (Coin()) s.dependencies = {Text(), Text()};
    s.retry = Coin() ? Retry() : tmpl::DefaultRetry();
    Maybe(s.timeout_seconds, [&] { return static_cast<uint32_t>(random_()); });
    for (int i = Number(3); i > 0; --i) s.publishes_events.push_back(Published());
    if (Coin()) s.batch_config = Batch();
    Maybe(s.result_schema, [&] { return Value(); });
    Maybe(s.lifecycle, [&] { return Value(); });
    Maybe(s.composition, [&] { return Value(); });
    s.extensions = Extensions();
    return s;
  }

  tmpl::BatchConfig Batch() {
    tmpl::BatchConfig b;
    Maybe(b.batch_size, [&] { return uint64_t{random_()}; });
    Maybe(b.parallelism, [&] { return uint64_t{random_()}; });
    Maybe(b.worker_template, [&] { return Text(); });
    b.extensions = Extensions();
    return b;
  }

  tmpl::HandlerOverride Override() {
    tmpl::HandlerOverride h;
    Maybe(h.initialization, [&] { return Object(); });
    h.extensions = Extensions();
    return h;
  }

  tmpl::EnvironmentOverride Environment() {
    tmpl::EnvironmentOverride e;
    if (Coin()) e.task_handler = Override();
    for (int i = Number(3); i > 0; --i) {
      tmpl::StepOverride& s = e.steps.emplace_back();
      s.name = Text();
      if (Coin()) s.handler = Override();
      Maybe(s.timeout_seconds, [&] { return static_cast<uint32_t>(random_()); });
      if (Coin()) s.retry = Retry();
      s.extensions = Extensions();
    }
    e.extensions = Extensions();
    return e;
  }

  std::mt19937 random_;
};

pb::TaskTemplate OverTheWire(const pb::TaskTemplate& message) {
  pb::TaskTemplate back;
  EXPECT_TRUE(back.ParseFromString(message.SerializeAsString()));
  return back;
}

void ExpectNothingLost(const tmpl::TaskTemplate& tmpl) {
  const std::string canonical = tmpl::CanonicalText(tmpl);
  const absl::StatusOr<base::Json> json = base::ParseJson(canonical);
  ASSERT_TRUE(json.ok()) << json.status() << "\n" << canonical;
  const absl::StatusOr<tmpl::TaskTemplate> stored = tmpl::TemplateFromJson(*json);
  ASSERT_TRUE(stored.ok()) << stored.status() << "\n" << canonical;
  EXPECT_EQ(*stored, tmpl) << canonical;
  pb::TaskTemplate message = OverTheWire(ToProto(*stored));
  const absl::StatusOr<tmpl::TaskTemplate> back = FromProto(message);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, tmpl) << canonical;
  const bool needed = message.has_exact_json();
  message.clear_exact_json();
  const absl::StatusOr<tmpl::TaskTemplate> structured = FromProto(message);
  ASSERT_TRUE(structured.ok()) << structured.status();
  EXPECT_EQ(*structured != tmpl, needed) << canonical;
}

TEST(RoundTripTest, GeneratedTemplatesLoseNothing) {
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ExpectNothingLost(Generator(seed).Template());
    if (testing::Test::HasFailure()) return;
  }
}

TEST(RoundTripTest, RealTemplatesLoseNothing) {
  const char* const named = std::getenv("TASKER_CORPUS");
  const fs::path corpus = named != nullptr ? fs::path(named) : fs::path(TASKER_SOURCE_DIR) / ".." / "shared" / "corpus";
  if (!fs::exists(corpus / "templates")) {
    GTEST_SKIP() << "no corpus at " << corpus << "; set TASKER_CORPUS to its folder to run this test";
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(corpus / "templates")) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    base::IssueList issues;
    const auto loaded = tmpl::LoadTemplate(text, {.keep_unknown_keys = true, .limits = {}}, issues);
    ASSERT_TRUE(loaded) << issues.Sorted()[0].message;
    ExpectNothingLost(loaded->tmpl);
  }
}

}  // namespace
}  // namespace tasker::wire
