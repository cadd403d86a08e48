//===- Metrics.h - records of a run, one JSON object a line -----------------------------------===//
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <string>
#include <utility>

namespace sinter::runtime {

/// A file of JSON lines. A new run begins it anew; a resumed one keeps the records up to where it
/// goes on, so none stands twice.
class JsonLines {
public:
  JsonLines() = default;
  ~JsonLines();
  JsonLines(const JsonLines &) = delete;
  JsonLines &operator=(const JsonLines &) = delete;

  void begin(const std::string &path);

  /// Keeps each record none of whose `keys` is above its limit; a broken last line goes.
  void resume(const std::string &path,
              std::initializer_list<std::pair<const char *, int64_t>> keys);

  /// Adds a record, at once. Throws Error if the disk does not take it. Does nothing before begin
  /// or resume.
  void add(const std::string &object);

private:
  void open(const char *mode);

  std::string path;
  std::FILE *file = nullptr;
};

} // namespace sinter::runtime
