//===- Terminal.h - colours, and errors that have no place in a spec --------------------------===//
#pragma once

#include <string_view>

namespace sinter::driver {

/// Whether stderr is a terminal that takes colours: NO_COLOR and TERM=dumb say no.
bool hasColours();

/// "error: MESSAGE" on stderr, with a help line where there is one.
void printError(std::string_view message, std::string_view help = "");

} // namespace sinter::driver
