//===- Winograd.cpp - 3×3 convolutions in tiles of 4 × 4 outputs, tile by tile ------------------------===//
#include "compiler/reference/Winograd.h"

#include "dialects/Winograd.h"

namespace sinter::reference {
namespace {

using winograd::inputs, winograd::outputs, winograd::products, winograd::taps;
using Square = std::vector<double>; ///< row by row
using Table = llvm::function_ref<double(int64_t row, int64_t column)>;
using Round = llvm::function_ref<double(double)>;

/// table · square · tableᵀ, of a square of side `from` to one of side `to`.
Square transform(Table table, int64_t to, int64_t from, const Square &square, Round round) {
  Square half(to * from), whole(to * to);
  for (int64_t i = 0; i < to; ++i)
    for (int64_t j = 0; j < from; ++j)
      for (int64_t k = 0; k < from; ++k)
        half[i * from + j] =
            round(half[i * from + j] + round(round(table(i, k)) * square[k * from + j]));
  for (int64_t i = 0; i < to; ++i)
    for (int64_t j = 0; j < to; ++j)
      for (int64_t k = 0; k < from; ++k)
        whole[i * to + j] =
            round(whole[i * to + j] + round(half[i * from + k] * round(table(j, k))));
  return whole;
}

struct Tile {
  int64_t image, y, x; ///< the first output
};
Tile tileAt(const Winograd &s, int64_t tile) {
  const int64_t down = (s.outHeight + outputs - 1) / outputs;
  const int64_t across = (s.outWidth + outputs - 1) / outputs;
  const int64_t inImage = tile % (down * across);
  return {tile / (down * across), inImage / across * outputs, inImage % across * outputs};
}

Square window(const Winograd &s, const Tile &tile, int64_t channel, Winograd::Read x) {
  Square square(inputs * inputs);
  for (int64_t r = 0; r < inputs; ++r)
    for (int64_t c = 0; c < inputs; ++c) {
      const int64_t i = tile.y + r - s.top, j = tile.x + c - s.left;
      if (i >= 0 && i < s.height && j >= 0 && j < s.width)
        square[r * inputs + c] =
            x(((tile.image * s.height + i) * s.width + j) * s.channels + channel);
    }
  return transform([](int64_t i, int64_t j) { return winograd::ofInput[i][j]; }, inputs, inputs,
                   square, s.round);
}

/// visit(position in the square, element of y) where the tile is inside y.
template <typename Visit>
void forEachOutput(const Winograd &s, const Tile &tile, int64_t column, Visit visit) {
  for (int64_t r = 0; r < outputs; ++r)
    for (int64_t c = 0; c < outputs; ++c) {
      const int64_t i = tile.y + r, j = tile.x + c;
      if (i < s.outHeight && j < s.outWidth)
        visit(r * outputs + c,
              ((tile.image * s.outHeight + i) * s.outWidth + j) * s.columns + column);
    }
}

} // namespace

int64_t Winograd::tiles() const {
  return batch * ((outHeight + outputs - 1) / outputs) * ((outWidth + outputs - 1) / outputs);
}

void Winograd::forwards(Read x, Read u, Write y) const {
  for (int64_t number = 0; number < tiles(); ++number) {
    const Tile tile = tileAt(*this, number);
    std::vector<Square> windows;
    for (int64_t c = 0; c < channels; ++c)
      windows.push_back(window(*this, tile, c, x));
    for (int64_t o = 0; o < columns; ++o) {
      Square sums(products);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t e = 0; e < products; ++e)
          sums[e] = round(sums[e] + round(windows[c][e] * u((e * channels + c) * columns + o)));
      const Square result = transform([](int64_t i, int64_t j) { return winograd::ofOutput[i][j]; },
                                      outputs, inputs, sums, round);
      forEachOutput(*this, tile, o, [&](int64_t at, int64_t element) { y(element, result[at]); });
    }
  }
}

std::vector<double> Winograd::filters(Read w, bool turned) const {
  std::vector<double> result(products * channels * columns);
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t o = 0; o < columns; ++o) {
      Square square(taps * taps);
      for (int64_t tap = 0; tap < taps * taps; ++tap)
        square[tap] = turned ? w(((taps * taps - 1 - tap) * columns + o) * channels + c)
                             : w((tap * channels + c) * columns + o);
      const Square filter = transform([](int64_t i, int64_t j) { return winograd::ofFilter[i][j]; },
                                      inputs, taps, square, round);
      for (int64_t e = 0; e < products; ++e)
        result[(e * channels + c) * columns + o] = filter[e];
    }
  return result;
}

void Winograd::byWeight(Read x, Read dy, int64_t low, int64_t high, Write dw) const {
  std::vector<Square> sums(channels * columns, Square(products));
  for (int64_t number = low; number < high; ++number) {
    const Tile tile = tileAt(*this, number);
    std::vector<Square> windows;
    for (int64_t c = 0; c < channels; ++c)
      windows.push_back(window(*this, tile, c, x));
    for (int64_t o = 0; o < columns; ++o) {
      Square square(outputs * outputs);
      forEachOutput(*this, tile, o, [&](int64_t at, int64_t element) { square[at] = dy(element); });
      const Square slopes = transform([](int64_t i, int64_t j) { return winograd::ofOutput[j][i]; },
                                      inputs, outputs, square, round);
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t e = 0; e < products; ++e) {
          double &sum = sums[c * columns + o][e];
          sum = round(sum + round(windows[c][e] * slopes[e]));
        }
    }
  }
  for (int64_t at = 0; at < channels * columns; ++at) {
    const Square gradient = transform([](int64_t i, int64_t j) { return winograd::ofFilter[j][i]; },
                                      taps, inputs, sums[at], round);
    for (int64_t tap = 0; tap < taps * taps; ++tap)
      dw(tap * channels * columns + at, gradient[tap]);
  }
}

} // namespace sinter::reference
