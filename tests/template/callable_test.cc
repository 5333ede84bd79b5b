#include "lib/template/callable.h"

#include <gtest/gtest.h>

namespace tasker::tmpl {
namespace {

TEST(CallableKindTest, FollowsTheShape) {
  struct Case {
    const char* callable;
    CallableKind kind;
  };
  using enum CallableKind;
  const Case cases[] = {
      {"PaymentHandler", kClass},
      {"Payments::Charge", kClass},
      {"  Payments::Charge\n", kClass},
      {"A::B::C1_x", kClass},
      {"Payments::Charge.run", kMethod},
      {"Payments::Charge#run!", kMethod},
      {"Charge.run", kMethod},
      {"Charge#run?", kMethod},
      {"pkg.module:function", kMethod},
      {"module:function", kMethod},
      {"pkg.module:Class.method", kMethod},
      {"pkg.module.Class#method", kMethod},
      {"payments::charge.run", kMethod},
      {"pkg.module.Class", kDottedPath},
      {"pkg.module.function", kDottedPath},
      {"ResolverTests.StepHandlers.Handler", kDottedPath},
      {"Foo.Bar", kDottedPath},
      {"payments::charge::Handler", kRustPath},
      {"crate::run", kRustPath},
      {"Payments::charge", kRustPath},
      {"proc { |t, s, st| t }", kProc},
      {"proc{|t| t }", kProc},
      {"proc do |t| t end", kProc},
      {"Proc.new { |t| t }", kProc},
      {"Proc.new(&:call)", kProc},
      {"->(task, sequence, step) { step }", kLambda},
      {"-> { 1 }", kLambda},
      {"lambda { |t| t }", kLambda},
      {"lambda do |t| t end", kLambda},
      {"charge_card", kKey},
      {"charge-card", kKey},
      {"team/charge_card", kKey},
      {"process", kKey},
      {"lambda_handler", kKey},
      {"processor", kKey},
      {"lambdas.charge", kDottedPath},
      {"1st", kKey},
      {"", kUnknown},
      {"   ", kUnknown},
      {"Payments::", kUnknown},
      {"::Payments", kUnknown},
      {"a..b", kUnknown},
      {"two words", kUnknown},
      {"Payments::Charge.", kUnknown},
      {"pkg:", kUnknown},
      {"${HANDLER}", kUnknown},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CallableKindName(DetectCallableKind(c.callable)), CallableKindName(c.kind)) << c.callable;
  }
}

TEST(CallableKindTest, TakesAMegabyte) {
  EXPECT_EQ(DetectCallableKind(std::string(1 << 20, ':')), CallableKind::kUnknown);
  EXPECT_EQ(DetectCallableKind(std::string(1 << 20, 'a')), CallableKind::kKey);
}

}  // namespace
}  // namespace tasker::tmpl
