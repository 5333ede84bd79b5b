#include "lib/template/canonical.h"

#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <concepts>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/base/digest.h"

namespace tasker::tmpl {
namespace {

// The shape of each block: which keys it has, in which order a tree of it lists them. `Put` leaves out absent options,
// and what an extension says under the same key.

template <typename Object>
void Describe(const HandlerDefinition& handler, Object& out) {
  out.Put("callable", handler.callable);
  out.Put("initialization", handler.initialization);
  out.Put("method", handler.method);
  out.Put("resolver", handler.resolver);
}

template <typename Object>
void Describe(const RetryConfiguration& retry, Object& out) {
  out.Put("retryable", retry.retryable);
  out.Put("limit", retry.limit);
  out.Put("backoff", BackoffName(retry.backoff));
  out.Put("backoff_base_ms", retry.backoff_base_ms);
  out.Put("max_backoff_ms", retry.max_backoff_ms);
}

template <typename Object>
void Describe(const TemplateMetadata& metadata, Object& out) {
  out.Put("author", metadata.author);
  out.Put("tags", metadata.tags);
  out.Put("documentation_url", metadata.documentation_url);
  out.Put("created_at", metadata.created_at);
  out.Put("updated_at", metadata.updated_at);
}

template <typename Object>
void Describe(const SystemDependencies& systems, Object& out) {
  out.Put("primary", systems.primary);
  out.Put("secondary", systems.secondary);
}

template <typename Object>
void Describe(const DomainEventDefinition& event, Object& out) {
  out.Put("name", event.name);
  out.Put("description", event.description);
  out.Put("schema", event.schema);
}

template <typename Object>
void Describe(const PublishedEvent& event, Object& out) {
  out.Put("name", event.name);
  out.Put("description", event.description);
  out.Put("condition", event.condition);
  out.Put("schema", event.schema);
  out.Put("delivery_mode", event.delivery_mode);
  out.Put("publisher", event.publisher);
}

template <typename Object>
void Describe(const BatchConfig& batch, Object& out) {
  out.Put("batch_size", batch.batch_size);
  out.Put("parallelism", batch.parallelism);
  out.Put("cursor_field", batch.cursor_field);
  out.Put("worker_template", batch.worker_template);
  out.Put("failure_strategy", batch.failure_strategy);
}

template <typename Object>
void Describe(const StepDefinition& step, Object& out) {
  out.Put("name", step.name);
  out.Put("description", step.description);
  out.Put("handler", step.handler);
  if (step.type) out.Put("type", StepTypeName(*step.type));
  out.Put("system_dependency", step.system_dependency);
  out.Put("dependencies", step.dependencies);
  out.Put("retry", step.retry);
  out.Put("timeout_seconds", step.timeout_seconds);
  out.Put("publishes_events", step.publishes_events);
  out.Put("batch_config", step.batch_config);
  out.Put("result_schema", step.result_schema);
  out.Put("lifecycle", step.lifecycle);
  out.Put("composition", step.composition);
}

template <typename Object>
void Describe(const HandlerOverride& handler, Object& out) {
  out.Put("initialization", handler.initialization);
}

template <typename Object>
void Describe(const StepOverride& step, Object& out) {
  out.Put("name", step.name);
  out.Put("handler", step.handler);
  out.Put("timeout_seconds", step.timeout_seconds);
  out.Put("retry", step.retry);
}

template <typename Object>
void Describe(const EnvironmentOverride& environment, Object& out) {
  out.Put("task_handler", environment.task_handler);
  out.Put("steps", environment.steps);
}

template <typename Object>
void Describe(const TaskTemplate& tmpl, Object& out) {
  out.Put("name", tmpl.name);
  out.Put("namespace_name", tmpl.namespace_name);
  out.Put("version", tmpl.version);
  out.Put("description", tmpl.description);
  out.Put("metadata", tmpl.metadata);
  out.Put("task_handler", tmpl.task_handler);
  out.Put("system_dependencies", tmpl.system_dependencies);
  out.Put("domain_events", tmpl.domain_events);
  out.Put("input_schema", tmpl.input_schema);
  out.Put("lifecycle", tmpl.lifecycle);
  out.Put("steps", tmpl.steps);
  out.Put("environments", tmpl.environments);
}

template <typename T>
concept Block = requires(const T& block) {
  { block.extensions } -> std::convertible_to<const JsonObject&>;
};

using Environments = std::map<std::string, EnvironmentOverride, std::less<>>;

// An event that has nothing but a name is written as one.
bool IsName(const PublishedEvent& event) {
  return !event.description && !event.condition && !event.schema && !event.delivery_mode && !event.publisher &&
         event.extensions.empty();
}

// Makes a tree of a block.
class ObjectWriter {
 public:
  explicit ObjectWriter(const JsonObject& extensions) : object_(extensions) {}

  template <typename Value>
  void Put(std::string_view key, const Value& value) {
    object_.insert_or_assign({key.data(), key.size()}, ValueOf(value));
  }
  template <typename Value>
  void Put(std::string_view key, const std::optional<Value>& value) {
    if (value) Put(key, *value);
  }

  template <Block T>
  static Json ValueOf(const T& block) {
    ObjectWriter writer(block.extensions);
    Describe(block, writer);
    return std::move(writer.object_);
  }
  static Json ValueOf(const PublishedEvent& event) {
    return IsName(event) ? Json(event.name) : ValueOf<PublishedEvent>(event);
  }

 private:
  static Json ValueOf(std::string_view text) { return Json(boost::json::string_view(text.data(), text.size())); }
  static Json ValueOf(const std::string& text) { return Json(text); }
  static Json ValueOf(const Json& value) { return value; }
  static Json ValueOf(const JsonObject& object) { return object; }
  static Json ValueOf(bool value) { return Json(value); }
  static Json ValueOf(uint32_t value) { return Json(value); }
  static Json ValueOf(uint64_t value) { return Json(value); }
  template <typename Item>
  static Json ValueOf(const std::vector<Item>& items) {
    base::JsonArray array;
    array.reserve(items.size());
    for (const Item& item : items) array.push_back(ValueOf(item));
    return array;
  }
  static Json ValueOf(const Environments& environments) {
    JsonObject object;
    for (const auto& [name, environment] : environments) object.emplace(name, ValueOf(environment));
    return object;
  }

  JsonObject object_;
};

// Appends the canonical JSON of a block to a text, without the tree between.
class TextWriter {
 public:
  TextWriter(const JsonObject& extensions, std::string& out) : out_(out), begin_(out.size()), known_(0) {
    for (const auto& member : extensions) PutMember({member.key().data(), member.key().size()}, member.value());
    known_ = members_.size();
  }

  template <typename Value>
  void Put(std::string_view key, const Value& value) {
    for (size_t i = 0; i < known_; ++i) {
      if (members_[i].key == key) members_[i].size = 0;  // as in a tree, where the block's own key replaces it
    }
    PutMember(key, value);
  }
  template <typename Value>
  void Put(std::string_view key, const std::optional<Value>& value) {
    if (value) Put(key, *value);
  }

  template <Block T>
  static void Append(const T& block, std::string& out) {
    TextWriter writer(block.extensions, out);
    Describe(block, writer);
    writer.Finish();
  }
  static void Append(const PublishedEvent& event, std::string& out) {
    IsName(event) ? base::AppendJsonString(event.name, out) : Append<PublishedEvent>(event, out);
  }

 private:
  struct Member {
    std::string_view key;
    size_t begin;
    size_t size;  // 0: it does not count
  };

  template <typename Value>
  void PutMember(std::string_view key, const Value& value) {
    const size_t begin = out_.size();
    base::AppendJsonString(key, out_);
    out_ += ':';
    Append(value, out_);
    members_.push_back({key, begin, out_.size() - begin});
  }

  // Brings the members into the order of their keys.
  void Finish() {
    std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.key < b.key; });
    std::string sorted = "{";
    sorted.reserve(out_.size() - begin_ + members_.size() + 2);
    for (const Member& member : members_) {
      if (member.size == 0) continue;
      if (sorted.size() > 1) sorted += ',';
      sorted.append(out_, member.begin, member.size);
    }
    sorted += '}';
    out_.replace(begin_, std::string::npos, sorted);
  }

  static void Append(std::string_view text, std::string& out) { base::AppendJsonString(text, out); }
  static void Append(const std::string& text, std::string& out) { base::AppendJsonString(text, out); }
  static void Append(const Json& value, std::string& out) { base::AppendCanonicalJson(value, out); }
  static void Append(const JsonObject& object, std::string& out) { base::AppendCanonicalJson(object, out); }
  static void Append(bool value, std::string& out) { base::AppendCanonicalJson(Json(value), out); }
  static void Append(uint32_t value, std::string& out) { base::AppendCanonicalJson(Json(value), out); }
  static void Append(uint64_t value, std::string& out) { base::AppendCanonicalJson(Json(value), out); }
  template <typename Item>
  static void Append(const std::vector<Item>& items, std::string& out) {
    out += '[';
    for (const Item& item : items) {
      if (&item != items.data()) out += ',';
      Append(item, out);
    }
    out += ']';
  }
  static void Append(const Environments& environments, std::string& out) {
    char separator = '{';
    for (const auto& [name, environment] : environments) {  // in the order of their names
      out += std::exchange(separator, ',');
      base::AppendJsonString(name, out);
      out += ':';
      Append(environment, out);
    }
    out += environments.empty() ? "{}" : "}";
  }

  std::string& out_;
  const size_t begin_;
  size_t known_;  // of the members: those of the extensions
  absl::InlinedVector<Member, 16> members_;
};

}  // namespace

base::Json ToJson(const HandlerDefinition& handler) { return ObjectWriter::ValueOf(handler); }
base::Json ToJson(const RetryConfiguration& retry) { return ObjectWriter::ValueOf(retry); }
base::Json ToJson(const PublishedEvent& event) { return ObjectWriter::ValueOf(event); }
base::Json ToJson(const StepDefinition& step) { return ObjectWriter::ValueOf(step); }
base::Json ToJson(const TaskTemplate& tmpl) { return ObjectWriter::ValueOf(tmpl); }

std::string CanonicalText(const TaskTemplate& tmpl) {
  std::string text;
  TextWriter::Append(tmpl, text);
  return text;
}

std::string TemplateDigest(const TaskTemplate& tmpl) { return base::Sha256Digest(CanonicalText(tmpl)); }

}  // namespace tasker::tmpl
