#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::client {

/// Columns of a terminal that `text` takes: two for wide East Asian characters, none for combining marks. REQUIRES:
/// well-formed UTF-8. The C locale's character type must be a UTF-8 one (main sets it).
size_t DisplayWidth(std::string_view text);

/// `text` with every control character, line ends included, made a blank: what others registered must not steer the
/// reader's terminal.
std::string OneLine(std::string_view text);

/// Rows under a header. Aligned and cut to a width for people, or plain for programs.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  /// REQUIRES: as many cells as the header has.
  void AddRow(std::vector<std::string> cells);

  /// Aligned columns, the widest cut with '…' until a line fits `width`; the first column last.
  std::string Aligned(size_t width) const;

  /// One line per row without header, cells whole and separated by tabs.
  std::string Plain() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

/// Prints the table as stdout asks for: aligned on a terminal, plain elsewhere.
void PrintTable(const Table& table);

/// Names with a value each, one per line: aligned on a terminal, separated by a tab elsewhere. Values stay whole.
void PrintRecord(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace tasker::client
