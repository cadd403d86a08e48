//===- Nearest.cpp --------------------------------------------------------------------------===//
#include "compiler/semantics/Nearest.h"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace sinter::semantics {

size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> table(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        table[i][j] = i + j;
        continue;
      }
      size_t change = table[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.size()][b.size()];
}

static std::string lower(std::string_view text) {
  std::string result(text);
  for (char &letter : result)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return result;
}

std::vector<std::string> nearest(std::string_view name, const std::vector<std::string> &names,
                                 size_t count) {
  // A name longer than this is no slip, and the table would be large.
  constexpr size_t longest = 200;
  std::string wanted = lower(name);
  std::vector<std::tuple<size_t, size_t, std::string>> found; // distance, position, name
  if (wanted.empty() || wanted.size() > longest)
    return {};
  for (const std::string &each : names) {
    if (each.empty() || each.size() > longest || each == name)
      continue;
    std::string candidate = lower(each);
    size_t distance = editDistance(wanted, candidate);
    size_t allowed = std::max<size_t>(1, std::max(wanted.size(), candidate.size()) / 3);
    if (wanted.size() == 1 || candidate.size() == 1)
      allowed = 0; // one letter is no slip of another
    bool part = wanted.size() >= 3 && candidate.find(wanted) != std::string::npos;
    part |= candidate.size() >= 3 && wanted.find(candidate) != std::string::npos;
    if (distance <= allowed || part)
      found.emplace_back(distance, found.size(), each);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> result;
  for (const auto &[distance, position, each] : found)
    if (result.size() < count && std::find(result.begin(), result.end(), each) == result.end())
      result.push_back(each);
  return result;
}

std::string alternatives(const std::vector<std::string> &names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i)
      text += i + 1 == names.size() ? " or " : ", ";
    text += "`" + names[i] + "`";
  }
  return text;
}

std::string counted(size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string didYouMean(std::string_view name, const std::vector<std::string> &names) {
  std::vector<std::string> near = nearest(name, names);
  return near.empty() ? "" : "did you mean " + alternatives(near) + "?";
}

} // namespace sinter::semantics
