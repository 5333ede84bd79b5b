#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/issue.h"

namespace tasker::base {

/// Issues as a compiler prints them:
///
///     payments.yaml:42:7: error: step 'authorise' depends on 'validate', which does not exist
///     [STEP_DEPENDENCY_UNKNOWN]
///       42 |     dependencies: [validate]
///          |                    ^
///     help: did you mean 'validate_payment'?
///
/// `text` is the source the positions refer to; empty leaves the excerpt out. Lines are cut around the caret to about
/// 160 bytes, control characters are shown as '.', and tabs as one blank, so the caret stands under its word.
struct IssueTextOptions {
  bool color = false;  ///< ANSI colours
};

std::string IssueText(const Issue& issue, std::string_view file, std::string_view text, IssueTextOptions options = {});

/// All of `issues`, then a closing line when `omitted` > 0.
std::string IssueTexts(std::span<const Issue> issues, size_t omitted, std::string_view file, std::string_view text,
                       IssueTextOptions options = {});

}  // namespace tasker::base
