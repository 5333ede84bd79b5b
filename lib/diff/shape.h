#pragma once

#include <span>
#include <string_view>

#include "lib/diff/diff.h"

namespace tasker::diff {

/// How two values of a key are compared.
enum class Comparison {
  kValue,        ///< as free-form JSON: objects by key, lists item by item
  kSchema,       ///< the same, but `required`, `enum` and `type` are sets
  kBlock,        ///< key by key as `Field::shape` says
  kSet,          ///< a list of plain values; order has no meaning
  kNamedBlocks,  ///< a list of blocks matched by their `name` (the n-th of a name with the n-th)
  kBlockMap,     ///< a map of blocks
};

struct Shape;

/// One key of a block of the template language.
struct Field {
  std::string_view key;
  Area area;
  Comparison comparison = Comparison::kValue;
  const Shape* shape = nullptr;  ///< of the block or blocks
};

/// The keys of a block, in the order in which changes are reported. Other keys are extensions.
struct Shape {
  std::span<const Field> fields;
};

/// A whole template in canonical JSON.
const Shape& TemplateShape();

}  // namespace tasker::diff
