#include "lib/template/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/template/yaml_events.h"

namespace tasker::tmpl {
namespace {

using Handle = DocumentBuilder::Handle;
using base::Position;

// Ends reading when there is no point in going on; never leaves this file.
struct StopReading : std::exception {};

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";
constexpr size_t kMaxKeyBytes = 1000;       // libyaml looks 1,024 characters ahead
constexpr size_t kMaxTagDirectives = 1000;  // libyaml compares each with all others

class Reader {
 public:
  Reader(const ReadLimits& limits, base::IssueList& issues) : limits_(limits), issues_(issues) {}

  Document Finish() { return builder_.Finish(root_); }

  void Take(const YamlEvent& event) {
    switch (event.kind) {
      case YamlEvent::Kind::kDocumentStart:
        if (++documents_ == 1) break;
        Stop("YAML_MULTIPLE_DOCUMENTS", event.position, "the text holds more than one YAML document",
             "put each template into a file of its own");
      case YamlEvent::Kind::kAlias:
        return TakeAlias(event);
      case YamlEvent::Kind::kScalar:
        return TakeScalar(event);
      case YamlEvent::Kind::kListStart:
        return Open(NodeKind::kList, event);
      case YamlEvent::Kind::kMapStart:
        return Open(NodeKind::kMap, event);
      case YamlEvent::Kind::kEnd:
        return Close();
      case YamlEvent::Kind::kOther:
        break;
    }
  }

 private:
  // A finished node and what an alias of it brings in: nodes, itself included, bytes of text, and levels of lists and
  // maps.
  struct Anchored {
    Handle node;
    size_t nodes;
    size_t bytes;
    int height;
  };
  struct Container {
    NodeKind kind;
    Position position;
    std::string anchor;
    size_t nodes_before;     // node count when it was opened
    size_t bytes_before;     // byte count when it was opened
    Position last_position;  // of the latest key or item: where an empty value is reported
    int height = 0;          // levels inside it
    bool at_key = true;      // maps: the next event is a key
    bool merging = false;    // maps: the next value belongs to a '<<' key
    std::vector<Handle> children;
    std::vector<Handle> merges;
  };

  [[noreturn]] void Stop(std::string_view code, Position place, std::string message, std::string hint = "") {
    issues_.AddError(code, "", place, std::move(message), std::move(hint));
    throw StopReading();
  }

  [[noreturn]] void RefuseKey(Position place) {
    Stop("YAML_KEY_NOT_TEXT", place, "a key must be text, not a list or a map", "keys are plain words or quoted text");
  }

  [[noreturn]] void RefuseTag(std::string_view tag, Position place, const std::string& value) {
    for (const std::string_view known : {"str", "null", "bool", "int", "float", "seq", "map"}) {
      if (tag != fmt::format("{}{}", kCoreTag, known)) continue;
      Stop("YAML_TAG", place, fmt::format("{} is not what its tag !!{} says", base::Shortened(value), known),
           "correct the value or remove the tag");
    }
    const std::string name =
        tag.starts_with(kCoreTag) ? fmt::format("!!{}", tag.substr(kCoreTag.size())) : std::string(tag);
    Stop("YAML_TAG", place, fmt::format("tag '{}' is not of the YAML core schema", base::Shortened(name)),
         "only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are known; most values need no tag");
  }

  NodeKind KindByTag(std::string_view tag, std::string_view value, Position place) {
    if (tag.empty() || tag == "!" || tag == "tag:yaml.org,2002:str") return NodeKind::kString;
    const NodeKind kind = ClassifyPlain(value);
    const bool integer = kind == NodeKind::kInteger || kind == NodeKind::kHugeInteger;
    if (tag == "tag:yaml.org,2002:null" && kind == NodeKind::kNull) return kind;
    if (tag == "tag:yaml.org,2002:bool" && kind == NodeKind::kBool) return kind;
    if (tag == "tag:yaml.org,2002:int" && integer) return kind;
    if (tag == "tag:yaml.org,2002:float") {
      if (kind == NodeKind::kReal || kind == NodeKind::kNotFiniteReal) return kind;
      const bool decimal = value.find_first_not_of("+-0123456789") == std::string_view::npos;
      if (integer && decimal) return NodeKind::kReal;
    }
    RefuseTag(tag, place, fmt::format("'{}'", base::Shortened(value)));
  }

  void TakeScalar(const YamlEvent& event) {
    const bool is_key = ExpectsKey();
    NodeKind kind = event.plain ? ClassifyPlain(event.text) : KindByTag(event.tag, event.text, event.position);
    // An empty value is reported where its key is: libyaml gives it the place of the next token.
    const bool is_missing = event.plain && event.text.empty();
    const Position place = !is_missing ? event.position : open_.empty() ? Position{1, 1} : open_.back().last_position;
    if (event.text.find('\0') != std::string_view::npos) {
      Stop("YAML_NUL", place, "a NUL character cannot be stored", "remove the \\0 from the text");
    }
    if (is_key) CheckKey(event, kind);
    const std::string_view text = kind == NodeKind::kNull ? std::string_view() : event.text;
    Count(1, text.size(), place);
    const Anchored node{builder_.AddScalar(text, kind, !event.plain, place), 1, text.size(), 0};
    if (!is_key) return Attach(node, event.anchor, place);
    if (!event.anchor.empty()) anchors_[std::string(event.anchor)] = node;
    AttachKey(node.node, event.plain && event.text == "<<", place);
  }

  void CheckKey(const YamlEvent& event, NodeKind kind) {
    if (kind == NodeKind::kNull) {
      Stop("YAML_KEY_NOT_TEXT", event.position, "a key must be text, not null", "quote the key");
    }
    // libyaml does not look further for the ':' after a key, so a longer one could not be read back from JSON.
    if (event.text.size() > kMaxKeyBytes / 6 && base::JsonString(event.text).size() > kMaxKeyBytes) {
      Stop("YAML_KEY_TOO_LONG", event.position,
           fmt::format("a key has at most {} bytes, escapes included", kMaxKeyBytes), "shorten it");
    }
  }

  void TakeAlias(const YamlEvent& event) {
    const auto found = anchors_.find(std::string(event.anchor));
    if (found == anchors_.end()) {
      Stop("YAML_ALIAS_UNKNOWN", event.position,
           fmt::format("alias '*{}' names an anchor that is not there before it", base::Shortened(event.anchor)),
           "write '&NAME' in front of the value that it shall repeat");
    }
    if (!found->second) {
      Stop("YAML_ALIAS_CYCLE", event.position, "an alias refers to the list or map that contains it",
           "write the value out where it is needed");
    }
    const Anchored target = *found->second;
    Count(target.nodes, target.bytes, event.position);
    if (!ExpectsKey()) return Attach(target, "", event.position);
    const Node node = builder_.Get(target.node);
    if (!node.is_scalar() || node.is_null()) RefuseKey(event.position);
    AttachKey(target.node, false, event.position);
  }

  bool ExpectsKey() const { return !open_.empty() && open_.back().kind == NodeKind::kMap && open_.back().at_key; }

  // Aliases make text that expands without end, in nodes or in bytes; both are bounded by what they stand for.
  void Count(size_t nodes, size_t bytes, Position place) {
    nodes_ += nodes;
    bytes_ += bytes;
    if (nodes_ > limits_.nodes) {
      Stop("YAML_TOO_MANY_NODES", place,
           fmt::format("the text holds more than {} keys and values, aliases followed", limits_.nodes),
           "split the template, or write less by aliases");
    }
    if (bytes_ > limits_.text_bytes) {
      Stop("YAML_TOO_LARGE", place,
           fmt::format("the text has more than {} bytes, aliases followed", limits_.text_bytes),
           "write less by aliases");
    }
  }

  void CheckDepth(size_t depth, Position place) {
    if (depth <= static_cast<size_t>(limits_.depth)) return;
    Stop("YAML_TOO_DEEP", place, fmt::format("lists and maps are nested deeper than {} levels", limits_.depth),
         "flatten the value");
  }

  void Open(NodeKind kind, const YamlEvent& event) {
    const Position place = event.position;
    if (ExpectsKey()) RefuseKey(place);
    const std::string_view own_tag = kind == NodeKind::kMap ? "map" : "seq";
    if (event.tag != "!" && !event.tag.empty() && event.tag != fmt::format("{}{}", kCoreTag, own_tag)) {
      RefuseTag(event.tag, place, std::string(NodeKindPhrase(kind)));
    }
    CheckDepth(open_.size() + 1, place);
    Count(1, 0, place);
    if (!event.anchor.empty()) anchors_[std::string(event.anchor)] = std::nullopt;
    open_.push_back({kind, place, std::string(event.anchor), nodes_ - 1, bytes_, place, 0, true, false, {}, {}});
  }

  void Close() {
    Container container = std::move(open_.back());
    open_.pop_back();
    if (container.kind == NodeKind::kMap) {
      ReportDuplicateKeys(container);
      if (!container.merges.empty()) ApplyMerges(container);
    }
    const Handle node = builder_.AddContainer(container.kind, container.children, container.position);
    Attach({node, nodes_ - container.nodes_before, bytes_ - container.bytes_before, container.height + 1},
           container.anchor, container.position);
  }

  // Hands a finished, counted value to the container around it.
  void Attach(Anchored value, std::string_view anchor, Position place) {
    if (!anchor.empty()) anchors_[std::string(anchor)] = value;
    if (open_.empty()) {
      root_ = value.node;
      return;
    }
    CheckDepth(open_.size() + static_cast<size_t>(value.height), place);
    Container& container = open_.back();
    container.height = std::max(container.height, value.height);
    container.at_key = true;
    if (container.kind == NodeKind::kList) container.last_position = place;
    (std::exchange(container.merging, false) ? container.merges : container.children).push_back(value.node);
  }

  void AttachKey(Handle key, bool is_merge, Position place) {
    Container& container = open_.back();
    container.at_key = false;
    container.last_position = place;
    container.merging = is_merge;
    if (!is_merge) container.children.push_back(key);
  }

  void ReportDuplicateKeys(const Container& map) {
    std::vector<Handle> keys;
    for (size_t i = 0; i < map.children.size(); i += 2) keys.push_back(map.children[i]);
    std::stable_sort(keys.begin(), keys.end(),
                     [&](Handle a, Handle b) { return builder_.Get(a).text() < builder_.Get(b).text(); });
    for (size_t i = 1; i < keys.size(); ++i) {
      const Node first = builder_.Get(keys[i - 1]);
      const Node second = builder_.Get(keys[i]);
      if (first.text() != second.text()) continue;
      issues_.AddError("YAML_DUPLICATE_KEY", "", second.position(),
                       fmt::format("key '{}' is written twice; first in line {}", base::Shortened(second.text()),
                                   first.position().line),
                       "keep one of the two");
    }
  }

  // https://yaml.org/type/merge.html: the map's own keys win, then the earlier of the merged maps.
  void ApplyMerges(Container& map) {
    std::unordered_set<std::string> keys;
    for (size_t i = 0; i < map.children.size(); i += 2) keys.emplace(builder_.Get(map.children[i]).text());
    std::vector<Handle> sources;
    for (const Handle merged : map.merges) {
      const Node node = builder_.Get(merged);
      if (!node.is_list()) sources.push_back(merged);
      for (size_t i = 0; node.is_list() && i < node.size(); ++i) sources.push_back(builder_.ChildOf(merged, i));
    }
    for (const Handle source : sources) {
      const Node node = builder_.Get(source);
      if (!node.is_map()) {
        Stop("YAML_MERGE", node.position(),
             fmt::format("'<<' merges maps, and this is {}", NodeKindPhrase(node.kind())),
             "give '<<' an alias of a map, or a list of such aliases");
      }
      Count(2 * node.size(), 0, map.position);
      for (size_t i = 0; i < 2 * node.size(); i += 2) {
        const Handle key = builder_.ChildOf(source, i);
        if (!keys.emplace(builder_.Get(key).text()).second) continue;
        map.children.push_back(key);
        map.children.push_back(builder_.ChildOf(source, i + 1));
      }
    }
  }

  const ReadLimits& limits_;
  base::IssueList& issues_;
  DocumentBuilder builder_;
  std::vector<Container> open_;
  std::unordered_map<std::string, std::optional<Anchored>> anchors_;  // nullopt: its list or map is still open
  Handle root_ = 0;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
  int documents_ = 0;
};

Position PositionAt(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

// What no YAML reader should see: checked on the bytes, before any of them is interpreted.
bool BytesAreFine(std::string_view text, const ReadLimits& limits, base::IssueList& issues) {
  if (text.size() > limits.text_bytes) {
    issues.AddError("YAML_TOO_LARGE", "", {},
                    fmt::format("the text has {} bytes; at most {} are allowed", text.size(), limits.text_bytes),
                    "split the template");
    return false;
  }
  if (const size_t bad = base::FindInvalidUtf8(text); bad != std::string_view::npos) {
    issues.AddError("YAML_INVALID_UTF8", "", PositionAt(text, bad),
                    fmt::format("byte 0x{:02x} is not valid UTF-8", static_cast<unsigned char>(text[bad])),
                    "save the file as UTF-8");
    return false;
  }
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    issues.AddError("YAML_NUL", "", PositionAt(text, nul), "a NUL character cannot be stored",
                    "remove the NUL from the text");
    return false;
  }
  size_t tag_directives = 0;
  for (size_t at = text.find("%TAG"); at != std::string_view::npos; at = text.find("%TAG", at + 4)) {
    if (at > 0 && text[at - 1] != '\n' && text[at - 1] != '\r') continue;
    if (++tag_directives <= kMaxTagDirectives) continue;
    issues.AddError("YAML_TAG", "", PositionAt(text, at),
                    fmt::format("more than {} %TAG directives", kMaxTagDirectives),
                    "remove them: only core tags are known");
    return false;
  }
  return true;
}

std::string SyntaxHint(std::string_view text, Position place) {
  size_t start = 0;
  for (int line = 1; line < place.line && start < text.size(); ++line) {
    start = std::min(text.find('\n', start), text.size() - 1) + 1;
  }
  const std::string_view line = text.substr(start, text.find('\n', start) - start);
  const size_t indent = line.find_first_not_of(" \t");
  const bool has_tab = line.substr(0, std::min(indent, line.size())).find('\t') != std::string_view::npos;
  return has_tab ? "indent with blanks, not with tabs" : "";
}

}  // namespace

std::optional<Document> ReadYaml(std::string_view text, const ReadLimits& limits, base::IssueList& issues) {
  if (!BytesAreFine(text, limits, issues)) return std::nullopt;
  const size_t errors_before = issues.error_count();
  try {
    YamlEvents events(text);
    Reader reader(limits, issues);
    while (const std::optional<YamlEvent> event = events.Next()) reader.Take(*event);
    if (const std::optional<YamlEvents::Problem> problem = events.problem()) {
      issues.AddError("YAML_SYNTAX", "", problem->position, fmt::format("not valid YAML: {}", problem->message),
                      SyntaxHint(text, problem->position));
    }
    if (issues.error_count() == errors_before) return reader.Finish();
  } catch (const StopReading&) {
  }
  return std::nullopt;
}

}  // namespace tasker::tmpl
