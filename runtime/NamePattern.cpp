#include "runtime/NamePattern.h"

#include <algorithm>

namespace sinter::runtime {

std::vector<std::string> splitName(std::string_view name) {
  std::vector<std::string> names(1);
  for (char letter : name) {
    if (letter == '.')
      names.emplace_back();
    else
      names.back() += letter;
  }
  return names;
}

bool isAtOrBeneath(std::string_view name, std::string_view path) {
  return name.starts_with(path) && (name.size() == path.size() || name[path.size()] == '.');
}

NamePattern::NamePattern(std::string_view text) {
  Step step;
  std::string word;
  const auto endName = [&] {
    if (word == "*")
      step.any = true;
    else if (word == "**")
      step.anyDepth = true;
    else if (!word.empty())
      step.names.push_back(word);
    word.clear();
  };
  for (char letter : text) {
    if (letter == '.' || letter == ',' || letter == '{' || letter == '}')
      endName();
    else if (letter != ' ')
      word += letter;
    if (letter == '.') {
      steps.push_back(std::move(step));
      step = {};
    }
  }
  endName();
  matricesOnly = step.names == std::vector<std::string>{"weights"};
  if (!matricesOnly)
    steps.push_back(std::move(step));
}

bool NamePattern::matches(std::string_view name, size_t rank) const {
  if (matricesOnly && rank < 2)
    return false;
  // reached[i]: the first i steps say the names so far. Row by row, so that many `**` cost no more than steps times names.
  std::vector<bool> reached(steps.size() + 1, false);
  const auto skipDepths = [&] {
    for (size_t i = 0; i < steps.size(); ++i)
      if (reached[i] && steps[i].anyDepth)
        reached[i + 1] = true;
  };
  reached[0] = true;
  skipDepths();
  if (reached.back())
    return true;
  for (const std::string &part : splitName(name)) {
    std::vector<bool> next(steps.size() + 1, false);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (!reached[i])
        continue;
      const Step &step = steps[i];
      if (step.anyDepth)
        next[i] = true;
      else if (step.any ||
               std::find(step.names.begin(), step.names.end(), part) != step.names.end())
        next[i + 1] = true;
    }
    reached = std::move(next);
    skipDepths();
    if (reached.back())
      return true;
  }
  return false;
}

} // namespace sinter::runtime
