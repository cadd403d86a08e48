//===- Terminal.cpp - colours, and errors that have no place in a spec ------------------------===//
#include "compiler/driver/Terminal.h"

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <unistd.h>

namespace sinter::driver {

bool hasColours() {
  const char *no = std::getenv("NO_COLOR");
  const char *terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) && !(no && *no) &&
         !(terminal && std::string_view(terminal) == "dumb");
}

void printError(std::string_view message, std::string_view help) {
  fmt::print(stderr, "{}error{}: {}\n", hasColours() ? "\x1b[1;31m" : "",
             hasColours() ? "\x1b[0m" : "", message);
  if (!help.empty())
    fmt::print(stderr, "  = help: {}\n", help);
}

} // namespace sinter::driver
