//===- ContractionKey.h - what a contraction is, whatever program it stands in --------------------===//
#pragma once

#include <string>

namespace sinter::kernel {
class ContractOp;
}

namespace sinter::codegen {

/// Sixteen hexadecimal digits that follow from extents, blocks, operand types, maps and epilogue, and from nothing else: no name, place or address, and
/// not the schedule.
std::string keyOf(kernel::ContractOp op);

/// The same for people, in part: `rows [64] cols 10 sum [512]`.
std::string describe(kernel::ContractOp op);

} // namespace sinter::codegen
