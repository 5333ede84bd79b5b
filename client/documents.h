#pragma once

#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>
#include <string>
#include <string_view>

#include "client/output.h"
#include "client/registry_client.h"
#include "client/table.h"
#include "lib/base/json.h"

/// The server's answers as what the command line writes. Names are the protobuf fields'; numbers stay exact.
namespace tasker::client {

/// A template's canonical JSON with the keys in the order that people write them. The value itself where it is no
/// template of a kind that this program knows; null for text that is no JSON.
base::Json TemplateDocument(const std::string& canonical_json);

base::Json SummaryJson(const pb::TemplateSummary& summary);
base::Json CallableJson(const pb::CallableUse& use);
base::Json ResolutionJson(const pb::ResolveTemplateResponse& response);
base::Json StoredJson(const pb::GetTemplateResponse& response);
base::Json NoticeJson(const pb::StateNotice& notice);

/// "payments/refund:1.0.0 is deprecated since 2026-02-03T04:05:06Z (too slow); use payments/refund:^2", in one line.
std::string NoticeText(const std::string& reference, const pb::StateNotice& notice);

/// RFC 3339 in UTC, to the second; "" when unset.
std::string TimeText(const google::protobuf::Timestamp& time);

/// "class", "dotted_path", …
std::string CallableKindText(pb::CallableKind kind);

/// "active", "deprecated", "yanked"; StateNote is the same but for "active", which needs no note.
std::string StateText(pb::TemplateState state);
std::string StateNote(pb::TemplateState state);

/// "none", "warn", "enforce".
std::string PolicyText(pb::VersionPolicy policy);

/// A step's name, or "(the task)" for an empty one.
std::string StepOrTask(const std::string& step_name);

/// With commas between.
std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts);

/// The steps of a template document, one per row.
Table StepTable(const base::Json& document);

/// A scalar as itself, anything else as canonical JSON; "" for null.
std::string CellText(const base::Json& value);

}  // namespace tasker::client
