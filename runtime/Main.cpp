//===- Main.cpp - `main` of a compiled training program ---------------------------------------===//
#include "runtime/Abi.h"
#include "runtime/Error.h"
#include "runtime/Run.h"
#include "runtime/Stack.h"
#include "runtime/TaskExecutor.h"
#include "runtime/Text.h"

#include <malloc.h>

using namespace sinter::runtime;

int main(int argc, char **argv) {
  // Large buffers go back to the system at once: glibc would move this bound up to 32 MiB after the first that was freed, and
  // hold what initial values and files took while the steps run.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  try {
    if (sinter_program.version != abiVersion)
      throw Error(fmt::format("the program was compiled for version {} of the runtime, and this is "
                              "version {}: build it again",
                              sinter_program.version, abiVersion));
    const Description description =
        parseDescription({sinter_program.description, sinter_program.descriptionBytes});
    const auto factory = [](const Description &program, unsigned threads) {
      return std::make_unique<TaskExecutor>(program, sinter_program, threads);
    };
    int status = 0;
    callOnStack(description.stackBytes,
                [&] { status = runProgram(description, factory, argc, argv); });
    return status;
  } catch (const std::exception &error) {
    printError(fmt::format("error: {}\n", error.what()));
    return 1;
  }
}
