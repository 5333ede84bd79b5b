#include "lib/template/yaml_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

namespace tasker::tmpl {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string_view View(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

YamlEvents::YamlEvents(std::string_view text)
    : text_(text),
      ascii_(std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })),
      skipped_(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0) {
  if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
  yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
  const std::string_view input = text.substr(skipped_);
  yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(input.data()), input.size());
  cursor_.bytes = skipped_;
}

YamlEvents::~YamlEvents() {
  if (holds_event_) yaml_event_delete(&event_);
  yaml_parser_delete(&parser_);
}

std::optional<YamlEvent> YamlEvents::Next() {
  if (holds_event_) yaml_event_delete(&event_);
  holds_event_ = false;
  if (problem_) return std::nullopt;
  if (yaml_parser_parse(&parser_, &event_) == 0) {
    NoteProblem();
    return std::nullopt;
  }
  holds_event_ = true;
  YamlEvent out;
  out.position = ToPosition(event_.start_mark);
  switch (event_.type) {
    case YAML_STREAM_END_EVENT:
      return std::nullopt;
    case YAML_DOCUMENT_START_EVENT:
      out.kind = YamlEvent::Kind::kDocumentStart;
      break;
    case YAML_ALIAS_EVENT:
      out.kind = YamlEvent::Kind::kAlias;
      out.anchor = View(event_.data.alias.anchor);
      break;
    case YAML_SCALAR_EVENT: {
      const auto& scalar = event_.data.scalar;
      out.kind = YamlEvent::Kind::kScalar;
      out.text = std::string_view(reinterpret_cast<const char*>(scalar.value), scalar.length);
      out.tag = View(scalar.tag);
      out.anchor = View(scalar.anchor);
      out.plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr;
      break;
    }
    case YAML_SEQUENCE_START_EVENT:
      out.kind = YamlEvent::Kind::kListStart;
      out.tag = View(event_.data.sequence_start.tag);
      out.anchor = View(event_.data.sequence_start.anchor);
      break;
    case YAML_MAPPING_START_EVENT:
      out.kind = YamlEvent::Kind::kMapStart;
      out.tag = View(event_.data.mapping_start.tag);
      out.anchor = View(event_.data.mapping_start.anchor);
      break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      out.kind = YamlEvent::Kind::kEnd;
      break;
    default:
      break;
  }
  return out;
}

base::Position YamlEvents::ToPosition(const yaml_mark_t& mark) {
  if (ascii_) return {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
  if (mark.index < cursor_.characters) {
    cursor_ = Cursor();
    cursor_.bytes = skipped_;
  }
  while (cursor_.characters < mark.index && cursor_.bytes < text_.size()) {
    const char c = text_[cursor_.bytes];
    const bool ends_line = c == '\n' || (c == '\r' && text_.substr(cursor_.bytes + 1, 1) != "\n");
    do {
      ++cursor_.bytes;
    } while (cursor_.bytes < text_.size() && IsContinuation(text_[cursor_.bytes]));
    ++cursor_.characters;
    if (!ends_line) continue;
    ++cursor_.line;
    cursor_.line_start = cursor_.bytes;
  }
  return {cursor_.line, static_cast<int>(cursor_.bytes - cursor_.line_start) + 1};
}

void YamlEvents::NoteProblem() {
  if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
  const std::string_view what = parser_.problem == nullptr ? "unreadable" : parser_.problem;
  if (parser_.error == YAML_READER_ERROR) {
    // A character outside YAML's set; `problem_offset` counts the bytes of the input.
    const size_t offset = std::min(parser_.problem_offset + skipped_, text_.size());
    const std::string_view before = text_.substr(0, offset);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    problem_ = Problem{{static_cast<int>(line), static_cast<int>(offset - line_start) + 1},
                       fmt::format("{} (U+{:04X})", what, parser_.problem_value)};
    return;
  }
  const base::Position position = ToPosition(parser_.problem_mark);
  std::string message(what);
  if (parser_.context != nullptr) {
    const int line = ToPosition(parser_.context_mark).line;
    message += fmt::format(", {}", parser_.context);
    if (line != position.line) message += fmt::format(" that begins in line {}", line);
  }
  problem_ = Problem{position, std::move(message)};
}

}  // namespace tasker::tmpl
