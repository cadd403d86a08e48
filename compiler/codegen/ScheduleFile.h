//===- ScheduleFile.h - schedules that were found by measuring ------------------------------------===//
// One JSON object a line, so that a file can be read from the top, joined with another and looked at with line tools:
//   {"cpu": "znver4", "contraction": "0123456789abcdef", "what": "rows [64] …", "schedule": "#kernel.schedule<mr = 6, …>"}
// `contraction` is what keyOf gives. `block`, where it stands, replaces the blocks of the sum, which changes bits. Lines for other CPUs are
// left alone.
#pragma once

#include "compiler/codegen/Target.h"
#include "dialects/kernel/KernelOps.h"
#include "llvm/ADT/StringMap.h"
#include <vector>

namespace sinter::codegen {

struct TunedSchedule {
  std::string cpu, contraction, what, schedule;
  llvm::SmallVector<int64_t> block; ///< empty: the op's own
};

class ScheduleFile {
public:
  /// An error is `FILE:LINE: what is wrong`. Schedules for the target's CPU are parsed and must fit its registers.
  static llvm::Expected<ScheduleFile> read(llvm::StringRef path, const Target &target,
                                           mlir::MLIRContext &context);

  bool empty() const { return lines.empty(); }
  /// What a contraction is given on the target's CPU; null where the file says nothing of it.
  kernel::ScheduleAttr scheduleFor(llvm::StringRef contraction) const {
    const auto found = own.find(contraction);
    return found == own.end() ? kernel::ScheduleAttr() : found->second.second;
  }
  llvm::ArrayRef<int64_t> blockFor(llvm::StringRef contraction) const {
    const auto found = own.find(contraction);
    return found == own.end() ? llvm::ArrayRef<int64_t>() : lines[found->second.first].block;
  }

  /// Puts a line in, in place of one for the same CPU and contraction.
  void put(TunedSchedule tuned);
  /// The file appears whole or not at all.
  llvm::Error write(llvm::StringRef path) const;

private:
  std::vector<TunedSchedule> lines;
  llvm::StringMap<std::pair<size_t, kernel::ScheduleAttr>>
      own; ///< of the target's CPU, by contraction
};

} // namespace sinter::codegen
