//===- Error.h - what stops a program, in words for its user ----------------------------------===//
// Every error is one sentence on what is wrong and, where the spec has a line for it, that line's
// place. The program prints `place: error: message` and ends with the error's exit code.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace sinter::runtime {

/// Something went wrong while running: a disk, a checkpoint, a description. Exit code 1.
class Error : public std::runtime_error {
public:
  explicit Error(const std::string &message, std::string where = {}, int code = 1)
      : std::runtime_error(message), place(std::move(where)), exitCode(code) {}

  std::string place; ///< `lenet.sinter:4:11`, or empty
  int exitCode;
};

/// The data is not what the spec says; the message names the file and the record.
class DataError : public Error {
public:
  DataError(const std::string &message, std::string where) : Error(message, std::move(where)) {}
};

/// The command line asks for something that is not there. Exit code 2.
class UsageError : public Error {
public:
  explicit UsageError(const std::string &message) : Error(message, {}, 2) {}
};

} // namespace sinter::runtime
