#include "lib/json_schema/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/json_schema/uri.h"

namespace tasker::json_schema {
namespace {

std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

// What a schema applies to the very same instance.
void AppendInPlace(const Node& node, std::vector<const Node*>& out) {
  if (node.in_place == nullptr) return;
  const InPlaceRules& rules = *node.in_place;
  // Where a dynamic reference leads is known only during evaluation, which bounds the depth.
  for (const Node* next : {rules.ref, rules.negated, rules.condition, rules.on_true, rules.on_false}) {
    if (next != nullptr) out.push_back(next);
  }
  for (const auto* list : {&rules.all_of, &rules.any_of, &rules.one_of})
    out.insert(out.end(), list->begin(), list->end());
  for (const InPlaceRules::Dependent& dependent : rules.dependents) out.push_back(dependent.schema);
}

}  // namespace

Compiler::Compiler(const Json& schema, const CompileOptions& options)
    : schema_(schema),
      options_(options),
      problems_(options.limits.problems),
      resources_(options, problems_),
      program_(std::make_unique<Program>()) {}

CompileResult Compiler::Run() {
  const uint32_t main = resources_.AddMain(schema_);
  if (!schema_.is_object() && !schema_.is_bool()) {
    resources_.AddProblem(base::Severity::kError, "SCHEMA_KIND", {main, ""}, "",
                          fmt::format("a schema must be an object or a boolean, not {}", base::JsonKindName(schema_)));
    return {.schema = nullptr, .problems = problems_.Take()};
  }
  program_->root = NodeFor(schema_);
  program_->limits = options_.limits;
  program_->dialect = resources_.resource(main).rules.dialect;
  do {
    CompilePending();
  } while (CompileDynamicAnchors());
  FindEndlessReferences();
  if (problems_.has_errors()) return {.schema = nullptr, .problems = problems_.Take()};
  for (size_t i = 0; i < resources_.size(); ++i) {
    program_->resource_uris.emplace_back(DisplayUri(resources_.resource(static_cast<uint32_t>(i)).uri));
  }
  program_->memory_bytes = MemoryBytes();
  TrySamples();
  return {.schema = std::make_shared<const Schema>(std::move(program_)), .problems = problems_.Take()};
}

const Node* Compiler::NodeFor(const Json& schema) {
  const auto [found, fresh] = nodes_.emplace(&schema, nullptr);
  if (!fresh) return found->second;
  Node& node = program_->nodes.emplace_back();
  found->second = &node;
  sources_.emplace(&node, &schema);
  pending_.push_back(&schema);
  return &node;
}

void Compiler::CompilePending() {
  while (!pending_.empty()) {
    const Json* schema = pending_.front();
    pending_.pop_front();
    Node* node = nodes_.at(schema);
    const Place* place = resources_.PlaceOf(*schema);
    if (place == nullptr) continue;  // too deep: said by the walk
    node->resource = place->resource;
    node->pointer = place->pointer;
    if (schema->is_bool()) {
      node->kind = schema->get_bool() ? Node::Kind::kAny : Node::Kind::kNever;
      continue;
    }
    CompileObject({.schema = schema,
                   .object = &schema->get_object(),
                   .node = node,
                   .place = *place,
                   .rules = resources_.resource(place->resource).rules});
  }
}

void Compiler::CompileObject(const Subject& subject) {
  const bool hidden = subject.rules.ref_hides_siblings() && subject.object->contains("$ref");
  if (hidden) CheckHiddenSiblings(subject);
  for (const auto& [key, value] : *subject.object) {
    const std::string_view name = View(key);
    const KeywordInfo* info = subject.rules.Find(name);
    if (info == nullptr) {
      CheckUnknown(subject, name);
    } else if (!hidden || info->vocabulary == kCore) {
      CompileKeyword(subject, {.name = name, .info = info, .value = &value});
    }
  }
  FinishObject(subject);
}

void Compiler::CompileKeyword(const Subject& subject, const Member& member) {
  switch (member.info->vocabulary) {
    case kCore:
      return CompileCore(subject, member);
    case kApplicator:
    case kUnevaluated:
      return CompileApplicator(subject, member);
    case kValidation:
      return CompileValidation(subject, member);
    default:
      return CompileMetaData(subject, member);
  }
}

void Compiler::CompileCore(const Subject& subject, const Member& member) {
  switch (member.info->keyword) {
    case Keyword::kRef:
      return CompileRef(subject, member);
    case Keyword::kDynamicRef:
      return CompileDynamicRef(subject, member);
    case Keyword::kRecursiveRef:
      return CompileRecursiveRef(subject, member);
    case Keyword::kDefs:
      return CheckDefinitions(subject, member);
    case Keyword::kRecursiveAnchor:
      if (!member.value->is_bool()) WrongKind(subject, member, "a boolean");
      return;
    case Keyword::kVocabulary:
      if (!member.value->is_object()) WrongKind(subject, member, "an object");
      return;
    default:
      if (!member.value->is_string()) WrongKind(subject, member, "a string");
  }
}

void Compiler::FinishObject(const Subject& subject) {
  Node& node = *subject.node;
  const bool has_rules = node.number || node.string || node.array || node.object || node.enumeration || node.constant ||
                         node.in_place || node.types != kAllTypes;
  node.tracks =
      (node.array && node.array->unevaluated != nullptr) || (node.object && node.object->unevaluated != nullptr);
  node.kind = has_rules ? Node::Kind::kRules : Node::Kind::kAny;
}

void Compiler::CheckUnknown(const Subject& subject, std::string_view name) {
  // What the author, or the dialect of OpenAPI, says to people and tools.
  if (name == "example") {
    samples_.push_back({subject.node, subject.object->if_contains("example"), subject.place, "/example", "example"});
    return;
  }
  if (name.starts_with("x-") || name.starts_with("$comment")) return;
  const std::string below = base::JsonPointer("", name);
  if (const KeywordInfo* other = FindKeyword(name); other != nullptr) {
    if (!other->IsIn(subject.rules.dialect) && other->keyword != Keyword::kId) {
      Warn(subject, "SCHEMA_KEYWORD_OTHER_DIALECT", below,
           fmt::format("the keyword '{}' has no effect in {}", name, DialectName(subject.rules.dialect)),
           fmt::format("it belongs to {} to {}", DialectName(other->first), DialectName(other->last)));
    }
    return;
  }
  std::vector<std::string_view> known;
  for (const KeywordInfo& info : Keywords()) {
    if (info.IsIn(subject.rules.dialect)) known.push_back(info.name);
  }
  const std::string_view nearest = base::Nearest(name, known);
  if (nearest.empty()) return;
  Warn(subject, "SCHEMA_KEYWORD_UNKNOWN", below,
       fmt::format("unknown keyword '{}' has no effect", base::Shortened(name)),
       fmt::format("did you mean '{}'?", nearest));
}

void Compiler::CheckHiddenSiblings(const Subject& subject) {
  for (const auto& member : *subject.object) {
    const KeywordInfo* info = subject.rules.Find(View(member.key()));
    if (info == nullptr || info->vocabulary == kCore || info->vocabulary == kMetaData) continue;
    Warn(subject, "SCHEMA_REF_SIBLING", fmt::format("/{}", info->name),
         fmt::format("'{}' has no effect beside $ref in {}", info->name, DialectName(subject.rules.dialect)),
         "put both into allOf");
  }
}

// Depth first over the edges that consume no input; an edge back into the path is a loop.
void Compiler::FindEndlessReferences() {
  enum class Colour : uint8_t { kNew, kOpen, kDone };
  struct Frame {
    const Node* node;
    std::vector<const Node*> next;
    size_t at = 0;
  };
  absl::flat_hash_map<const Node*, Colour> colours;
  for (const Node& start : program_->nodes) {
    if (start.in_place == nullptr || colours[&start] != Colour::kNew) continue;
    std::vector<Frame> path;
    const auto open = [&](const Node* node) {
      colours[node] = Colour::kOpen;
      path.push_back({.node = node, .next = {}, .at = 0});
      AppendInPlace(*node, path.back().next);
    };
    open(&start);
    while (!path.empty()) {
      Frame& frame = path.back();
      if (frame.at == frame.next.size()) {
        colours[frame.node] = Colour::kDone;
        path.pop_back();
        continue;
      }
      const Node* next = frame.next[frame.at++];
      const Colour colour = colours[next];
      if (colour == Colour::kNew) open(next);
      if (colour != Colour::kOpen) continue;
      const bool by_ref = frame.node->in_place->ref == next;
      const Place* place = resources_.PlaceOf(*sources_.at(frame.node));
      resources_.AddProblem(base::Severity::kError, "SCHEMA_REF_LOOP", *place, by_ref ? "/$ref" : "",
                            "the schema comes back to itself without going deeper into the instance, so that "
                            "evaluating it would never end");
    }
  }
}

size_t Compiler::MemoryBytes() const {
  size_t bytes = sizeof(Program);
  for (const Node& node : program_->nodes) {
    bytes += sizeof node + node.pointer.capacity();
    if (node.object) {
      bytes += sizeof *node.object;
      for (const std::string& name : node.object->names.names()) bytes += sizeof name + name.capacity() + 32;
    }
    if (node.array) bytes += sizeof *node.array + node.array->prefix.size() * sizeof(void*);
    if (node.string) bytes += sizeof *node.string;
    if (node.number) bytes += sizeof *node.number;
    if (node.in_place) bytes += sizeof *node.in_place;
    for (const Values* values : {node.enumeration.get(), node.constant.get()}) {
      if (values != nullptr) bytes += sizeof *values + values->count * 96;
    }
  }
  // A pattern's program; its cache of states grows to at most 2 MiB while it is used.
  for (const Pattern& pattern : program_->patterns) bytes += 4096 + pattern.text().size() * 64;
  return bytes;
}

void Compiler::Error(const Subject& subject, std::string_view code, std::string_view below, std::string message,
                     std::string hint) {
  resources_.AddProblem(base::Severity::kError, code, subject.place, below, std::move(message), std::move(hint));
}

void Compiler::Warn(const Subject& subject, std::string_view code, std::string_view below, std::string message,
                    std::string hint) {
  resources_.AddProblem(base::Severity::kWarning, code, subject.place, below, std::move(message), std::move(hint));
}

void Compiler::WrongKind(const Subject& subject, const Member& member, std::string_view wanted, std::string hint) {
  Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member),
        fmt::format("'{}' must be {}, not {}", member.name, wanted, base::JsonKindName(*member.value)),
        std::move(hint));
}

std::string Compiler::Below(const Member& member) { return base::JsonPointer("", member.name); }

CompileResult Compile(const Json& schema, const CompileOptions& options) { return Compiler(schema, options).Run(); }

}  // namespace tasker::json_schema
