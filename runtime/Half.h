//===- Half.h - sixteen-bit reals to f32 ------------------------------------------------------===//
#pragma once

#include <bit>
#include <cstdint>

namespace sinter::runtime {

/// IEEE binary16, exactly.
constexpr float halfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16;
  const uint32_t exponent = half >> 10 & 0x1Fu;
  const uint32_t mantissa = half & 0x3FFu;
  if (exponent == 0) { // zero and subnormals: mantissa times 2^-24
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  const uint32_t biased = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | biased << 23 | mantissa << 13);
}

/// bfloat16 is the upper half of an f32.
constexpr float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

} // namespace sinter::runtime
