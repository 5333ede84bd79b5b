#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "client/command.h"
#include "client/local_check.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/sources.h"
#include "lib/legacy/convert.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> paths;
  std::string out;
  std::string namespace_name;
  bool in_place = false;
  bool check = false;
  bool no_backup = false;
};

// How often each thing happened.
struct Totals {
  size_t converted = 0;
  size_t already_new = 0;
  size_t failed = 0;
};

bool WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(file, text.data(), text.size());
    if (count < 0 && errno != EINTR) return false;
    text.remove_prefix(static_cast<size_t>(count < 0 ? 0 : count));
  }
  return fsync(file) == 0;
}

// Writes `text` beside `path`, with the permissions `mode`. "" and the name of the new file, or why not.
std::string WriteBeside(const std::string& path, std::string_view text, mode_t mode, std::string& name) {
  name = path + ".XXXXXX";
  const int file = mkstemp(name.data());
  if (file < 0) return std::strerror(errno);
  const bool written = fchmod(file, mode) == 0 && WriteAll(file, text);
  const int failure = errno;
  if (close(file) == 0 && written) return "";
  unlink(name.c_str());
  return std::strerror(failure);
}

// Whoever reads the path meanwhile finds the whole old text or the whole new one.
std::string ReplaceFile(const std::string& given, const std::string& old_text, const std::string& yaml, bool backup) {
  std::error_code error;
  const std::string path = fs::canonical(given, error).string();  // a link stays one
  struct stat status {};
  if (error || stat(path.c_str(), &status) != 0) return "it is gone";
  if (backup) {
    const std::string kept = path + ".bak";
    if (fs::exists(kept)) return fmt::format("{} exists already; remove it, or give --no-backup", kept);
    std::string copy;
    if (std::string problem = WriteBeside(path, old_text, status.st_mode & 0777, copy); !problem.empty())
      return problem;
    const bool linked = link(copy.c_str(), kept.c_str()) == 0;  // unlike rename, never over a file that is there
    const std::string problem = linked ? "" : fmt::format("{}: {}", kept, std::strerror(errno));
    unlink(copy.c_str());
    if (!linked) return problem;
  }
  std::string fresh;
  if (std::string problem = WriteBeside(path, yaml, status.st_mode & 0777, fresh); !problem.empty()) return problem;
  if (rename(fresh.c_str(), path.c_str()) == 0) return "";
  const std::string problem = std::strerror(errno);
  unlink(fresh.c_str());
  return problem;
}

// A new file; one that is there is left alone.
std::string CreateFile(const fs::path& path, const std::string& yaml) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return error.message();
  std::string fresh;
  if (std::string problem = WriteBeside(path.string(), yaml, 0644, fresh); !problem.empty()) return problem;
  const bool linked = link(fresh.c_str(), path.c_str()) == 0;
  const int failure = errno;
  unlink(fresh.c_str());
  if (linked) return "";
  return failure == EEXIST ? "it exists already, and nothing is overwritten" : std::strerror(failure);
}

// Where below --out the file goes: as it lies below the folder that was named, or by its own name.
fs::path OutputPath(const Arguments& arguments, const Source& source) {
  const fs::path file(source.name);
  for (const std::string& path : arguments.paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) continue;
    const fs::path below = file.lexically_relative(path);
    if (!below.empty() && *below.begin() != "..") return fs::path(arguments.out) / below;
  }
  return fs::path(arguments.out) / (source.name == "-" ? "stdin.yaml" : file.filename());
}

// The old text is JSON by its name, and the new one would not be.
bool LeavesJson(const Source& source, const legacy::Conversion& conversion) {
  return !conversion.already_new && fs::path(source.name).extension() == ".json";
}

// "" or why the text could not be put where it belongs.
std::string Deliver(const Arguments& arguments, const Source& source, const legacy::Conversion& conversion) {
  if (arguments.check) return "";
  if (!arguments.out.empty()) {
    fs::path path = OutputPath(arguments, source);
    if (LeavesJson(source, conversion)) path.replace_extension(".yaml");
    return CreateFile(path, conversion.yaml);
  }
  if (!arguments.in_place) {
    Print(conversion.yaml);
    return "";
  }
  if (conversion.already_new) return "";
  if (source.name == "-") return "stdin cannot be converted in place";
  if (LeavesJson(source, conversion)) return "the new text is YAML, no JSON; write it to another folder with --out";
  return ReplaceFile(source.name, source.text, conversion.yaml, !arguments.no_backup);
}

void ConvertSource(const Arguments& arguments, const Source& source, const Session& session, Totals& totals) {
  const std::string name = DisplayName(source.name);
  base::IssueList issues;
  legacy::ConvertOptions options;
  options.namespace_name = arguments.namespace_name;
  const auto conversion = legacy::Convert(source.text, options, issues);
  if (!conversion) {
    FileReport report;
    report.file = source.name;
    report.text = source.text;
    SetIssues(issues, report);
    PrintReport(TextReport(std::vector<FileReport>{report}, UsesColor(STDERR_FILENO, {session.options.no_color})));
    ++totals.failed;
    return;
  }
  if (conversion->already_new) PrintNote(name + " is in the new format already");
  PrintReport(legacy::NotesText(conversion->notes, name));
  if (const std::string problem = Deliver(arguments, source, *conversion); !problem.empty()) {
    PrintError(fmt::format("{} was not written: {}", name, problem));
    ++totals.failed;
    return;
  }
  ++(conversion->already_new ? totals.already_new : totals.converted);
}

ExitCode Convert(const Arguments& arguments, const Session& session) {
  const Sources sources = ReadSources(arguments.paths);
  for (const std::string& name : sources.repeated) PrintNote(DisplayName(name) + " is named twice and converted once");
  const bool to_stdout = arguments.out.empty() && !arguments.in_place && !arguments.check;
  if (to_stdout && sources.files.size() > 1) {
    PrintError("several files need --out DIR, --in-place or --check: stdout holds one template");
    return kUsage;
  }
  Totals totals;
  for (const SourceProblem& problem : sources.problems) {
    PrintError(fmt::format("{}: {}", DisplayName(problem.name), problem.message));
    ++totals.failed;
  }
  {
    Progress progress("converting", sources.files.size());
    for (const Source& source : sources.files) {
      ConvertSource(arguments, source, session, totals);
      progress.Advance();
    }
  }
  PrintNote(fmt::format("{} {}, {} already new, {} failed", totals.converted,
                        arguments.check ? "to convert" : "converted", totals.already_new, totals.failed));
  return totals.failed > 0 || (arguments.check && totals.converted > 0) ? kWrongInput : kDone;
}

}  // namespace

Run AddConvert(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("paths", arguments->paths, "Files, folders, or '-' for stdin")->required();
  auto* const out =
      app.add_option("--out", arguments->out, "Writes the new texts into this folder; overwrites nothing");
  auto* const in_place = app.add_flag("--in-place", arguments->in_place, "Replaces the files, keeping FILE.bak");
  auto* const check = app.add_flag("--check", arguments->check, "Writes nothing; ends with 1 when a file would change");
  app.add_flag("--no-backup", arguments->no_backup, "Keeps no FILE.bak")->needs(in_place);
  app.add_option("--namespace", arguments->namespace_name, "The namespace of templates that name none");
  out->excludes(in_place)->excludes(check);
  in_place->excludes(check);
  return [arguments](const Session& session) { return Convert(*arguments, session); };
}

}  // namespace tasker::client
