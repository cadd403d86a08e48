//===- Text.h - small pieces of what is printed -----------------------------------------------===//
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fmt/format.h>
#include <string>

namespace sinter::runtime {

/// To stdout, at once. A reader that has gone away is no error: training matters more.
inline void printOut(const std::string &text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

inline void printError(const std::string &text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

/// A number as JSON: nine digits give an f32 back exactly; what is not finite is null.
inline std::string jsonNumber(double value) {
  return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null";
}

/// 60000 as 60,000.
inline std::string grouped(int64_t count) {
  std::string text = std::to_string(count);
  for (auto at = static_cast<ptrdiff_t>(text.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<size_t>(at), ",");
  return text;
}

/// 3725 seconds as 1:02:05, 65 as 1:05.
inline std::string clockText(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

} // namespace sinter::runtime
