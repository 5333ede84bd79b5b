#pragma once

#include <string_view>

namespace tasker::tmpl {

/// What the shape of a callable reference says that it is.
enum class CallableKind {
  kUnknown,     ///< none of the shapes below
  kClass,       ///< Payments::Charge
  kMethod,      ///< Payments::Charge.run, Payments::Charge#run, pkg.module:function
  kDottedPath,  ///< pkg.module.Class
  kRustPath,    ///< payments::charge::Handler
  kProc,        ///< proc { … }, Proc.new { … }
  kLambda,      ///< -> (…) { … }, lambda { … }
  kKey,         ///< charge_card
};

/// Told by shape alone (the grammar stands in callable.cc). Surrounding blanks are ignored. Linear; never fails.
CallableKind DetectCallableKind(std::string_view callable);

/// "class", "method", "dotted_path", "rust_path", "proc", "lambda", "key" or "unknown".
std::string_view CallableKindName(CallableKind kind);

}  // namespace tasker::tmpl
