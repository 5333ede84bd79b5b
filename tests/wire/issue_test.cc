#include "lib/wire/issue.h"

#include <gtest/gtest.h>

#include <string>

namespace tasker::wire {
namespace {

TEST(IssueTest, ComesBackAsItWas) {
  const base::Issue issue{base::Severity::kWarning, "LINT", "/steps/0", {3, 7}, "odd", "mend it"};
  pb::Issue message;
  ToProto(issue, "a.yaml", message);
  EXPECT_EQ(message.file_name(), "a.yaml");
  EXPECT_EQ(FromProto(message), issue);
}

TEST(IssueTest, AnUnknownSeverityIsAnError) {
  pb::Issue message;
  message.set_severity(static_cast<pb::Severity>(99));
  EXPECT_EQ(FromProto(message).severity, base::Severity::kError);
}

TEST(CallableKindTest, EveryKindHasTheNameOfItsEnumerator) {
  for (int number = 1; number <= static_cast<int>(tmpl::CallableKind::kKey); ++number) {
    const auto kind = static_cast<tmpl::CallableKind>(number);
    std::string name(tmpl::CallableKindName(kind));
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(pb::CallableKind_Name(ToProto(kind)), "CALLABLE_KIND_" + name);
    EXPECT_EQ(FromProto(ToProto(kind)), kind);
  }
  EXPECT_EQ(ToProto(tmpl::CallableKind::kUnknown), pb::CALLABLE_KIND_UNSPECIFIED);
}

TEST(CallableKindTest, AFutureKindIsUnknown) {
  EXPECT_EQ(FromProto(static_cast<pb::CallableKind>(99)), tmpl::CallableKind::kUnknown);
}

}  // namespace
}  // namespace tasker::wire
