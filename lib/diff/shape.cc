#include "lib/diff/shape.h"

namespace tasker::diff {
namespace {

using enum Area;
using enum Comparison;

constexpr Field kHandlerFields[] = {
    {"callable", kCallable},
    {"method", kCallable},
    {"resolver", kCallable},
    {"initialization", kInitialization},
};
constexpr Shape kHandler{kHandlerFields};

constexpr Field kSystemsFields[] = {
    {"primary", kSystem},
    {"secondary", kSystem, kSet},
};
constexpr Shape kSystems{kSystemsFields};

constexpr Field kDomainEventFields[] = {
    {"name", kEvent},
    {"description", kDocumentation},
    {"schema", kEventSchema, kSchema},
};
constexpr Shape kDomainEvent{kDomainEventFields};

constexpr Field kPublishedEventFields[] = {
    {"name", kPublication},   {"description", kDocumentation}, {"condition", kDelivery},
    {"publisher", kDelivery}, {"delivery_mode", kDelivery},    {"schema", kEventSchema, kSchema},
};
constexpr Shape kPublishedEvent{kPublishedEventFields};

constexpr Field kRetryFields[] = {
    {"retryable", kRetry},       {"limit", kRetry},          {"backoff", kRetry},
    {"backoff_base_ms", kRetry}, {"max_backoff_ms", kRetry},
};
constexpr Shape kRetryShape{kRetryFields};

constexpr Field kBatchFields[] = {
    {"batch_size", kBatch},      {"parallelism", kBatch},      {"cursor_field", kBatch},
    {"worker_template", kBatch}, {"failure_strategy", kBatch},
};
constexpr Shape kBatchShape{kBatchFields};

constexpr Field kStepFields[] = {
    {"name", kStep},
    {"description", kDocumentation},
    {"type", kStepType},
    {"handler", kCallable, kBlock, &kHandler},
    {"system_dependency", kSystem},
    {"dependencies", kDependency, kSet},
    {"retry", kRetry, kBlock, &kRetryShape},
    {"timeout_seconds", kTimeout},
    {"publishes_events", kPublication, kNamedBlocks, &kPublishedEvent},
    {"batch_config", kBatch, kBlock, &kBatchShape},
    {"result_schema", kResultSchema, kSchema},
    {"lifecycle", kLifecycle},
    {"composition", kInitialization},
};
constexpr Shape kStepShape{kStepFields};

constexpr Field kHandlerOverrideFields[] = {{"initialization", kEnvironment}};
constexpr Shape kHandlerOverride{kHandlerOverrideFields};

constexpr Field kRetryOverrideFields[] = {
    {"retryable", kEnvironment},       {"limit", kEnvironment},          {"backoff", kEnvironment},
    {"backoff_base_ms", kEnvironment}, {"max_backoff_ms", kEnvironment},
};
constexpr Shape kRetryOverride{kRetryOverrideFields};

constexpr Field kStepOverrideFields[] = {
    {"name", kEnvironment},
    {"handler", kEnvironment, kBlock, &kHandlerOverride},
    {"timeout_seconds", kEnvironment},
    {"retry", kEnvironment, kBlock, &kRetryOverride},
};
constexpr Shape kStepOverride{kStepOverrideFields};

constexpr Field kEnvironmentFields[] = {
    {"task_handler", kEnvironment, kBlock, &kHandlerOverride},
    {"steps", kEnvironment, kNamedBlocks, &kStepOverride},
};
constexpr Shape kEnvironmentShape{kEnvironmentFields};

constexpr Field kMetadataFields[] = {
    {"author", kDocumentation},     {"tags", kDocumentation, kSet}, {"documentation_url", kDocumentation},
    {"created_at", kDocumentation}, {"updated_at", kDocumentation},
};
constexpr Shape kMetadata{kMetadataFields};

constexpr Field kTemplateFields[] = {
    {"namespace_name", kIdentity},
    {"name", kIdentity},
    {"version", kVersion},
    {"description", kDocumentation},
    {"metadata", kDocumentation, kBlock, &kMetadata},
    {"task_handler", kCallable, kBlock, &kHandler},
    {"system_dependencies", kSystem, kBlock, &kSystems},
    {"domain_events", kEvent, kNamedBlocks, &kDomainEvent},
    {"input_schema", kInputSchema, kSchema},
    {"lifecycle", kLifecycle},
    {"steps", kStep, kNamedBlocks, &kStepShape},
    {"environments", kEnvironment, kBlockMap, &kEnvironmentShape},
};
constexpr Shape kTemplate{kTemplateFields};

}  // namespace

const Shape& TemplateShape() { return kTemplate; }

}  // namespace tasker::diff
