#include "lib/registry/error.h"

#include <gtest/gtest.h>

#include "lib/registry/not_found.h"

namespace tasker::registry {
namespace {

TEST(ErrorTest, TheDetailTravelsInsideTheStatus) {
  const ErrorDetail detail{"WHY", {{"reference", "a/b:1.0.0"}, {"quote\"", "\n"}}, {{"source.name", "is wrong"}}};
  const absl::Status status = Error(absl::StatusCode::kNotFound, "gone", detail);
  const ErrorDetail read = DetailOf(status);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "gone");
  EXPECT_EQ(read.reason, detail.reason);
  EXPECT_EQ(read.metadata, detail.metadata);
  EXPECT_EQ(read.violations, detail.violations);
}

TEST(ErrorTest, AStatusWithoutDetailHasItsCodeAsReason) {
  EXPECT_EQ(DetailOf(absl::UnavailableError("x")).reason, "UNAVAILABLE");
  EXPECT_TRUE(DetailOf(absl::UnavailableError("x")).violations.empty());
}

TEST(ErrorTest, KeepsAtMostSoManyViolations) {
  ErrorDetail detail{"WHY", {}, {}};
  detail.violations.resize(3 * kMaxViolations, {"f", "d"});
  EXPECT_EQ(DetailOf(Error(absl::StatusCode::kInvalidArgument, "m", detail)).violations.size(), kMaxViolations);
}

struct NotFoundCase {
  const char* name;
  const char* reference;
  store::Neighbours neighbours;
  const char* reason;
  const char* message;
};

void PrintTo(const NotFoundCase& c, std::ostream* out) { *out << c.name; }

class NotFoundTest : public testing::TestWithParam<NotFoundCase> {};

TEST_P(NotFoundTest, NamesWhatIsMissingAndTheNearest) {
  const auto reference = tmpl::ParseReference(GetParam().reference);
  ASSERT_TRUE(reference.ok()) << reference.status();
  const absl::Status status = ReferenceNotFound(*reference, GetParam().neighbours);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DetailOf(status).reason, GetParam().reason);
  EXPECT_EQ(std::string(status.message()), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, NotFoundTest,
    testing::Values(
        NotFoundCase{"Namespace",
                     "payment/x",
                     {false, false, {"orders", "payments"}, {}, {}},
                     "NAMESPACE_NOT_FOUND",
                     "there is no namespace 'payment'; did you mean 'payments'?"},
        NotFoundCase{"EmptyRegistry", "a/x", {}, "NAMESPACE_NOT_FOUND", "there is no namespace 'a'"},
        NotFoundCase{"Template",
                     "p/refnd",
                     {true, false, {}, {"charge", "refund"}, {}},
                     "TEMPLATE_NOT_FOUND",
                     "namespace 'p' has no template 'refnd'; did you mean 'refund'?"},
        NotFoundCase{"NothingNear",
                     "p/zebra",
                     {true, false, {}, {"charge", "refund"}, {}},
                     "TEMPLATE_NOT_FOUND",
                     "namespace 'p' has no template 'zebra'; there is charge, refund"},
        NotFoundCase{"Version",
                     "p/x:1.0.1",
                     {true, true, {}, {}, {"1.0.0"}},
                     "VERSION_NOT_FOUND",
                     "p/x has no version 1.0.1; did you mean '1.0.0'?"},
        NotFoundCase{"Range",
                     "p/x:^30",
                     {true, true, {}, {}, {"2.0.0", "1.0.0"}},
                     "VERSION_NOT_FOUND",
                     "p/x has no version ^30; there is 2.0.0, 1.0.0"},
        NotFoundCase{"Channel",
                     "p/x:stable",
                     {true, true, {}, {}, {"1.0.0"}},
                     "CHANNEL_NOT_FOUND",
                     "p/x has no channel 'stable'"},
        NotFoundCase{"MisspeltChannel",
                     "p/x:stabel",
                     {true, true, {}, {}, {"1.0.0"}, {"canary", "stable"}},
                     "CHANNEL_NOT_FOUND",
                     "p/x has no channel 'stabel'; did you mean 'stable'?"},
        NotFoundCase{"AllYanked",
                     "p/x",
                     {true, true, {}, {}, {}, {}, true},
                     "VERSION_NOT_FOUND",
                     "p/x has no version that is not yanked"},
        NotFoundCase{"RangeOfYankedOnly",
                     "p/x:^1",
                     {true, true, {}, {}, {"2.0.0"}, {}, true},
                     "VERSION_NOT_FOUND",
                     "p/x has no version ^1 that is not yanked; there is 2.0.0"},
        NotFoundCase{
            "PurgedWithItsTemplate",
            "p/x:1.0.0",
            {true, false, {}, {}, {}, {}, false, store::Tombstone{"1.0.0", "leaked", absl::FromUnixSeconds(0)}},
            "VERSION_PURGED",
            "p/x:1.0.0 was purged at 1970-01-01T00:00:00Z (leaked)"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace tasker::registry
