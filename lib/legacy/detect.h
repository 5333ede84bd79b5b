#pragma once

#include "lib/template/document.h"

/// Private to lib/legacy.
namespace tasker::legacy {

enum class Format {
  kNew,    ///< this format, perhaps with mistakes: nothing to convert
  kOld,    ///< a key of the old format, or a Ruby symbol, in a place where the new format would not have it
  kOther,  ///< no template: no map, or one that lists no steps
};

/// Looks only where the language fixes the keys: not into configuration, schemas or metadata.
Format DetectFormat(tmpl::Node root);

}  // namespace tasker::legacy
