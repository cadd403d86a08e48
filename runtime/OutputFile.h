//===- OutputFile.h - a file that is there whole or not at all --------------------------------===//
#pragma once

#include <cstddef>
#include <string>

namespace sinter::runtime {

/// Writes FILE.tmp beside FILE; `commit` brings it to the disk and renames it. Whatever goes wrong
/// before that, a crash included, leaves an older FILE as it was; an error removes FILE.tmp. Errors
/// are Error and name the file.
class OutputFile {
public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  void write(const void *bytes, size_t count);
  void commit();

private:
  [[noreturn]] void fail(const char *what);

  std::string path, temporary;
  int descriptor = -1;
};

/// Makes a folder and those above it. Throws Error.
void makeFolder(const std::string &path);

} // namespace sinter::runtime
