#include "lib/json_schema/unicode_property.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace tasker::json_schema {
namespace {

struct Alias {
  std::string_view name;
  std::string_view value;
};

// Unicode's PropertyValueAliases for General_Category, as far as RE2 has the category.
constexpr Alias kCategories[] = {
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Math_Symbol", "Sm"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Space_Separator", "Zs"},
};

// The four-letter codes of the scripts most asked for; all scripts are known by their full names.
constexpr Alias kScripts[] = {
    {"Arab", "Arabic"},   {"Armn", "Armenian"}, {"Beng", "Bengali"}, {"Cyrl", "Cyrillic"}, {"Deva", "Devanagari"},
    {"Geor", "Georgian"}, {"Grek", "Greek"},    {"Hang", "Hangul"},  {"Hani", "Han"},      {"Hebr", "Hebrew"},
    {"Hira", "Hiragana"}, {"Kana", "Katakana"}, {"Latn", "Latin"},   {"Taml", "Tamil"},    {"Thai", "Thai"},
};

template <size_t N>
std::string_view Lookup(const Alias (&aliases)[N], std::string_view name) {
  for (const Alias& alias : aliases) {
    if (alias.name == name) return alias.value;
  }
  return name;
}

bool IsName(std::string_view name) {
  for (const char c : name) {
    if (c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')) return false;
  }
  return !name.empty();
}

// RE2's own tables decide; its names of categories have at most two letters, of scripts more.
bool IsKnown(std::string_view name) {
  if (!IsName(name)) return false;
  RE2::Options options;
  options.set_log_errors(false);
  return RE2(fmt::format("\\p{{{}}}", name), options).ok();
}

}  // namespace

std::string UnicodePropertySet(std::string_view property, bool negated) {
  if (property == "ASCII") return negated ? "\\x{80}-\\x{10ffff}" : "\\x{0}-\\x{7f}";
  const size_t equals = property.find('=');
  std::string_view name = property;
  if (equals == std::string_view::npos) {
    name = Lookup(kCategories, property);
    // A script needs its prefix in ECMA-262.
    if (name.size() > 2 && name != "Any") return "";
  } else {
    const std::string_view kind = property.substr(0, equals);
    const std::string_view value = property.substr(equals + 1);
    if (kind == "gc" || kind == "General_Category") {
      name = Lookup(kCategories, value);
      if (name.size() > 2) return "";
    } else if (kind == "sc" || kind == "Script") {
      name = Lookup(kScripts, value);
      if (name.size() <= 2 || name == "Any") return "";
    } else {
      return "";
    }
  }
  if (!IsKnown(name)) return "";
  return fmt::format("\\{}{{{}}}", negated ? 'P' : 'p', name);
}

}  // namespace tasker::json_schema
