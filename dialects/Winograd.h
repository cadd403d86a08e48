//===- Winograd.h - tiles of a 3×3 convolution, in numbers ----------------------------------------===//
// F(4×4, 3×3) of Winograd (Lavin and Gray 2016): sixteen outputs of a channel take 36 products in place of 144,
//   y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// of a window d of 6 × 6 and a filter g. Turned round, the filter's gradient is Gᵀ [(A dy Aᵀ) ⊙ (Bᵀ d B)] G.
//
// The tables are Toom and Cook's at the points 0, ±√½, ±√2 and ∞. The usual 0, ±1, ±2 and ∞ take numbers from 1/24 to 8, and
// lose more bits (Barabasz et al. 2020).
#pragma once

#include <cstdint>

namespace sinter::winograd {

/// Outputs, taps and inputs along an axis; products of a tile.
inline constexpr int64_t outputs = 4, taps = 3, inputs = 6, products = inputs * inputs;

inline constexpr double root2 = 1.41421356237309504880, rootHalf = root2 / 2;

/// Bᵀ. Rows 1 and 2, and rows 3 and 4, differ in the sign of their odd columns.
inline constexpr double ofInput[inputs][inputs] = {{1, 0, -2.5, 0, 1, 0},
                                                   {0, -root2, -2, rootHalf, 1, 0},
                                                   {0, root2, -2, -rootHalf, 1, 0},
                                                   {0, -rootHalf, -0.5, root2, 1, 0},
                                                   {0, rootHalf, -0.5, -root2, 1, 0},
                                                   {0, 1, 0, -2.5, 0, 1}};
/// Aᵀ. Columns 1 and 2, and columns 3 and 4, differ in the sign of their odd rows.
inline constexpr double ofOutput[outputs][inputs] = {
    {1, 1, 1, 1, 1, 0},
    {0, rootHalf, -rootHalf, root2, -root2, 0},
    {0, 0.5, 0.5, 2, 2, 0},
    {0, root2 / 4, -root2 / 4, 2 * root2, -2 * root2, 1}};
/// G.
inline constexpr double ofFilter[inputs][taps] = {{1, 0, 0},
                                                  {-2.0 / 3, -root2 / 3, -1.0 / 3},
                                                  {-2.0 / 3, root2 / 3, -1.0 / 3},
                                                  {1.0 / 6, root2 / 6, 1.0 / 3},
                                                  {1.0 / 6, -root2 / 6, 1.0 / 3},
                                                  {0, 0, 1}};

} // namespace sinter::winograd
