#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tasker::client {

/// Which of the calls an answer is of, and in which form.
enum class AnswerKind : uint8_t { kTemplate, kTemplateJson, kHandler };

/// What was asked. Two spellings of one reference are two keys.
struct AnswerKey {
  AnswerKind kind = AnswerKind::kTemplate;
  bool require_environment = false;
  std::string_view reference;
  std::string_view environment;
  std::string_view step;  ///< kHandler only

  uint64_t Hash() const;
  friend bool operator==(const AnswerKey&, const AnswerKey&) = default;
};

/// Whether a well-formed reference names an exact version or a digest, so that what it selects never changes.
bool IsPinned(std::string_view reference);

/// The text of a key, in the object itself where it is as short as keys are: a look-up reads no other place.
class OwnedKey {
 public:
  explicit OwnedKey(const AnswerKey& key);

  AnswerKey key() const {
    const char* const environment = text_.data() + reference_size_;
    const char* const step = environment + environment_size_;
    return {kind_,
            require_environment_,
            {text_.data(), reference_size_},
            {environment, environment_size_},
            {step, static_cast<size_t>(text_.data() + text_.size() - step)}};
  }
  uint64_t hash() const { return hash_; }
  size_t size() const { return text_.size(); }

 private:
  static constexpr size_t kInlineBytes = 48;

  const uint64_t hash_;
  const uint32_t reference_size_;
  const uint32_t environment_size_;
  const AnswerKind kind_;
  const bool require_environment_;
  absl::InlinedVector<char, kInlineBytes> text_;
};

/// An answer that a cache holds, or may come to hold. Constant but for the two marks. What a look-up reads comes first:
/// with the shared_ptr's counts in front it is two cache lines, side by side.
struct RememberedAnswer : std::enable_shared_from_this<RememberedAnswer> {
  /// `template_name` is NAMESPACE/NAME. Into memory where answers lie close together.
  static std::shared_ptr<RememberedAnswer> Make(const AnswerKey& key, std::string_view template_name);
  /// For `Make`.
  RememberedAnswer(const AnswerKey& key, std::string_view template_of_it);

  /// The cache's generation that it belongs to. An answer of another one is not known to be right any more.
  mutable std::atomic<uint32_t> generation{0};
  mutable std::atomic<bool> used{false};                      ///< since the eviction's hand went over it
  const bool pinned;                                          ///< the reference is an exact version or a digest
  std::unique_ptr<const google::protobuf::Message> response;  ///< nullptr for a refusal
  const OwnedKey asked;

  const std::string template_name;
  std::string version;  ///< that `response` is of
  absl::Status refusal;
  int64_t known_at = 0;   ///< when it was known to be right, in nanoseconds of the steady clock
  absl::Duration stale;   ///< how old it was then already, by the server's word
  bool restored = false;  ///< from an earlier process
  size_t bytes = 0;       ///< of memory; the cache fills it in

  /// Whether its content can never change: only its notice can.
  bool exact() const { return pinned && response != nullptr; }
};
using AnswerHandle = std::shared_ptr<const RememberedAnswer>;

}  // namespace tasker::client
