//===- Link.cpp - objects and runtime to an executable, by lld in-process --------------------------===//

#include "compiler/codegen/Codegen.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <vector>

LLD_HAS_DRIVER(elf)

namespace sinter::codegen {
namespace {

// The link line of the C++ compiler that built the runtime, so that start files, search paths and libraries are its own. CMake
// asked the compiler for it; inputs stand at `@inputs@`, the output at `@output@`.
const char *const linkLine[] = {
#include "compiler/codegen/LinkLine.inc"
};

llvm::Error ioError(const std::error_code &code, llvm::StringRef what, llvm::StringRef path) {
  return llvm::createStringError(
      code, llvm::formatv("cannot {0} `{1}`: {2}", what, path, code.message()));
}

/// A file beside `path` that disappears unless it is kept.
llvm::Expected<llvm::sys::fs::TempFile> temporaryBeside(llvm::StringRef path,
                                                        llvm::StringRef suffix) {
  auto file = llvm::sys::fs::TempFile::create(path + ".%%%%%%" + suffix);
  if (!file)
    return ioError(llvm::errorToErrorCode(file.takeError()), "write", path);
  return file;
}

llvm::Error write(llvm::ArrayRef<char> bytes, llvm::sys::fs::TempFile &file) {
  llvm::raw_fd_ostream stream(file.FD, /*shouldClose=*/false);
  stream.write(bytes.data(), bytes.size());
  stream.flush();
  if (!stream.has_error())
    return llvm::Error::success();
  const std::error_code code = stream.error();
  stream.clear_error();
  return ioError(code, "write", file.TmpName);
}

} // namespace

llvm::Error linkProgram(llvm::ArrayRef<Object> objects, llvm::ArrayRef<std::string> libraries,
                        llvm::StringRef output) {
  if (llvm::sys::fs::is_directory(output))
    return ioError(std::make_error_code(std::errc::is_a_directory), "write", output);
  std::vector<llvm::sys::fs::TempFile> files; // an object each, then the program
  const llvm::scope_exit discard([&] {
    for (llvm::sys::fs::TempFile &file : files)
      llvm::consumeError(file.discard());
  });
  for (const Object &object : objects) {
    auto file = temporaryBeside(output, ".o");
    if (!file)
      return file.takeError();
    files.push_back(std::move(*file));
    if (llvm::Error error = write(object, files.back()))
      return error;
  }
  // lld replaces its output by a new file, so that only the name is taken here.
  auto programFile = temporaryBeside(output, "");
  if (!programFile)
    return programFile.takeError();
  files.push_back(std::move(*programFile));
  const std::string &program = files.back().TmpName;

  std::vector<const char *> arguments{"ld.lld"};
  for (llvm::StringRef word : linkLine) {
    if (word == "@output@") {
      arguments.push_back(program.c_str());
    } else if (word == "@inputs@") {
      for (const llvm::sys::fs::TempFile &file : llvm::ArrayRef(files).drop_back())
        arguments.push_back(file.TmpName.c_str());
      for (const std::string &library : libraries)
        arguments.push_back(library.c_str());
    } else {
      arguments.push_back(word.data());
    }
  }
  // Small: what nothing reaches and what stands twice goes (no code of ours compares functions by address), and so does the
  // long form of relocations (glibc knows the short one since 2.36).
  for (const char *word : {"--gc-sections", "--icf=all", "-z", "pack-relative-relocs",
                           "--as-needed", "--strip-all", "-lz", "-lpthread"})
    arguments.push_back(word);

  std::string messages;
  llvm::raw_string_ostream messageStream(messages);
  const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
  lld::Result result = lld::lldMain(arguments, messageStream, messageStream, drivers);
  if (result.retCode != 0)
    return llvm::createStringError("cannot link `" + output + "`:\n" +
                                   llvm::StringRef(messages).rtrim());

  if (std::error_code code = llvm::sys::fs::setPermissions(
          program, llvm::sys::fs::all_read | llvm::sys::fs::all_exe | llvm::sys::fs::owner_write))
    return ioError(code, "write", output);
  if (std::error_code code = llvm::sys::fs::rename(program, output))
    return ioError(code, "write", output);
  return llvm::Error::success();
}

} // namespace sinter::codegen
