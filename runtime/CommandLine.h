//===- CommandLine.h - flags of a program, by getopt_long -------------------------------------===//
// The C library reads the line as any GNU program does (`--name value`, `--name=value`, unique beginnings of names); here
// are the table of flags, what is wrong with a line, and the help text. Nothing larger, for it is part of every program.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sinter::runtime {

struct Flag {
  const char *name;     ///< without the dashes
  const char *argument; ///< what the help calls its value; null: it takes none
  std::string help;
  std::function<void(std::string_view value)> set; ///< throws UsageError
  bool repeats = false;                            ///< may be given more than once
  char letter = 0;                                 ///< a short name; 0: none. Of switches only
};

/// A flag that sets `target` to a whole number from `least` to `most`.
template <typename T, typename Target>
Flag numberFlag(const char *name, std::string help, Target &target, T least, T most);

/// A flag that sets `target` to its value.
Flag textFlag(const char *name, const char *argument, std::string help, std::string &target);

/// A flag that is given or not.
Flag switchFlag(const char *name, std::string help, bool &target, char letter = 0);

/// Calls `set` of each flag that the line names, in the line's order. Throws UsageError that names the flag: unknown,
/// twice, without its value, with one that it does not take, or a word that belongs to no flag.
void readFlags(const std::vector<Flag> &flags, int argc, const char *const *argv);

/// The flags with their help in two columns, a line at most 100 wide.
std::string helpText(const std::vector<Flag> &flags);

namespace detail {
/// The whole number that `text` writes; throws UsageError with the range.
int64_t wholeNumber(const char *name, std::string_view text, int64_t least, int64_t most);
uint64_t wholeNumber(const char *name, std::string_view text, uint64_t least, uint64_t most);
} // namespace detail

template <typename T, typename Target>
Flag numberFlag(const char *name, std::string help, Target &target, T least, T most) {
  return {name, "N", std::move(help), [=, &target](std::string_view value) {
            target = detail::wholeNumber(name, value, least, most);
          }};
}

} // namespace sinter::runtime
