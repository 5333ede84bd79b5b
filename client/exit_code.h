#pragma once

namespace tasker::client {

/// How the program ends.
enum ExitCode : int {
  kDone = 0,
  kWrongInput = 1,   ///< what the user's files hold is wrong, and it was said what; or the output cannot be written
  kUsage = 2,        ///< the command line itself is wrong
  kRefused = 3,      ///< the server refused the request, or does not know what was asked for
  kUnreachable = 4,  ///< no server answered in time
};

}  // namespace tasker::client
