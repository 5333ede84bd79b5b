// Whatever an old text says is in the new one or in the report: made-up texts from a fixed seed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/legacy/support.h"

namespace tasker::legacy {
namespace {

class Author {
 public:
  explicit Author(unsigned seed) : random_(seed) {}

  std::string Text() {
    std::string text =
        fmt::format("{}name: {}\n{}: {}\n", Colon(), Word(), Any({"namespace_name", "namespace"}), Word());
    static const std::vector<std::string> kTaskKeys = {"version",
                                                       "description",
                                                       "task_handler_class",
                                                       "class_name",
                                                       "module_namespace",
                                                       "handler_config",
                                                       "default_dependent_system",
                                                       "schema",
                                                       "input_schema",
                                                       "custom_events",
                                                       "named_steps",
                                                       "settings",
                                                       "metadata",
                                                       "concurrent",
                                                       "x-own",
                                                       "system_dependencies",
                                                       "domain_events",
                                                       "task_handler"};
    for (const std::string& key : kTaskKeys) {
      if (key == "version" ? Chance(2) : Chance(3)) text += fmt::format("{}{}: {}\n", Colon(), key, TaskValue(key));
    }
    text += "step_templates:\n";
    for (int i = 0; i < 3; ++i) {
      text += fmt::format("  - name: step{}\n    handler_class: {}\n", i, Word());
      text += StepKeys("    ");
    }
    text += "environments:\n";
    for (const std::string list : {"step_templates", "step_overrides", "steps"}) {
      text += fmt::format("  {}:\n    {}:\n", Word(), list);
      for (int i = 0; i < 3; ++i)
        text += fmt::format("      step{}:\n        zz: {}\n{}", i, Word(), StepKeys("        "));
      if (Chance(2)) text += fmt::format("    task_config: {}\n", Value(0));
      if (Chance(2)) text += fmt::format("    handler_config: {}\n", Value(0));
    }
    return text;
  }

 private:
  bool Chance(unsigned one_in) { return random_() % one_in == 0; }
  std::string Any(const std::vector<std::string>& choices) { return choices[random_() % choices.size()]; }
  std::string Colon() { return Chance(6) ? ":" : ""; }
  std::string Word() { return fmt::format("w{}", ++last_); }
  std::string Number() { return fmt::format("{}", 1000 + ++last_); }

  std::string Value(int depth) {
    switch (random_() % (depth > 2 ? 5 : 8)) {
      case 0:
        return Word();
      case 1:
        return depth == 0 ? ":" + Word() : Word();  // in brackets a colon cannot begin a word
      case 2:
        return Number();
      case 3:
        return Number() + ".5";
      case 4:
        return fmt::format("'{} # {}'", Word(), Word());
      case 5:
        return fmt::format("[{}, {}]", Value(depth + 1), Value(depth + 1));
      default:
        return fmt::format("{{{}: {}, {}: {}}}", Word(), Value(depth + 1), Word(), Value(depth + 1));
    }
  }

  std::string TaskValue(const std::string& key) {
    if (key == "version") return "3.2.1";
    if (key.ends_with("events"))
      return fmt::format("[{{name: {}, description: {}, topic: {}}}, {}]", Word(), Word(), Word(), Word());
    if (key == "named_steps") return fmt::format("[step0, {}, {{a: {}}}]", Word(), Word());
    if (key == "metadata") return fmt::format("{{author: {}, odd: {}}}", Word(), Value(1));
    if (key == "system_dependencies")
      return fmt::format("{{primary: {}, secondary: [{}], odd: {}}}", Word(), Word(), Word());
    if (key == "task_handler")
      return fmt::format("{{callable: {}, initialization: {{a: {}}}, odd: {}}}", Word(), Value(1), Word());
    return key == "handler_config" || Chance(5) ? Value(0) : Word();
  }

  std::string StepKeys(const std::string& indent) {
    static const std::vector<std::string> kKeys = {"description",
                                                   "handler_config",
                                                   "depends_on_step",
                                                   "depends_on_steps",
                                                   "depends_on",
                                                   "dependent_system",
                                                   "default_retryable",
                                                   "default_retry_limit",
                                                   "retry_limit",
                                                   "max_retries",
                                                   "retry_backoff",
                                                   "retry",
                                                   "timeout",
                                                   "timeout_seconds",
                                                   "skippable",
                                                   "custom_events",
                                                   "publishes_events",
                                                   "inputs",
                                                   "x-own"};
    std::string text;
    for (const std::string& key : kKeys) {
      if (Chance(3)) text += fmt::format("{}{}{}: {}\n", indent, Colon(), key, StepValue(key));
    }
    return text;
  }

  std::string StepValue(const std::string& key) {
    if (key == "default_retryable" || key == "skippable") return Any({"true", "no", "'false'", Word()});
    if (key == "retry_backoff") {
      return Any({"linear", ":fibonacci", Word(),
                  fmt::format("{{initial_delay: {}, max_delay: {}.25, multiplier: {}, jitter: {}}}", Number(), Number(),
                              Any({"2", "1.75"}), Word())});
    }
    if (key == "retry") {
      return fmt::format("{{max_attempts: {}, backoff_strategy: {}, backoff_base_seconds: {}, odd: {}}}", Number(),
                         Any({"linear", Word()}), Number(), Word());
    }
    if (key.starts_with("timeout") || key.ends_with("limit") || key == "max_retries")
      return Any({Number(), "'17'", Word(), Number() + ".5"});
    if (key.starts_with("depends"))
      return Any({"step0", "[step1, step2]", Word(), fmt::format("[{}, {{a: {}}}]", Word(), Word()), "two words"});
    if (key.ends_with("events")) return fmt::format("[{{name: {}, odd: {}}}, {}]", Word(), Word(), Word());
    return key == "handler_config" || Chance(5) ? Value(0) : Word();
  }

  std::mt19937 random_;
  int last_ = 0;
};

TEST(NothingLostTest, EveryScalarIsInTheNewTextOrInANote) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    const std::string old_text = Author(seed).Text();
    const Conversion conversion = MustConvert(old_text);
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << "\n" << old_text;
    ASSERT_THAT(Vanished(old_text, conversion), testing::IsEmpty())
        << "seed " << seed << "\n"
        << old_text << "\n"
        << conversion.yaml << NotesText(conversion.notes, "old");
    ASSERT_TRUE(MustConvert(conversion.yaml).already_new) << conversion.yaml;
  }
}

}  // namespace
}  // namespace tasker::legacy
