#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "client/completion.h"

// The scripts only ask this program (completion.h), so they never have to be made anew for another version of it.

namespace tasker::client {
namespace {

// Bash breaks words at ':' and '=', so it holds only the end of a reference for the word to be replaced: what stands
// before that end is taken off every answer.
constexpr char kBash[] = R"(_tasker_registryctl() {
  local line="${COMP_LINE:0:COMP_POINT}" words current seen kind before word
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="${words[-1]}"
  seen="${COMP_WORDS[COMP_CWORD]}"
  [[ $seen == [:=@] ]] && seen=""
  before="${current%"$seen"}"
  COMPREPLY=()
  {
    IFS= read -r kind || return 0
    if [[ $kind == files ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$seen")
      return 0
    fi
    while IFS=$'\t' read -r word _; do
      COMPREPLY+=("${word#"$before"}")
    done
  } < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  [[ $kind == open ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _tasker_registryctl tasker-registryctl
)";

constexpr char kZsh[] = R"(#compdef tasker-registryctl
_tasker_registryctl() {
  local -a lines offers
  local line
  lines=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
  if [[ ${lines[1]} == files ]]; then
    _files
    return
  fi
  for line in "${(@)lines[2,-1]}"; do
    offers+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if [[ ${lines[1]} == open ]]; then
    _describe 'tasker-registryctl' offers -S ''
  else
    _describe 'tasker-registryctl' offers
  fi
}
compdef _tasker_registryctl tasker-registryctl
)";

constexpr char kFish[] = R"(function __tasker_registryctl_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
  if test "$lines[1]" = files
    __fish_complete_path "$current"
  else if test (count $lines) -gt 1
    printf '%s\n' $lines[2..-1]
  end
end
complete -c tasker-registryctl -f -a '(__tasker_registryctl_complete)'
)";

}  // namespace

Run AddCompletion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "The shell that shall complete")
      ->type_name("SHELL")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  return [shell](const Session&) {
    Print(*shell == "bash" ? kBash : *shell == "zsh" ? kZsh : kFish);
    return kDone;
  };
}

}  // namespace tasker::client
