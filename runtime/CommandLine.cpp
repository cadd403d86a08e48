#include "runtime/CommandLine.h"

#include "runtime/Error.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <getopt.h>
#include <limits>

namespace sinter::runtime {

namespace {

/// What getopt returns for the first flag; below are letters and its own answers.
constexpr int firstFlag = 256;

template <typename T> T parseWhole(const char *name, std::string_view text, T least, T most) {
  T value = 0;
  const char *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && value >= least && value <= most)
    return value;
  const std::string range = most == std::numeric_limits<T>::max()
                                ? fmt::format("from {}", least)
                                : fmt::format("from {} to {}", least, most);
  throw UsageError(fmt::format("--{} takes a whole number {}, not `{}`", name, range, text));
}

} // namespace

int64_t detail::wholeNumber(const char *name, std::string_view text, int64_t least, int64_t most) {
  return parseWhole(name, text, least, most);
}

uint64_t detail::wholeNumber(const char *name, std::string_view text, uint64_t least,
                             uint64_t most) {
  return parseWhole(name, text, least, most);
}

Flag textFlag(const char *name, const char *argument, std::string help, std::string &target) {
  return {name, argument, std::move(help), [=, &target](std::string_view value) {
            if (value.empty())
              throw UsageError(fmt::format("--{} {}: there is nothing", name, argument));
            target = value;
          }};
}

Flag switchFlag(const char *name, std::string help, bool &target, char letter) {
  return {name,  nullptr, std::move(help), [&target](std::string_view) { target = true; },
          false, letter};
}

void readFlags(const std::vector<Flag> &flags, int argc, const char *const *argv) {
  std::vector<option> table;
  std::string letters = ":"; // says a missing value apart from an unknown name
  for (const Flag &flag : flags) {
    table.push_back({flag.name, flag.argument ? required_argument : no_argument, nullptr,
                     firstFlag + static_cast<int>(table.size())});
    if (flag.letter)
      letters += flag.letter;
  }
  table.push_back({});
  const auto unsuited = [](const std::string &what) {
    return UsageError(what + " (--help lists the flags)");
  };
  const auto indexOf = [&](int code) {
    if (code >= firstFlag)
      return static_cast<size_t>(code - firstFlag);
    const auto found = std::find_if(flags.begin(), flags.end(),
                                    [&](const Flag &flag) { return flag.letter == code; });
    return static_cast<size_t>(found - flags.begin());
  };
  // getopt sorts the words, so that it gets pointers of its own.
  std::vector<char *> words;
  for (int i = 0; i < argc; ++i)
    words.push_back(const_cast<char *>(argv[i])); // NOLINT(cppcoreguidelines-pro-type-const-cast)
  words.push_back(nullptr);
  std::vector<bool> given(flags.size());
  opterr = 0;
  optind = 0; // it begins anew
  for (;;) {
    const int code = getopt_long(argc, words.data(), letters.c_str(), table.data(), nullptr);
    if (code == -1)
      break;
    if (code == ':') {
      const Flag &flag = flags[indexOf(optopt)];
      throw unsuited(fmt::format("--{} wants its {}", flag.name, flag.argument));
    }
    if (code == '?' && optopt >= firstFlag)
      throw unsuited(fmt::format("--{} takes no value", flags[indexOf(optopt)].name));
    if (code == '?')
      throw unsuited(optopt ? fmt::format("there is no flag -{}", static_cast<char>(optopt))
                            : fmt::format("{} is no flag, nor the beginning of just one",
                                          words[static_cast<size_t>(optind) - 1]));
    const size_t index = indexOf(code);
    const Flag &flag = flags[index];
    if (given[index] && flag.argument && !flag.repeats)
      throw unsuited(fmt::format("--{} is given twice", flag.name));
    given[index] = true;
    flag.set(optarg ? optarg : "");
  }
  if (optind < argc)
    throw unsuited(fmt::format("`{}` belongs to no flag", words[static_cast<size_t>(optind)]));
}

std::string helpText(const std::vector<Flag> &flags) {
  constexpr size_t column = 28, width = 100;
  std::string text;
  for (const Flag &flag : flags) {
    std::string line =
        fmt::format("  {}--{}{}{}", flag.letter ? fmt::format("-{}, ", flag.letter) : "", flag.name,
                    flag.argument ? " " : "", flag.argument ? flag.argument : "");
    line.resize(std::max(line.size() + 1, column), ' ');
    std::string_view rest = flag.help;
    while (rest.size() > width - column) {
      const size_t space = rest.rfind(' ', width - column);
      if (space == std::string_view::npos)
        break;
      text += line.append(rest.substr(0, space)) + "\n";
      rest.remove_prefix(space + 1);
      line.assign(column, ' ');
    }
    text += line.append(rest) + "\n";
  }
  return text;
}

} // namespace sinter::runtime
