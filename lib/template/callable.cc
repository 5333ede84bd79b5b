#include "lib/template/callable.h"

#include <algorithm>
#include <string_view>
#include <vector>

// The grammar, tried in this order; blanks around the whole are ignored.
//
//   lambda      = "->" …  |  "lambda" [blanks] ( "{" | "do" | "(" ) …
//   proc        = "proc" [blanks] ( "{" | "do" | "(" ) …  |  "Proc.new" …
//   class       = Const *( "::" Const )                        each segment begins with an upper-case letter
//   rust path   = Ident 1*( "::" Ident )                       one segment at least begins with a lower-case letter or
//   _ method      = ( class | rust path ) ( "." | "#" ) Method   |  dotted ( "#" | ":" ) Method  |  Ident ":" Method
//                 after a single Const, "." wants a Method that begins in lower case: A.b is a method, A.B a path
//   dotted path = Ident 1*( "." Ident )
//   key         = word of letters, digits, "_", "-", "/"       anything else is unknown
//
//   Const = upper *word    Ident = ( letter | "_" ) *word    Method = Ident [ "?" | "!" | "=" ]    word = letter |
//   digit | "_"
//
// A single word is a class when it begins with an upper-case letter and a key otherwise. Letters are ASCII; bytes of
// other UTF-8 characters count as lower-case letters.

namespace tasker::tmpl {
namespace {

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }
bool IsWord(char c) { return IsLetter(c) || IsDigit(c) || c == '_'; }

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool IsIdent(std::string_view text) {
  return !text.empty() && (IsLetter(text[0]) || text[0] == '_') && std::all_of(text.begin(), text.end(), IsWord);
}

bool IsMethodName(std::string_view text) {
  if (text.ends_with('?') || text.ends_with('!') || text.ends_with('=')) text.remove_suffix(1);
  return IsIdent(text);
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + separator.size());
  }
}

bool AllIdents(const std::vector<std::string_view>& parts) { return std::all_of(parts.begin(), parts.end(), IsIdent); }

bool IsDotted(std::string_view text) {
  const auto parts = Split(text, ".");
  return parts.size() > 1 && AllIdents(parts);
}

// A path joined by '::', or a single constant.
CallableKind PathKind(std::string_view text) {
  const auto parts = Split(text, "::");
  if (!AllIdents(parts)) return CallableKind::kUnknown;
  if (std::all_of(parts.begin(), parts.end(), [](std::string_view part) { return IsUpper(part[0]); })) {
    return CallableKind::kClass;
  }
  return parts.size() > 1 ? CallableKind::kRustPath : CallableKind::kUnknown;
}

// `word` and then the beginning of a block or an argument list.
bool IsBlockOf(std::string_view word, std::string_view text) {
  if (!text.starts_with(word)) return false;
  const std::string_view rest = Trimmed(text.substr(word.size()));
  if (rest.starts_with('{') || rest.starts_with('(')) return true;
  return rest.starts_with("do") && (rest.size() == 2 || !IsWord(rest[2])) && !IsWord(text[word.size()]);
}

bool IsMethod(std::string_view text) {
  const size_t hash = text.rfind('#');
  if (hash != std::string_view::npos) {
    const std::string_view owner = text.substr(0, hash);
    return IsMethodName(text.substr(hash + 1)) && (PathKind(owner) != CallableKind::kUnknown || IsDotted(owner));
  }
  const size_t dot = text.rfind('.');
  const bool after_constant = dot != std::string_view::npos && text.find('.') == dot && IsUpper(text[0]) &&
                              dot + 1 < text.size() && !IsUpper(text[dot + 1]) &&
                              text.find(':') == std::string_view::npos;
  if (after_constant || text.find("::") != std::string_view::npos) {
    return dot != std::string_view::npos && IsMethodName(text.substr(dot + 1)) &&
           PathKind(text.substr(0, dot)) != CallableKind::kUnknown;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view module = text.substr(0, colon);
  return AllIdents(Split(module, ".")) && AllIdents(Split(text.substr(colon + 1), "."));
}

bool IsKey(std::string_view text) {
  return !text.empty() && (IsWord(text[0])) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsWord(c) || c == '-' || c == '/'; });
}

}  // namespace

CallableKind DetectCallableKind(std::string_view callable) {
  const std::string_view text = Trimmed(callable);
  if (text.starts_with("->") || IsBlockOf("lambda", text)) return CallableKind::kLambda;
  if (IsBlockOf("proc", text) || (text.starts_with("Proc.new") && (text.size() == 8 || !IsWord(text[8])))) {
    return CallableKind::kProc;
  }
  if (const CallableKind path = PathKind(text); path != CallableKind::kUnknown) return path;
  if (IsMethod(text)) return CallableKind::kMethod;
  if (IsDotted(text)) return CallableKind::kDottedPath;
  if (IsKey(text)) return CallableKind::kKey;
  return CallableKind::kUnknown;
}

std::string_view CallableKindName(CallableKind kind) {
  switch (kind) {
    case CallableKind::kUnknown:
      return "unknown";
    case CallableKind::kClass:
      return "class";
    case CallableKind::kMethod:
      return "method";
    case CallableKind::kDottedPath:
      return "dotted_path";
    case CallableKind::kRustPath:
      return "rust_path";
    case CallableKind::kProc:
      return "proc";
    case CallableKind::kLambda:
      return "lambda";
    case CallableKind::kKey:
      return "key";
  }
  return "unknown";
}

}  // namespace tasker::tmpl
