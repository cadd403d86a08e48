//===- SweepOrder.h - in which order a sweep walks its axes ----------------------------------------===//
#pragma once

#include "dialects/kernel/KernelOps.h"

namespace sinter::kernel {

/// The parallel axes of a reduction in the order in which its largest input lies in memory, outermost first: loops and shares that go so
/// walk it from one end to the other. Of any other sweep, as they are. No bit depends on it.
llvm::SmallVector<unsigned> parallelAsInMemory(SweepOp sweep);

} // namespace sinter::kernel
