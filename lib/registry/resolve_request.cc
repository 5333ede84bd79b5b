#include "lib/registry/resolve_request.h"

#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {
namespace {

namespace pb = ::tasker::registry::v1;
using Template = pb::ResolveTemplateRequest;
using Handler = pb::ResolveHandlerRequest;

// Takes a base-128 varint off the front of `bytes`.
bool TakeVarint(std::string_view& bytes, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool TakeText(std::string_view& bytes, std::string_view& text) {
  uint64_t size = 0;
  if (!TakeVarint(bytes, size) || size > bytes.size()) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

constexpr uint64_t kTextType = 2;
constexpr uint64_t VarintTag(int field) { return static_cast<uint64_t>(field) << 3; }
constexpr uint64_t TextTag(int field) { return VarintTag(field) | kTextType; }

// Calls `text_of` and `number_of` with each tag; they give where its value goes, or nullptr.
template <typename Texts, typename Numbers>
bool ReadFields(std::string_view bytes, const Texts& text_of, const Numbers& set_number) {
  while (!bytes.empty()) {
    uint64_t tag = 0;
    if (!TakeVarint(bytes, tag)) return false;
    if ((tag & 7) == kTextType) {
      std::string_view* const text = text_of(tag);
      if (text == nullptr || !TakeText(bytes, *text)) return false;
    } else {
      uint64_t number = 0;
      if ((tag & 7) != 0 || !TakeVarint(bytes, number) || !set_number(tag, number)) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<ResolveRequestView> ReadResolveTemplateRequest(std::string_view bytes) {
  ResolveRequestView view;
  const auto text_of = [&](uint64_t tag) -> std::string_view* {
    switch (tag) {
      case TextTag(Template::kReferenceFieldNumber):
        return &view.reference;
      case TextTag(Template::kEnvironmentFieldNumber):
        return &view.environment;
      case TextTag(Template::kIfNotDigestFieldNumber):
        return &view.if_not_digest;
      default:
        return nullptr;
    }
  };
  const auto set_number = [&](uint64_t tag, uint64_t number) {
    switch (tag) {
      case VarintTag(Template::kViewFieldNumber):
        view.view = static_cast<int32_t>(number);
        return true;
      case VarintTag(Template::kRequireEnvironmentFieldNumber):
        view.require_environment = number != 0;
        return true;
      case VarintTag(Template::kMinRevisionFieldNumber):
        view.min_revision = static_cast<int64_t>(number);
        return true;
      default:
        return false;
    }
  };
  if (!ReadFields(bytes, text_of, set_number)) return std::nullopt;
  return view;
}

std::optional<ResolveRequestView> ReadResolveHandlerRequest(std::string_view bytes) {
  ResolveRequestView view;
  const auto text_of = [&](uint64_t tag) -> std::string_view* {
    switch (tag) {
      case TextTag(Handler::kReferenceFieldNumber):
        return &view.reference;
      case TextTag(Handler::kEnvironmentFieldNumber):
        return &view.environment;
      case TextTag(Handler::kStepNameFieldNumber):
        return &view.step_name;
      default:
        return nullptr;
    }
  };
  const auto set_number = [&](uint64_t tag, uint64_t number) {
    switch (tag) {
      case VarintTag(Handler::kRequireEnvironmentFieldNumber):
        view.require_environment = number != 0;
        return true;
      case VarintTag(Handler::kMinRevisionFieldNumber):
        view.min_revision = static_cast<int64_t>(number);
        return true;
      default:
        return false;
    }
  };
  if (!ReadFields(bytes, text_of, set_number)) return std::nullopt;
  return view;
}

}  // namespace tasker::registry
