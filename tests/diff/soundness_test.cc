#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "lib/diff/refuter.h"
#include "lib/diff/schema_containment.h"
#include "tests/diff/random_schema.h"

namespace tasker::diff {
namespace {

// How many pairs of schemas; TASKER_SOUNDNESS_PAIRS asks for another number, from TASKER_SOUNDNESS_SEED on.
int NumberFromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

TEST(ContainmentSoundnessTest, NoInstanceEverContradictsAVerdict) {
  const int pairs = NumberFromEnvironment("TASKER_SOUNDNESS_PAIRS", 10'000);
  const int seed = NumberFromEnvironment("TASKER_SOUNDNESS_SEED", 1);
  std::map<ContainmentVerdict, int> verdicts;
  for (int i = 0; i < pairs; ++i) {
    RandomSchemas random(static_cast<uint64_t>(seed) * 1'000'000'007 + static_cast<uint64_t>(i));
    const Json a = random.Document();
    Json b = random.Chance(4) ? random.Document() : random.Mutated(a);
    if (random.Chance(3)) b = random.Mutated(b);
    const auto a_schema = json_schema::Compile(a).schema;
    const auto b_schema = json_schema::Compile(b).schema;
    const Containment answer = CheckContainment(a, b);
    if (a_schema == nullptr || b_schema == nullptr) {
      ASSERT_EQ(answer.verdict, ContainmentVerdict::kUnknown);
      continue;
    }
    ++verdicts[answer.verdict];
    const std::string pair =
        "pair " + std::to_string(i) + "\nA " + base::CanonicalJson(a) + "\nB " + base::CanonicalJson(b);
    if (answer.verdict == ContainmentVerdict::kNotContained) {
      ASSERT_TRUE(answer.counterexample) << pair;
      ASSERT_EQ(a_schema->Validate(*answer.counterexample), json_schema::Verdict::kValid) << pair;
      ASSERT_EQ(b_schema->Validate(*answer.counterexample), json_schema::Verdict::kInvalid) << pair;
    }
    if (answer.verdict != ContainmentVerdict::kContained) {
      ASSERT_FALSE(answer.reason.empty()) << pair;
      continue;
    }
    SchemaDocument a_document(a, {});
    SchemaDocument b_document(b, {});
    const auto found = FindCounterexample(a_document, b_document);
    ASSERT_FALSE(found) << pair << "\ncontradicted by " << base::CanonicalJson(found.value_or(nullptr));
    for (int k = 0; k < 100; ++k) {
      const Json instance = random.Instance(k % 2);
      ASSERT_FALSE(a_schema->Validate(instance) == json_schema::Verdict::kValid &&
                   b_schema->Validate(instance) == json_schema::Verdict::kInvalid)
          << pair << "\ncontradicted by " << base::CanonicalJson(instance);
    }
  }
  const int contained = verdicts[ContainmentVerdict::kContained];
  const int refuted = verdicts[ContainmentVerdict::kNotContained];
  const int unknown = verdicts[ContainmentVerdict::kUnknown];
  std::cout << contained << " contained, " << refuted << " not contained, " << unknown << " unknown\n";
  // The test would prove nothing if every answer were the same.
  EXPECT_GT(contained, pairs / 20);
  EXPECT_GT(refuted, pairs / 20);
}

}  // namespace
}  // namespace tasker::diff
