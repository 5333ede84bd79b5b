#include "lib/json_schema/uri.h"

#include <uriparser/Uri.h>

#include <vector>

#include "lib/base/utf8.h"

namespace tasker::json_schema {
namespace {

// A parsed reference; `text` must outlive it.
class ParsedUri {
 public:
  explicit ParsedUri(std::string_view text) {
    const char* error = nullptr;
    ok_ = uriParseSingleUriExA(&uri_, text.data(), text.data() + text.size(), &error) == URI_SUCCESS;
  }
  ~ParsedUri() {
    if (ok_) uriFreeUriMembersA(&uri_);
  }
  ParsedUri(const ParsedUri&) = delete;
  ParsedUri& operator=(const ParsedUri&) = delete;

  bool ok() const { return ok_; }
  bool has_scheme() const { return uri_.scheme.first != nullptr; }
  // An empty port and letters in a port are refused by the grammar; a number beyond 65535 is not.
  const UriUriA* get() const { return &uri_; }

 private:
  UriUriA uri_ = {};
  bool ok_ = false;
};

std::string ToString(const UriUriA& uri) {
  int needed = 0;
  if (uriToStringCharsRequiredA(&uri, &needed) != URI_SUCCESS) return "";
  std::string out(static_cast<size_t>(needed) + 1, '\0');
  int written = 0;
  if (uriToStringA(out.data(), &uri, needed + 1, &written) != URI_SUCCESS) return "";
  out.resize(static_cast<size_t>(written) - 1);
  return out;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <typename MayStand>
std::string Encoded(std::string_view text, const MayStand& may_stand) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (may_stand(byte)) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

// Maps an IRI to a URI: each byte beyond ASCII is percent-encoded.
std::string ToUri(std::string_view iri) {
  return Encoded(iri, [](unsigned char byte) { return byte < 0x80; });
}

bool Fits(std::string_view text, bool needs_scheme) {
  const ParsedUri uri(text);
  return uri.ok() && (!needs_scheme || uri.has_scheme());
}

}  // namespace

SplitUri Split(std::string_view reference) {
  const size_t hash = reference.find('#');
  if (hash == std::string_view::npos) return {.resource = reference, .fragment = ""};
  return {.resource = reference.substr(0, hash), .fragment = reference.substr(hash + 1)};
}

std::string ResolveUri(std::string_view base, std::string_view reference) {
  if (reference.empty()) return std::string(base);
  const ParsedUri relative(reference);
  const ParsedUri parsed_base(base);
  if (!relative.ok() || !parsed_base.ok()) return "";
  UriUriA resolved = {};
  if (uriAddBaseUriA(&resolved, relative.get(), parsed_base.get()) != URI_SUCCESS) return "";
  std::string out = ToString(resolved);
  uriFreeUriMembersA(&resolved);
  return out;
}

std::string_view DisplayUri(std::string_view uri) {
  if (uri.starts_with(kNoBase)) uri.remove_prefix(kNoBase.size());
  return uri;
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      out += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string FragmentEncoded(std::string_view pointer) {
  return Encoded(pointer, [](unsigned char byte) {
    const bool alnum = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    return alnum || (byte < 0x80 &&
                     std::string_view("-._~!$&'()*+,;=:@/?").find(static_cast<char>(byte)) != std::string_view::npos);
  });
}

bool IsUri(std::string_view text) { return Fits(text, true); }
bool IsUriReference(std::string_view text) { return Fits(text, false); }
bool IsIri(std::string_view text) { return Fits(ToUri(text), true); }
bool IsIriReference(std::string_view text) { return Fits(ToUri(text), false); }

}  // namespace tasker::json_schema
