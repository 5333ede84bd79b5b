#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

/// Texts that were written to do harm: each is answered clearly, within a second of processor time and 64 MiB.
namespace tasker::validate {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(NDEBUG)
constexpr bool kMeasures = false;  // such a build says nothing about time and size
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMeasures = false;
#else
constexpr bool kMeasures = true;
#endif
#else
constexpr bool kMeasures = true;
#endif

constexpr double kMaxCpuMs = 1000;
constexpr long kMaxKib = 64 * 1024;
constexpr size_t kMiB = size_t{1} << 20;
constexpr std::string_view kHead = "name: a\nnamespace_name: b\nversion: 1.0.0\n";
constexpr std::string_view kSteps = "steps: [{name: s, handler: {callable: c}}]\n";

std::string Repeated(std::string_view piece, size_t bytes) {
  std::string out;
  out.reserve(bytes + piece.size());
  while (out.size() + piece.size() <= bytes) out += piece;
  return out;
}

// `item(i)` for each i below `count`.
template <typename Item>
std::string Each(int count, Item item) {
  std::string out;
  for (int i = 0; i < count; ++i) out += item(i);
  return out;
}

std::string Whole(std::string_view rest) { return std::string(kHead) + std::string(kSteps) + std::string(rest); }

std::string Steps(int count) {
  return std::string(kHead) + "steps:\n" +
         Each(count, [](int i) { return fmt::format("- {{name: s{}, handler: {{callable: c}}}}\n", i); });
}

std::string AliasBomb() {
  std::string out = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    out += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  return out;
}

struct Hostile {
  const char* name;
  std::string text;
  const char* code;  // of the first issue; "-": it is fine

  // A case by its name in place of its text of megabytes.
  friend void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }
};

using namespace std::string_literals;

std::vector<Hostile> Texts() {
  return {
      {"AliasBomb", AliasBomb(), "YAML_TOO_MANY_NODES"},
      {"AliasBombInBytes", "a: &a '" + std::string(kMiB, 'x') + "'\nb: [" + Repeated("*a,", 2 * kMiB) + "]\n",
       "YAML_TOO_LARGE"},
      {"MergeBomb", "a: &a {x: 1}\nb: {<<: [" + Repeated("*a,", 3 * kMiB) + "]}\n", "YAML_TOO_MANY_NODES"},
      {"AliasCycle", Whole("x-a: &a [*a]\n"), "YAML_ALIAS_CYCLE"},
      {"OpenBrackets", std::string(100'000, '['), "YAML_TOO_DEEP"},
      {"ClosedBrackets", std::string(100'000, '[') + std::string(100'000, ']'), "YAML_TOO_DEEP"},
      {"OpenBraces", Repeated("{a: ", 400'000), "YAML_TOO_DEEP"},
      {"NestedDashes", Repeated("- ", 200'000), "YAML_TOO_DEEP"},
      {"NestedQuestionMarks", Repeated("? ", 200'000), "YAML_KEY_NOT_TEXT"},
      {"Indentation", Each(2500, [](int i) { return std::string(static_cast<size_t>(i), ' ') + "a:\n"; }),
       "YAML_TOO_DEEP"},
      {"OneWord", std::string(4 * kMiB, 'a'), "TEMPLATE_NOT_A_MAP"},
      {"TooLarge", std::string(4 * kMiB + 1, 'a'), "YAML_TOO_LARGE"},
      {"LineFeeds", std::string(4 * kMiB, '\n'), "TEMPLATE_NOT_A_MAP"},
      {"Blanks", std::string(4 * kMiB, ' '), "TEMPLATE_NOT_A_MAP"},
      {"Hashes", std::string(4 * kMiB, '#'), "TEMPLATE_NOT_A_MAP"},
      {"Colons", Repeated(": ", 4 * kMiB), "YAML_SYNTAX"},
      {"Commas", "[" + std::string(4 * kMiB - 1, ','), "YAML_SYNTAX"},
      {"Quotes", std::string(4 * kMiB, '"'), "YAML_SYNTAX"},
      {"SingleQuotes", std::string(4 * kMiB, '\''), "TEMPLATE_NOT_A_MAP"},
      {"Percents", std::string(4 * kMiB, '%'), "YAML_SYNTAX"},
      {"TagDirectives", Each(200'000, [](int i) { return fmt::format("%TAG !{}! x\n", i); }), "YAML_TAG"},
      {"Documents", Repeated("---\n", 4 * kMiB), "YAML_MULTIPLE_DOCUMENTS"},
      {"Anchors", "[" + Each(300'000, [](int i) { return fmt::format("&a{} x,", i); }) + "]", "TEMPLATE_NOT_A_MAP"},
      {"Escapes", "\"" + Repeated("\\L", 4 * kMiB - 2) + "\"", "YAML_TOO_LARGE"},
      {"LiteralLines", Whole("description: |\n" + Repeated(" x\n", 3 * kMiB)), "-"},
      {"OneLongLine", Whole("description: " + Repeated("word ", 2 * kMiB) + "\n"), "-"},
      {"OneLineTemplate",
       "{name: a, namespace_name: b, version: 1.0.0, steps: [" +
           Each(10'000, [](int i) { return fmt::format("{{name: s{}, handler: {{callable: c}}}},", i); }) + "]}",
       "-"},
      {"JsonOnOneLine", Whole("x-list: [" + Repeated("{\"a\": 1},", 2 * kMiB) + "]\n"), "-"},
      {"ListOfNumbers", Whole("x-list: [" + Repeated("1,", 1'960'000) + "]\n"), "-"},
      {"MillionKeys", "{" + Each(660'000, [](int i) { return fmt::format("{:x},", i); }) + "}", "YAML_TOO_MANY_NODES"},
      {"UnknownKeys", Whole(Each(330'000, [](int i) { return fmt::format("k{}: 1\n", i); })), "KEY_UNKNOWN"},
      {"FreeFormKeys", Whole("x-map: {" + Each(400'000, [](int i) { return fmt::format("{:x}: 1,", i); }) + "}\n"),
       "-"},
      {"NestedMaps", Whole("x-map: {" + Each(220'000, [](int i) { return fmt::format("{:x}: {{b: 1}},", i); }) + "}\n"),
       "-"},
      {"NotAscii", Whole("x-list: [" + Repeated("\xC3\xA9,", 2 * kMiB) + "]\n"), "-"},
      {"DuplicateKeys", "{" + Repeated("a: 1,", 2 * kMiB) + "}", "YAML_DUPLICATE_KEY"},
      {"DuplicateKeyDeepInside", Whole("x-a: {b: [{c: {d: 1, d: 2}}]}\n"), "YAML_DUPLICATE_KEY"},
      {"InvalidUtf8", Whole("x-a: \"\xC3\x28\"\n"), "YAML_INVALID_UTF8"},
      {"Surrogate", Whole("x-a: \"\xED\xA0\x80\"\n"), "YAML_INVALID_UTF8"},
      {"Utf16", "\xFF\xFEn\0a\0"s, "YAML_INVALID_UTF8"},
      {"Nul", Whole("x-a: b\0c\n"s), "YAML_NUL"},
      {"EscapedNul", Whole("x-a: \"b\\0c\"\n"), "YAML_NUL"},
      {"ControlCharacter", Whole("x-a: b\x01\n"), "YAML_SYNTAX"},
      {"LongKey", std::string(kMiB, 'k') + ": 1\n", "YAML_SYNTAX"},
      {"HugeInteger", Whole("x-a: " + std::string(3 * kMiB, '9') + "\n"), "NUMBER_TOO_LARGE"},
      {"HugeExponent", Whole("x-a: 1e" + std::string(3 * kMiB, '9') + "\n"), "NUMBER_NOT_FINITE"},
      {"LongFraction", Whole("x-a: 1." + std::string(3 * kMiB, '9') + "\n"), "-"},
      {"NotANumber", Whole("x-a: .nan\n"), "NUMBER_NOT_FINITE"},
      {"BinaryTag", Whole("x-a: !!binary aGVsbG8=\n"), "YAML_TAG"},
      {"ByteOrderMark", "\xEF\xBB\xBF" + Whole(""), "-"},
      {"CarriageReturns",
       "name: a\r\nnamespace_name: b\r\nversion: 1.0.0\r\nsteps: [{name: s, handler: {callable: c}}]\r\n", "-"},
      {"TabIndentation", Whole("x-a:\n\tb: 1\n"), "YAML_SYNTAX"},
      {"TooManySteps", Steps(80'000), "STEPS_TOO_MANY"},
      {"EachStepDependsOnAllBefore",
       std::string(kHead) + "steps:\n" +
           Each(1300,
                [](int i) {
                  return fmt::format("- {{name: {}, handler: {{callable: c}}, dependencies: [{}]}}\n", i,
                                     Each(i, [](int j) { return fmt::format("{},", j); }));
                }),
       "-"},
      {"EachStepDependsOnAllOthers",
       std::string(kHead) + "steps:\n" +
           Each(900,
                [](int i) {
                  return fmt::format("- {{name: {}, handler: {{callable: c}}, dependencies: [{}]}}\n", i,
                                     Each(900, [i](int j) { return j == i ? "" : fmt::format("{},", j); }));
                }),
       "STEP_CYCLE"},
      {"CircleOfAllSteps",
       std::string(kHead) + "steps:\n" +
           Each(10'000,
                [](int i) {
                  return fmt::format("- {{name: s{}, handler: {{callable: c}}, dependencies: [s{}]}}\n", i,
                                     (i + 1) % 10'000);
                }),
       "STEP_CYCLE"},
      {"MisspeltDependencies",
       std::string(kHead) + "steps:\n" +
           Each(9000,
                [](int i) {
                  return fmt::format("- {{name: {1}{0}, handler: {{callable: c}}, dependencies: [{2}{0}]}}\n", i,
                                     std::string(150, 'q'), std::string(149, 'q'));
                }),
       "STEP_DEPENDENCY_UNKNOWN"},
      {"LargeOverrideOfAllSteps",
       Steps(10'000) + "environments: {e: {steps: [{name: ALL, handler: {initialization: {a: '" +
           std::string(2 * kMiB, 'x') + "'}}}]}}\n",
       "RESOLUTION_TOO_LARGE"},
      {"ManyOverridesOfAllSteps",
       Steps(10'000) + "environments:\n" +
           Each(60'000,
                [](int i) { return fmt::format("  e{}: {{steps: [{{name: ALL, timeout_seconds: 9}}]}}\n", i); }),
       "RESOLUTION_TOO_LARGE"},
      {"ManyEnvironments",
       Whole(
           "environments:\n" +
           Each(70'000, [](int i) { return fmt::format("  e{}: {{steps: [{{name: s, timeout_seconds: 9}}]}}\n", i); })),
       "-"},
      {"InexactIntegers",
       Whole("x-map: {" + Each(150'000, [](int i) { return fmt::format("{:x}: 9007199254740993,", i); }) + "}\n"),
       "INTEGER_INEXACT"},
      {"LargeSchema", Whole("input_schema: {enum: [" + Repeated("1,", 1'900'000) + "]}\n"), "SCHEMA_TOO_LARGE"},
      {"UnknownKeywords",
       Whole("input_schema: {" + Each(90'000, [](int i) { return fmt::format("kw{}: 1,", i); }) + "}\n"), "-"},
      {"MisspeltKeywords", Whole("input_schema: {allOf: [" + Repeated("{requried: 1},", 600'000) + "]}\n"),
       "SCHEMA_KEYWORD_UNKNOWN"},
      {"Patterns",
       Whole("input_schema:\n  properties:\n" +
             Each(45'000,
                  [](int i) { return fmt::format("    p{}: {{pattern: '^[a-z]{{{}}}x?(ab|cd)*$'}}\n", i, i % 100); })),
       "-"},
      {"ManySchemas",
       std::string(kHead) + "steps:\n" +
           Each(10'000,
                [](int i) {
                  return fmt::format(
                      "- {{name: s{}, handler: {{callable: c}}, result_schema: {{properties: {{a: {{type: integer, "
                      "default: x}}}}}}}}\n",
                      i);
                }),
       "SCHEMA_VALUE_REFUSED"},
  };
}

class HostileTextTest : public testing::TestWithParam<Hostile> {};

TEST_P(HostileTextTest, IsAnsweredQuicklyInLittleMemory) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / fmt::format("hostile_{}_{}", ::getpid(), GetParam().name);
  std::ofstream(file, std::ios::binary) << GetParam().text;
  std::FILE* const probe = ::popen(fmt::format("'{}' < '{}'", HOSTILE_PROBE, file.string()).c_str(), "r");
  ASSERT_NE(probe, nullptr);
  std::string output;
  for (int c = std::fgetc(probe); c != EOF; c = std::fgetc(probe)) output += static_cast<char>(c);
  EXPECT_EQ(::pclose(probe), 0);
  std::filesystem::remove(file);

  std::istringstream in(output);
  std::string code;
  double cpu_ms = 0;
  long kib = 0;
  ASSERT_TRUE(in >> code >> cpu_ms >> kib) << output;
  EXPECT_EQ(code, GetParam().code);
  RecordProperty("cpu_ms", static_cast<int>(cpu_ms));
  RecordProperty("kib", static_cast<int>(kib));
  if (!kMeasures) return;
  EXPECT_LT(cpu_ms, kMaxCpuMs);
  EXPECT_LT(kib, kMaxKib);
}

INSTANTIATE_TEST_SUITE_P(Texts, HostileTextTest, testing::ValuesIn(Texts()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace tasker::validate
