#include "runtime/Initializers.h"

#include "runtime/Layout.h"
#include "runtime/Normal.h"
#include "runtime/Parallel.h"
#include "runtime/Philox.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace sinter::runtime {

namespace {

constexpr size_t blockElements = 64; ///< that sixteen Philox counters fill
constexpr size_t chunkElements = 256 * blockElements;

/// values[e] = one(random bits of element e), in chunks on several threads.
template <typename T, typename One>
void draw(std::vector<T> &values, uint64_t seed, uint32_t purpose, unsigned threads,
          const One &one) {
  const size_t chunks = (values.size() + chunkElements - 1) / chunkElements;
  parallelFor(threads, chunks, [&](size_t chunk) {
    const size_t end = std::min(values.size(), (chunk + 1) * chunkElements);
    for (size_t first = chunk * chunkElements; first < end; first += blockElements)
      for (size_t lane = 0; lane < 16; ++lane) {
        const auto counter = static_cast<uint32_t>(16 * (first / blockElements) + lane);
        const PhiloxWords words = philox({counter, 0, 0, purpose}, seed);
        for (size_t word = 0; word < 4; ++word)
          if (const size_t element = first + 16 * word + lane; element < end)
            values[element] = static_cast<T>(one(words[word]));
      }
  });
}

/// [low, high), or low where they are equal.
float uniformIn(uint32_t bits, double low, double high) {
  const auto value = static_cast<float>(low + (high - low) * (bits * 0x1p-32));
  const auto bound = static_cast<float>(high);
  return value < bound ? value : std::nextafter(bound, static_cast<float>(low));
}

/// The Q of a normal matrix's QR with a positive diagonal of R, which is uniform among the
/// orthogonal ones (F. Mezzadri, "How to generate random matrices from the classical compact
/// groups", 2007). [rows, cols]; like PyTorch's, the transpose of a tall one where there are more
/// columns than rows. Gram–Schmidt, twice for orthogonality to the last bit.
void orthogonal(const double *normals, size_t rows, size_t cols, double gain, float *values) {
  const size_t count = std::min(rows, cols), length = std::max(rows, cols);
  const size_t along = rows >= cols ? cols : 1, across = rows >= cols ? 1 : cols;
  std::vector<double> vectors(count *
                              length); // the columns of the tall matrix, one after the other
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j < length; ++j)
      vectors[i * length + j] = normals[i * across + j * along];
  const auto dot = [length](const double *a, const double *b) {
    double lanes[8] = {}; // independent sums, so that the processor need not wait for each
    size_t k = 0;
    for (; k + 8 <= length; k += 8)
      for (size_t lane = 0; lane < 8; ++lane)
        lanes[lane] += a[k + lane] * b[k + lane];
    for (; k < length; ++k)
      lanes[0] += a[k] * b[k];
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
           ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  };
  for (size_t i = 0; i < count; ++i) {
    double *own = vectors.data() + i * length;
    for (int pass = 0; pass < 2; ++pass)
      for (size_t k = 0; k < i; ++k) {
        const double *earlier = vectors.data() + k * length;
        const double share = dot(own, earlier);
        for (size_t j = 0; j < length; ++j)
          own[j] -= share * earlier[j];
      }
    const double norm = std::sqrt(dot(own, own));
    for (size_t j = 0; j < length; ++j)
      own[j] /= norm;
  }
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j < length; ++j)
      values[i * across + j * along] = static_cast<float>(gain * vectors[i * length + j]);
}

/// How many equal parts along the first axis begin each by itself.
size_t partsOf(const State &state) {
  return state.init.b > 1 ? static_cast<size_t>(state.init.b) : 1;
}

std::vector<float> orthogonal(const State &state, uint64_t seed, uint32_t purpose,
                              unsigned threads) {
  const auto elements = static_cast<size_t>(state.elements());
  std::vector<double> normals(elements);
  draw(normals, seed, purpose, threads,
       [](uint32_t bits) { return inverseNormal(openUniform(bits)); });
  const size_t parts = partsOf(state), rows = static_cast<size_t>(state.shape[0]) / parts;
  const size_t each = elements / parts;
  std::vector<float> values(elements);
  for (size_t part = 0; part < parts; ++part)
    orthogonal(normals.data() + part * each, rows, each / rows, state.init.a,
               values.data() + part * each);
  return values;
}

/// Ones where the first two indices agree; a kernel's stand at its centre.
std::vector<float> identity(const State &state) {
  std::vector<float> values(static_cast<size_t>(state.elements()));
  const size_t rank = state.shape.size();
  size_t kernel = 1, centre = 0;
  for (size_t axis = 2; axis < rank; ++axis) {
    const auto extent = static_cast<size_t>(state.shape[axis]);
    kernel *= extent;
    centre = centre * extent + extent / 2;
  }
  const auto cols = static_cast<size_t>(state.shape[1]);
  const size_t parts = partsOf(state), rows = static_cast<size_t>(state.shape[0]) / parts;
  for (size_t part = 0; part < parts; ++part)
    for (size_t i = 0; i < std::min(rows, cols); ++i)
      values[((part * rows + i) * cols + i) * kernel + centre] = static_cast<float>(state.init.a);
  return values;
}

} // namespace

std::vector<float> initialValues(const State &state, uint64_t seed, unsigned threads) {
  const uint32_t purpose = fnv1a("init:" + state.name);
  const double a = state.init.a, b = state.init.b;
  switch (state.init.kind) {
  case Init::Kind::Orthogonal:
    return orthogonal(state, seed, purpose, threads);
  case Init::Kind::Identity:
    return identity(state);
  case Init::Kind::Values:
    return state.init.values;
  default:
    break;
  }
  std::vector<float> values(static_cast<size_t>(state.elements()));
  if (state.init.kind == Init::Kind::Constant) {
    std::fill(values.begin(), values.end(), static_cast<float>(a));
  } else if (state.init.kind == Init::Kind::Uniform) {
    draw(values, seed, purpose, threads, [a, b](uint32_t bits) { return uniformIn(bits, a, b); });
  } else if (state.init.kind == Init::Kind::Normal) {
    draw(values, seed, purpose, threads,
         [a, b](uint32_t bits) { return a + b * inverseNormal(openUniform(bits)); });
  } else {
    constexpr double below = 0.022750131948179195; // N(0, 1) below -2
    draw(values, seed, purpose, threads, [a, b](uint32_t bits) {
      return a + b * inverseNormal(below + (1 - 2 * below) * openUniform(bits));
    });
  }
  return values;
}

void initialize(std::span<const State *const> states, uint64_t seed, unsigned threads,
                uint8_t *block) {
  for (const State *state : states) {
    auto *memory = reinterpret_cast<float *>(block + state->offset);
    if (state->init.kind == Init::Kind::Constant) {
      std::fill_n(memory, state->elements(), static_cast<float>(state->init.a));
      continue;
    }
    const std::vector<float> values = initialValues(*state, seed, threads);
    LayoutMap(state->elements(), state->layout).toMemory(values.data(), memory);
  }
}

} // namespace sinter::runtime
