#include <arpa/inet.h>
#include <idn2.h>

#include <memory>
#include <string>

#include "lib/json_schema/formats.h"

/// Names and addresses of hosts and mailboxes.
namespace tasker::json_schema {
namespace {

constexpr size_t kLongestHostname = 253;
constexpr size_t kLongestLabel = 63;
constexpr size_t kLongestLocalPart = 64;

bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool StartsWithIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (size_t i = 0; i < lower.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] | 0x20) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

// IDNA 2008's registration rules, which is what RFC 5891 asks of a U-label: no mapping, contextual rules checked.
bool IsInternationalLabel(std::string_view label) {
  const std::string text(label);
  uint8_t* out = nullptr;
  const bool a_label = StartsWithIgnoringCase(label, "xn--");
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.c_str());
  const int result = a_label ? idn2_register_u8(nullptr, bytes, &out, 0) : idn2_register_u8(bytes, nullptr, &out, 0);
  idn2_free(out);
  return result == IDN2_OK;
}

bool IsAsciiLabel(std::string_view label) {
  if (label.empty() || label.size() > kLongestLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label) {
    if (!IsAlnum(c) && c != '-') return false;
  }
  if (StartsWithIgnoringCase(label, "xn--")) return IsInternationalLabel(label);
  return true;
}

template <typename CheckLabel>
bool IsDotted(std::string_view text, const CheckLabel& check) {
  for (size_t start = 0;;) {
    const size_t dot = text.find('.', start);
    if (!check(text.substr(start, dot == std::string_view::npos ? dot : dot - start))) return false;
    if (dot == std::string_view::npos) return true;
    start = dot + 1;
  }
}

bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// RFC 5321 section 4.1.2, `international` widened by RFC 6531 with everything beyond ASCII.
bool IsAtomCharacter(char c, bool international) {
  if (static_cast<unsigned char>(c) >= 0x80) return international;
  return IsAlnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool IsQuotedString(std::string_view text, bool international) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  text = text.substr(1, text.size() - 2);
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c < 0x20 || c == 0x7F || (c >= 0x80 && !international)) return false;
    if (c == '\\' && (++i == text.size() || text[i] < 0x20 || text[i] == 0x7F)) return false;
  }
  return true;
}

bool IsLocalPart(std::string_view text, bool international) {
  if (text.empty() || text.size() > kLongestLocalPart) return false;
  if (text.front() == '"') return IsQuotedString(text, international);
  return IsDotted(text, [&](std::string_view atom) {
    for (const char c : atom) {
      if (!IsAtomCharacter(c, international)) return false;
    }
    return !atom.empty();
  });
}

bool IsMailDomain(std::string_view text, bool international) {
  if (!text.starts_with('[')) return international ? IsIdnHostname(text) : IsHostname(text);
  if (!text.ends_with(']')) return false;
  text = text.substr(1, text.size() - 2);
  if (StartsWithIgnoringCase(text, "ipv6:")) return IsIpv6(text.substr(5));
  return IsIpv4(text);
}

bool IsMailbox(std::string_view text, bool international) {
  // A quoted local part may hold an '@'; a domain may not.
  const size_t at = text.rfind('@');
  return at != std::string_view::npos && IsLocalPart(text.substr(0, at), international) &&
         IsMailDomain(text.substr(at + 1), international);
}

bool IsAddress(int family, std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer || text.find('\0') != std::string_view::npos) return false;
  text.copy(buffer, text.size());
  buffer[text.size()] = '\0';
  unsigned char address[16];
  return inet_pton(family, buffer, address) == 1;
}

}  // namespace

bool IsHostname(std::string_view text) { return text.size() <= kLongestHostname && IsDotted(text, IsAsciiLabel); }

bool IsIdnHostname(std::string_view text) {
  // RFC 3490 section 3.1: these three are dots, too.
  std::string dotted;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view next = text.substr(i, 3);
    if (next == "\u3002" || next == "\uff0e" || next == "\uff61") {
      dotted += '.';
      i += 2;
    } else {
      dotted += text[i];
    }
  }
  if (dotted.find('\0') != std::string::npos || dotted.size() > 4 * kLongestHostname) return false;
  return IsDotted(std::string_view(dotted), [](std::string_view label) {
    return IsAscii(label) ? IsAsciiLabel(label) : IsInternationalLabel(label);
  });
}

bool IsEmail(std::string_view text) { return IsAscii(text) && IsMailbox(text, /*international=*/false); }
bool IsIdnEmail(std::string_view text) { return IsMailbox(text, /*international=*/true); }
bool IsIpv4(std::string_view text) { return IsAddress(AF_INET, text); }
bool IsIpv6(std::string_view text) { return IsAddress(AF_INET6, text); }

}  // namespace tasker::json_schema
