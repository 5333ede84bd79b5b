#include "lib/json_schema/instance_text.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <utility>

namespace tasker::json_schema {
namespace {

namespace bj = boost::json;

// Builds values with Boost's own stack, which is fast but drops duplicate keys; so their number is kept. All `on_…`
// return whether to go on.
class PlainHandler {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);

  explicit PlainHandler(bj::storage_ptr storage) : stack_(bj::storage_ptr(), buffer_, sizeof buffer_) {
    stack_.reset(std::move(storage));
  }

  bj::value Release() { return stack_.release(); }
  size_t members() const { return members_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }
  bool on_object_end(size_t n, bj::error_code&) {
    members_ += n;
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(size_t n, bj::error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(bj::string_view part, size_t, bj::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_key(bj::string_view part, size_t, bj::error_code&) {
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(bj::string_view part, size_t, bj::error_code&) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(bj::string_view part, size_t, bj::error_code&) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(bj::string_view, bj::error_code& error) { return Refuse(error); }
  bool on_int64(int64_t i, bj::string_view, bj::error_code&) {
    stack_.push_int64(i);
    return true;
  }
  bool on_uint64(uint64_t u, bj::string_view, bj::error_code&) {
    stack_.push_uint64(u);
    return true;
  }
  bool on_double(double, bj::string_view text, bj::error_code& error) {
    // Boost's double is off by an ulp for some inputs, and an integer beyond 64 bits is no double.
    if (text.find_first_of(".eE") == bj::string_view::npos) return Refuse(error);
    double exact = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), exact);
    if (failed != std::errc() || end != text.data() + text.size()) return Refuse(error);
    stack_.push_double(exact);
    return true;
  }
  bool on_bool(bool b, bj::error_code&) {
    stack_.push_bool(b);
    return true;
  }
  bool on_null(bj::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  static bool Refuse(bj::error_code& error) {
    error = bj::error::syntax;
    return false;
  }

  unsigned char buffer_[2048];
  bj::value_stack stack_;
  size_t members_ = 0;
};

size_t CountMembers(const bj::value& value) {
  size_t count = 0;
  if (value.is_object()) {
    count += value.get_object().size();
    for (const auto& member : value.get_object()) count += CountMembers(member.value());
  } else if (value.is_array()) {
    for (const bj::value& item : value.get_array()) count += CountMembers(item);
  }
  return count;
}

}  // namespace

std::optional<base::Json> ParsePlainJson(std::string_view text, bj::storage_ptr storage) {
  bj::parse_options options;
  options.max_depth = 512;  // as base::ParseJson
  bj::basic_parser<PlainHandler> parser(options, std::move(storage));
  bj::error_code error;
  const size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (error) return std::nullopt;
  if (used < text.size() && text.find_first_not_of(" \t\r\n", used) != std::string_view::npos) return std::nullopt;
  std::optional<base::Json> value(parser.handler().Release());
  if (CountMembers(*value) != parser.handler().members()) return std::nullopt;
  return value;
}

}  // namespace tasker::json_schema
