#include <absl/time/clock.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/registry_client.h"

namespace tasker::client {
namespace {

constexpr int kPageSize = 1000;  // the most that the server gives
constexpr int kDefaultLimit = 100;
constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
constexpr absl::Duration kSignalPoll = absl::Milliseconds(50);

constexpr std::string_view kKindPrefix = "CHANGE_KIND_";
constexpr std::string_view kPolicyPrefix = "VERSION_POLICY_";

// "REGISTER"; the number of a kind that this program does not know.
std::string KindText(pb::ChangeKind kind) {
  const std::string name = pb::ChangeKind_Name(kind);
  return name.empty() ? std::to_string(kind) : name.substr(kKindPrefix.size());
}

std::string PolicyText(pb::VersionPolicy policy) {
  const std::string name = pb::VersionPolicy_Name(policy);
  if (policy == pb::VERSION_POLICY_UNSPECIFIED) return "";
  return name.empty() ? std::to_string(policy) : name.substr(kPolicyPrefix.size());
}

// "payments/refund:1.0.0", or what there is of it.
std::string SubjectText(const pb::Change& change) {
  std::string text = change.namespace_name();
  if (!change.name().empty()) text += "/" + change.name();
  if (!change.version().empty()) text += ":" + change.version();
  return text;
}

// What else the change says, by kind.
std::string DetailText(const pb::Change& change) {
  std::vector<std::string> parts;
  if (!change.channel().empty()) parts.push_back(change.channel());
  if (!change.old_version().empty()) parts.push_back("was " + change.old_version());
  if (change.version_policy() != pb::VERSION_POLICY_UNSPECIFIED) parts.push_back(PolicyText(change.version_policy()));
  if (!change.message().empty()) parts.push_back(change.message());
  if (!change.replacement().empty()) parts.push_back("use " + change.replacement());
  return fmt::format("{}", fmt::join(parts, ", "));
}

base::JsonObject ChangeJson(const pb::Change& change) {
  return {{"revision", change.revision()},
          {"kind", KindText(change.kind())},
          {"namespace_name", change.namespace_name()},
          {"name", change.name()},
          {"version", change.version()},
          {"digest", change.digest()},
          {"channel", change.channel()},
          {"old_version", change.old_version()},
          {"message", change.message()},
          {"replacement", change.replacement()},
          {"version_policy", PolicyText(change.version_policy())},
          {"actor", change.actor()},
          {"peer", change.peer()},
          {"source_revision", change.source_revision()},
          {"source_uri", change.source_uri()},
          {"create_time", TimeText(change.create_time())}};
}

struct LogArguments {
  std::string subject;
  std::vector<std::string> kinds;
  int limit = kDefaultLimit;
  bool oldest_first = false;
  pb::ListChangesRequest request;
};

// False for a kind that does not exist.
bool AddKind(const std::string& word, pb::ListChangesRequest& request) {
  std::string name(kKindPrefix);
  for (const char c : word) name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  pb::ChangeKind kind = pb::CHANGE_KIND_UNSPECIFIED;
  if (!pb::ChangeKind_Parse(name, &kind) || kind == pb::CHANGE_KIND_UNSPECIFIED) return false;
  request.add_kinds(kind);
  return true;
}

std::string KindNames() {
  std::string names;
  for (int kind = pb::ChangeKind_MIN + 1; kind <= pb::ChangeKind_MAX; ++kind) {
    if (!names.empty()) names += ", ";
    for (const char c : KindText(static_cast<pb::ChangeKind>(kind))) {
      names += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return names;
}

ExitCode PrintLog(const std::vector<pb::Change>& changes, OutputFormat format) {
  if (format != OutputFormat::kTable) {
    base::JsonArray rows;
    for (const pb::Change& change : changes) rows.push_back(ChangeJson(change));
    PrintDocument(rows, format);
    return kDone;
  }
  Table table({"REVISION", "WHEN", "WHAT", "SUBJECT", "DETAIL", "WHO", "SOURCE"});
  for (const pb::Change& change : changes) {
    table.AddRow({std::to_string(change.revision()), TimeText(change.create_time()), KindText(change.kind()),
                  SubjectText(change), DetailText(change), change.actor().empty() ? change.peer() : change.actor(),
                  change.source_revision()});
  }
  PrintTable(table);
  return kDone;
}

ExitCode Log(LogArguments arguments, const Session& session) {
  pb::ListChangesRequest& request = arguments.request;
  for (const std::string& kind : arguments.kinds) {
    if (AddKind(kind, request)) continue;
    PrintError(fmt::format("--kind: there is no '{}', but {}", kind, KindNames()));
    return kUsage;
  }
  const size_t slash = arguments.subject.find('/');
  request.set_namespace_name(arguments.subject.substr(0, slash));
  if (slash != std::string::npos) request.set_name(arguments.subject.substr(slash + 1));
  request.set_newest_first(!arguments.oldest_first);
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  std::vector<pb::Change> changes;
  do {
    const int left = arguments.limit - static_cast<int>(changes.size());
    request.set_page_size(arguments.limit == 0 ? kPageSize : std::min(left, kPageSize));
    const auto page = (*client)->ListChanges(request);
    if (!page.ok()) return PrintFailure(page.status());
    changes.insert(changes.end(), page->changes().begin(), page->changes().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() &&
           (arguments.limit == 0 || changes.size() < static_cast<size_t>(arguments.limit)));
  if (changes.empty()) PrintNote("no change matches");
  if (!request.page_token().empty())
    PrintNote(fmt::format("there are more; --limit shows more than {}", arguments.limit));
  return PrintLog(changes, session.format);
}

// Calls `stop` on SIGINT or SIGTERM. Blocks both in this thread, and so in all that are made after it.
class StopOnSignal {
 public:
  StopOnSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  void Start(std::function<void()> stop) {
    thread_ = std::jthread([this, stop = std::move(stop)](const std::stop_token& end) {
      const timespec pause = absl::ToTimespec(kSignalPoll);
      while (!end.stop_requested()) {
        if (sigtimedwait(&signals_, nullptr, &pause) > 0) {
          stopped_ = true;
          stop();
        }
      }
    });
  }
  bool stopped() const { return stopped_; }

 private:
  sigset_t signals_;
  std::atomic<bool> stopped_{false};
  std::jthread thread_;
};

struct WatchArguments {
  std::vector<std::string> subjects;
  std::optional<int64_t> from;
};

// What is printed of one watch, over all the calls that it takes.
class WatchOutput {
 public:
  explicit WatchOutput(OutputFormat format) : format_(format) {}

  // False when stdout takes nothing any more.
  bool Take(const pb::WatchTemplatesResponse& message) {
    pending_.insert(pending_.end(), message.changes().begin(), message.changes().end());
    if (message.continued()) return true;  // a watch that breaks here gets this revision again
    for (const pb::Change& change : pending_) PrintChange(change);
    pending_.clear();
    revision_ = message.revision();
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  }
  void Interrupt() { pending_.clear(); }

  // The last revision that was printed whole; none yet: nothing has come.
  std::optional<int64_t> revision() const { return revision_; }

 private:
  void PrintChange(const pb::Change& change) {
    if (format_ == OutputFormat::kJson) return Print(base::CanonicalJson(ChangeJson(change)) + "\n");
    const std::string subject = OneLine(SubjectText(change));
    const std::string detail = OneLine(DetailText(change));
    const std::string actor = OneLine(change.actor());
    if (StdoutIsTerminal()) {
      Print(fmt::format("{:>8}  {}  {:<14}  {}{}{}{}{}\n", change.revision(), TimeText(change.create_time()),
                        KindText(change.kind()), subject, detail.empty() ? "" : "  ", detail,
                        actor.empty() ? "" : "  by ", actor));
    } else {
      Print(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", change.revision(), TimeText(change.create_time()),
                        KindText(change.kind()), subject, detail, actor));
    }
  }

  const OutputFormat format_;
  std::vector<pb::Change> pending_;
  std::optional<int64_t> revision_;
};

// Sleeps for about `pause`, which then doubles, so that many clients do not come back at the same moment.
void Pause(absl::Duration& pause, const StopOnSignal& signal) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const absl::Time end = absl::Now() + pause * std::uniform_real_distribution<>(0.5, 1.5)(random);
  while (!signal.stopped() && absl::Now() < end) absl::SleepFor(std::min(kSignalPoll, pause));
  pause = std::min(2 * pause, kLongestPause);
}

ExitCode Watch(const WatchArguments& arguments, const Session& session) {
  StopOnSignal signal;  // before gRPC's threads
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  signal.Start([&client] { (*client)->CancelWatch(); });
  pb::WatchTemplatesRequest request;
  for (const std::string& subject : arguments.subjects) {
    (subject.find('/') == std::string::npos ? request.add_namespaces() : request.add_references())->assign(subject);
  }
  if (arguments.from) request.set_from_revision(*arguments.from);
  WatchOutput output(session.format);
  absl::Duration pause = kFirstPause;
  for (;;) {
    const absl::Status status = (*client)->WatchTemplates(request, [&](const pb::WatchTemplatesResponse& message) {
      pause = kFirstPause;
      return output.Take(message);
    });
    if (signal.stopped() || status.ok()) return kDone;
    // CANCELLED, not by us: a call that came while the server was stopping.
    const bool passes = absl::IsUnavailable(status) || absl::IsResourceExhausted(status) || absl::IsCancelled(status);
    if (!passes || !output.revision()) return PrintFailure(status);
    output.Interrupt();
    request.set_from_revision(*output.revision());
    PrintNote(fmt::format("{}; going on from revision {}", std::string(status.message()), *output.revision()));
    Pause(pause, signal);
    if (signal.stopped()) return kDone;
  }
}

}  // namespace

Run AddLog(CLI::App& app) {
  const auto arguments = std::make_shared<LogArguments>();
  app.add_option("subject", arguments->subject, "NAMESPACE or NAMESPACE/NAME")->type_name("SUBJECT");
  app.add_option_function<int64_t>(
         "--from", [arguments](int64_t r) { arguments->request.set_from_revision(r); },
         "Only what came after this revision")
      ->type_name("REVISION")
      ->check(CLI::NonNegativeNumber);
  app.add_option_function<int64_t>(
         "--to", [arguments](int64_t r) { arguments->request.set_to_revision(r); }, "Only up to this revision")
      ->type_name("REVISION")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--kind", arguments->kinds, "Only these, separated by commas:\n" + KindNames())
      ->type_name("KIND")
      ->delimiter(',');
  app.add_option("--limit", arguments->limit, "At most so many; 0: all")
      ->type_name("COUNT")
      ->capture_default_str()
      ->check(CLI::Range(0, 1'000'000'000));
  app.add_flag("--oldest-first", arguments->oldest_first, "In the order in which it happened");
  return [arguments](const Session& session) { return Log(*arguments, session); };
}

Run AddWatch(CLI::App& app) {
  const auto arguments = std::make_shared<WatchArguments>();
  app.add_option("subjects", arguments->subjects, "Only these: NAMESPACE or NAMESPACE/NAME")->type_name("SUBJECT");
  app.add_option_function<int64_t>(
         "--from", [arguments](int64_t revision) { arguments->from = revision; },
         "Begin after this revision; 0: with the oldest change that is kept")
      ->type_name("REVISION")
      ->check(CLI::NonNegativeNumber);
  return [arguments](const Session& session) { return Watch(*arguments, session); };
}

}  // namespace tasker::client
