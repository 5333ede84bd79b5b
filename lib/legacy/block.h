#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/legacy/context.h"
#include "lib/template/keys.h"

/// One map of the old text, whose members are taken one by one; what nobody takes is set aside, so nothing is lost.
/// Private to lib/legacy.
namespace tasker::legacy {

struct Field {
  std::string key;  ///< without a Ruby symbol's colon
  Position position;
  Node value;
};

class Block {
 public:
  /// REQUIRES: map.is_map(); the document and the context outlive the block. A key that is there both plain and as a
  /// symbol is an error.
  Block(Context& context, Node map, Place place);

  Context& context() const { return context_; }
  const Place& place() const { return place_; }
  /// For a map whose place is known only after some of it was read (a step's name). REQUIRES: nothing was set aside.
  void set_place(Place place) { place_ = std::move(place); }
  Position position() const { return position_; }

  /// The first of the keys that has a value; the others stay, to be set aside. A key with null counts as absent and
  /// is used up. `becomes`, when it differs from the key, is noted as what the key has become.
  std::optional<Field> Take(std::initializer_list<std::string_view> keys, std::string_view becomes = "");
  /// Every field that nobody has taken, in the order of the text.
  std::vector<Field> TakeRest();

  /// Sets a taken field aside, saying why: "is no boolean".
  void SetAside(const Field& field, std::string_view why = "has no place in the new format");
  /// `x-…` keys go to `out`; everything else that nobody has taken is set aside.
  void Finish(JsonObject& out);

  /// Scalar text under `to`, which is also what a renamed key has become; a list or map is set aside.
  bool TakeText(std::initializer_list<std::string_view> keys, std::string_view to, JsonObject& out);
  /// The value as it is, under the same key.
  void TakeAny(std::string_view key, JsonObject& out);
  /// The members of the map under `key` that `known` has, without empty ones; the rest of it is set aside. nullopt when
  /// the key is missing, is no map (then it is set aside) or has nothing known.
  std::optional<JsonObject> TakeKnown(std::string_view key, const tmpl::KeyBlock& known);

 private:
  struct Slot {
    Field field;
    bool taken = false;
  };

  Context& context_;
  Place place_;
  Position position_;
  std::vector<Slot> slots_;
};

/// `node`'s members that `known` has, without empty ones; the rest is set aside under `place`. REQUIRES: node.is_map().
JsonObject KnownMembers(Context& context, Node node, Place place, const tmpl::KeyBlock& known);

}  // namespace tasker::legacy
