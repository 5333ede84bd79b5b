#pragma once

#include <utility>

#include "lib/json_schema/evaluation.h"
#include "lib/json_schema/instance.h"

/// What the files that define Evaluation's members share.
namespace tasker::json_schema {

template <bool kExplain>
class Evaluation<kExplain>::Step {
 public:
  explicit Step(Evaluation& evaluation) : evaluation_(evaluation) {}
  ~Step() {
    if constexpr (kExplain) {
      evaluation_.keyword_path_.resize(evaluation_.keyword_path_.size() - keywords_);
      evaluation_.instance_path_.resize(evaluation_.instance_path_.size() - parts_);
    }
  }
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  Step& Keyword(std::string_view name) { return AddKeyword({.name = name}); }
  Step& KeywordIndex(size_t index) { return AddKeyword({.name = {}, .index = index}); }
  Step& Part(std::string_view name) { return AddPart({.name = name}); }
  Step& PartIndex(size_t index) { return AddPart({.name = {}, .index = index}); }

 private:
  Step& AddKeyword(Token token) {
    if constexpr (kExplain) {
      evaluation_.keyword_path_.push_back(token);
      ++keywords_;
    }
    return *this;
  }
  Step& AddPart(Token token) {
    if constexpr (kExplain) {
      evaluation_.instance_path_.push_back(token);
      ++parts_;
    }
    return *this;
  }

  Evaluation& evaluation_;
  size_t keywords_ = 0;
  size_t parts_ = 0;
};

template <bool kExplain>
template <typename Message>
bool Evaluation<kExplain>::Fail(const Node& node, std::string_view keyword, const Message& message) {
  if constexpr (kExplain) {
    if (muted_ == 0) {
      if (units_.size() < max_units_) {
        Report(node, keyword, message());
      } else {
        ++omitted_;
      }
    }
  }
  return false;
}

}  // namespace tasker::json_schema
