//===- Initializers.h - how parameters begin --------------------------------------------------===//
// Every element is a function of the seed, the state's name (purpose `init:NAME`) and its index in
// the saved order, so neither threads nor layouts move a value.
#pragma once

#include "runtime/Description.h"

#include <cstdint>
#include <span>
#include <vector>

namespace sinter::runtime {

/// A state's first values, in the saved order.
std::vector<float> initialValues(const State &state, uint64_t seed, unsigned threads = 1);

/// Writes the first values of these states to the state block, in their layouts.
void initialize(std::span<const State *const> states, uint64_t seed, unsigned threads,
                uint8_t *block);

} // namespace sinter::runtime
