#include "client/answer.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "client/documents.h"
#include "client/table.h"

namespace tasker::client {

void PrintAnswer(const base::JsonObject& answer, OutputFormat format) {
  if (format != OutputFormat::kTable) return PrintDocument(answer, format);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [key, value] : answer) {
    std::string text = CellText(value);
    if (value.is_array()) {
      text.clear();
      for (const base::Json& item : value.get_array()) text += (text.empty() ? "" : ", ") + CellText(item);
    }
    fields.emplace_back(key, std::move(text));
  }
  PrintRecord(fields);
}

}  // namespace tasker::client
