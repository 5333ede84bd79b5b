#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "client/command.h"
#include "client/documents.h"
#include "client/shown_template.h"
#include "client/table.h"
#include "lib/render/describe.h"
#include "lib/render/graph.h"

namespace tasker::client {
namespace {

template <typename List>
base::JsonArray JsonList(const List& items) {
  base::JsonArray out;
  for (const auto& item : items) out.emplace_back(item);
  return out;
}

base::Json DescriptionJson(const ShownTemplate& shown, const render::Description& description) {
  base::JsonArray waves, timings;
  for (const std::vector<std::string>& wave : description.waves) waves.push_back(JsonList(wave));
  for (const render::StepTiming& timing : description.timings) {
    timings.push_back(base::JsonObject{{"step_name", timing.step},
                                       {"attempts", timing.attempts},
                                       {"waits_ms", JsonList(timing.waits_ms)},
                                       {"has_timeout", timing.has_timeout},
                                       {"best_ms", timing.best_ms},
                                       {"worst_ms", timing.worst_ms}});
  }
  base::JsonObject calls;
  for (const auto& [system, count] : description.calls_per_system) calls[system] = count;
  return base::JsonObject{{"reference", shown.reference},
                          {"environment", shown.environment},
                          {"environment_defined", shown.environment_defined},
                          {"waves", std::move(waves)},
                          {"critical_path", JsonList(description.critical_path)},
                          {"best_ms", description.best_ms},
                          {"worst_ms", description.worst_ms},
                          {"untimed_steps", JsonList(description.untimed_steps)},
                          {"calls_per_system", std::move(calls)},
                          {"timings", std::move(timings)}};
}

// "1 s, 2 s, 4 s, 30 s ×7": a wait that repeats is there once.
std::string WaitsText(const std::vector<uint64_t>& waits_ms) {
  std::string out;
  for (size_t i = 0; i < waits_ms.size();) {
    size_t end = i + 1;
    while (end < waits_ms.size() && waits_ms[end] == waits_ms[i]) ++end;
    if (!out.empty()) out += ", ";
    out += render::DurationText(waits_ms[i]);
    if (end - i > 1) out += fmt::format(" ×{}", end - i);
    i = end;
  }
  return out;
}

// One row a step, in the order of the waves; steps of one wave can run at the same time.
Table ScheduleTable(const render::Description& description) {
  std::unordered_map<std::string_view, const render::StepTiming*> timing_of;
  for (const render::StepTiming& timing : description.timings) timing_of[timing.step] = &timing;
  const std::unordered_set<std::string_view> critical(description.critical_path.begin(),
                                                      description.critical_path.end());
  Table table({"WAVE", "STEP", "ATTEMPTS", "WAITS BETWEEN", "TIMEOUT", "WORST CASE"});
  for (size_t wave = 0; wave < description.waves.size(); ++wave) {
    for (const std::string& step : description.waves[wave]) {
      const render::StepTiming& timing = *timing_of.at(step);
      table.AddRow({std::to_string(wave + 1), step + (critical.contains(step) ? " *" : ""),
                    std::to_string(timing.attempts), WaitsText(timing.waits_ms),
                    timing.has_timeout ? render::DurationText(timing.best_ms) : "none",
                    render::DurationText(timing.worst_ms)});
    }
  }
  return table;
}

void PrintDescription(const ShownTemplate& shown, const render::Description& description) {
  const bool is_bound = description.untimed_steps.empty();
  const std::string rest = is_bound ? "" : " and what the steps without a timeout take";
  std::vector<std::pair<std::string, std::string>> fields{
      {"reference", shown.reference},
      {"environment", shown.environment.empty() ? "(none: the base template)" : shown.environment},
      {"best_case", render::DurationText(description.best_ms) + rest},
      {"worst_case", render::DurationText(description.worst_ms) + rest},
      {"critical_path", fmt::format("{}", fmt::join(description.critical_path, " → "))}};
  if (!is_bound) fields.emplace_back("untimed_steps", fmt::format("{}", fmt::join(description.untimed_steps, ", ")));
  PrintRecord(fields, LongValues::kWrapped);
  Print("\n");
  PrintTable(ScheduleTable(description));
  Table calls({"SYSTEM", "CALLS AT MOST"});
  for (const auto& [system, count] : description.calls_per_system) calls.AddRow({system, std::to_string(count)});
  Print("\n");
  PrintTable(calls);
}

ExitCode Describe(const TemplateChoice& choice, const Session& session) {
  ExitCode code = kDone;
  const std::optional<ShownTemplate> shown = LoadShown(choice, session, code);
  if (!shown) return code;
  const render::Description description = render::Describe(shown->tmpl);
  if (session.format == OutputFormat::kTable) {
    PrintDescription(*shown, description);
  } else {
    PrintDocument(DescriptionJson(*shown, description), session.format);
  }
  return kDone;
}

struct GraphArguments {
  std::shared_ptr<TemplateChoice> choice;
  std::string format = "text";
};

ExitCode Graph(const GraphArguments& arguments, const Session& session) {
  ExitCode code = kDone;
  const std::optional<ShownTemplate> shown = LoadShown(*arguments.choice, session, code);
  if (!shown) return code;
  if (arguments.format == "mermaid") {
    Print(render::Mermaid(shown->tmpl));
  } else if (arguments.format == "dot") {
    Print(render::Dot(shown->tmpl));
  } else if (arguments.format == "svg") {
    const absl::StatusOr<std::string> svg = render::Svg(shown->tmpl);
    if (!svg.ok()) {
      PrintError(std::string(svg.status().message()));
      return kWrongInput;
    }
    Print(*svg);
  } else {
    Print(render::TextGraph(shown->tmpl, {TerminalWidth(), UsesColor(STDOUT_FILENO, {session.options.no_color})}));
  }
  return kDone;
}

}  // namespace

Run AddDescribe(CLI::App& app) {
  const std::shared_ptr<TemplateChoice> choice = AddTemplateChoice(app);
  return [choice](const Session& session) { return Describe(*choice, session); };
}

Run AddGraph(CLI::App& app) {
  const auto arguments = std::make_shared<GraphArguments>();
  arguments->choice = AddTemplateChoice(app);
  app.add_option("--format", arguments->format, "mermaid, dot, svg or text")
      ->check(CLI::IsMember({"mermaid", "dot", "svg", "text"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  return [arguments](const Session& session) { return Graph(*arguments, session); };
}

}  // namespace tasker::client
