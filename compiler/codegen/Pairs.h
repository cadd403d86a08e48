//===- Pairs.h - pairs of bfloat16, and their products ---------------------------------------------===//
// A pair is 32 bits: the number that comes first in the sum is the upper half, for AVX512-BF16 adds that half's product first. Its
// instruction is two fused multiply-adds that take denormal numbers for zero, in what they read and in what they give, and round to
// nearest whatever the thread's mode is. Tasks run in a mode that does the same (`runtime/FlushToZero.h`), so two multiply-adds give the
// same bits.
#pragma once

#include "compiler/codegen/Emitter.h"

namespace sinter::codegen {

/// What the products of a contraction are made of, and how they are summed.
enum class Products {
  F32,
  Pairs,        ///< of bfloat16, by AVX512-BF16
  EmulatedPairs ///< the same bits by fused multiply-adds of f32, from copies that hold each half as an f32
};

/// How many words of 32 bits hold a pair in a copy.
inline int64_t wordsOfPair(Products products) { return products == Products::Pairs ? 1 : 2; }

/// An f32, or a vector of them, rounded to bfloat16 as below, and an f32 again.
mlir::Value rounded(Emitter &emit, mlir::Value number);

/// Of two f32, or two vectors of sixteen, rounded: to the nearest, to even between two, denormal numbers to zero.
mlir::Value pairOf(Emitter &emit, mlir::Value first, mlir::Value second);

/// Sixteen pairs of 32 numbers that lie side by side: the first sixteen and the others.
mlir::Value pairsOfRun(Emitter &emit, mlir::Value low, mlir::Value high);

/// sum + a's first · b's first, and then + a's second · b's second, in each of sixteen lanes: by AVX512-BF16.
mlir::Value addPairs(Emitter &emit, mlir::Value a, mlir::Value b, mlir::Value sum);

} // namespace sinter::codegen
