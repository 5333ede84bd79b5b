#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/display.h"

namespace tasker::client {

using base::DisplayWidth;
using base::OneLine;

/// Rows under a header. Aligned and cut to a width for people, or plain for programs.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  /// REQUIRES: as many cells as the header has.
  void AddRow(std::vector<std::string> cells);

  /// Aligned columns without those that are empty in every row, the widest cut with '…' until a line fits `width`; the
  /// first column last.
  std::string Aligned(size_t width) const;

  /// One line per row without header, cells whole and separated by tabs.
  std::string Plain() const;

 private:
  Table Only(const std::vector<size_t>& columns) const;

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// Prints the table as stdout asks for: aligned on a terminal, plain elsewhere.
void PrintTable(const Table& table);

/// What becomes of values that are longer than the terminal is wide.
enum class LongValues {
  kWhole,    ///< the terminal breaks them, so that they can be copied
  kWrapped,  ///< broken at blanks, and indented: for values that are lists
};

/// Names with a value each, one per line: aligned on a terminal, separated by a tab elsewhere. Values are never cut.
void PrintRecord(const std::vector<std::pair<std::string, std::string>>& fields,
                 LongValues long_values = LongValues::kWhole);

}  // namespace tasker::client
