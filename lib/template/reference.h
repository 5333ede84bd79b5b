#pragma once

#include <absl/status/statusor.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tasker::tmpl {

/// MAJOR.MINOR.PATCH by semantic version precedence; each at most 2^31-1.
struct Version {
  int32_t major = 0;
  int32_t minor = 0;
  int32_t patch = 0;

  std::string ToString() const;
  friend bool operator==(const Version&, const Version&) = default;
  friend auto operator<=>(const Version&, const Version&) = default;
};

/// Three numbers without sign, blanks or leading zeros, joined by dots; nullopt for anything else.
std::optional<Version> ParseVersion(std::string_view text);

/// What is wrong with `text` as a version and what to write instead, for messages: {"…", "write 1.0.0"}.
struct VersionProblem {
  std::string message;
  std::string hint;
};
VersionProblem ExplainVersion(std::string_view text);

/// Whether `name` can name a namespace, a template, a step, or a channel: a letter, digit or '_', then letters, digits,
/// '_', '-' or '.'; ASCII; 1 to 255 bytes.
bool IsName(std::string_view name);
inline constexpr std::string_view kNameRule =
    "a name starts with a letter, a digit or '_' and goes on with letters, digits, '_', '-' and '.'; at most 255 bytes";

/// The versions `lower` ≤ v < `upper`; without `upper`, unbounded above.
struct VersionRange {
  Version lower;
  std::optional<Version> upper;

  bool Contains(const Version& v) const { return lower <= v && (!upper || v < *upper); }
  friend bool operator==(const VersionRange&, const VersionRange&) = default;
};

/// What a reference asks for.
enum class SelectorKind {
  kExact,    ///< `1.2.3`
  kRange,    ///< `1`, `1.2`, `^1.2.3`, `~1.2.3`: the highest version inside
  kLatest,   ///< `latest` or nothing: the highest version
  kChannel,  ///< a channel's name: the version it points at
  kDigest,   ///< `@sha256:…`
};

/// NAMESPACE/NAME[:SELECTOR] or NAMESPACE/NAME@sha256:HEX (DESIGN §5).
struct Reference {
  std::string namespace_name;
  std::string name;
  SelectorKind kind = SelectorKind::kLatest;
  Version version;       ///< kExact
  VersionRange range;    ///< kRange
  std::string selector;  ///< as written after ':' or '@'; empty when nothing was

  std::string ToString() const;
};

/// INVALID_ARGUMENT that says what is wrong and shows the right form; never throws.
absl::StatusOr<Reference> ParseReference(std::string_view text);

/// "payments/credit_card_payment:1.0.0".
std::string ExactReference(std::string_view namespace_name, std::string_view name, std::string_view version);

}  // namespace tasker::tmpl
