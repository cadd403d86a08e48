#include "runtime/Initializers.h"

#include "runtime/Philox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

using namespace sinter::runtime;

static State make(Init::Kind kind, Shape shape, double a, double b = 0) {
  State state;
  state.name = "layer.weight";
  state.shape = std::move(shape);
  state.init.kind = kind;
  state.init.a = a;
  state.init.b = b;
  return state;
}

struct Moments {
  double mean = 0, variance = 0, low = 0, high = 0, kurtosis = 0;
};

static Moments momentsOf(const std::vector<float> &values) {
  Moments m;
  m.low = m.high = values[0];
  for (float value : values) {
    m.mean += value;
    m.low = std::min<double>(m.low, value);
    m.high = std::max<double>(m.high, value);
  }
  m.mean /= static_cast<double>(values.size());
  for (float value : values) {
    m.variance += std::pow(value - m.mean, 2);
    m.kurtosis += std::pow(value - m.mean, 4);
  }
  m.variance /= static_cast<double>(values.size());
  m.kurtosis /= static_cast<double>(values.size()) * m.variance * m.variance;
  return m;
}

/// The largest distance between the values' distribution and `cumulative` (Kolmogorov, Smirnov).
template <typename Cumulative>
static double distance(std::vector<float> values, const Cumulative &cumulative) {
  std::sort(values.begin(), values.end());
  double most = 0;
  for (size_t i = 0; i < values.size(); ++i)
    most = std::max(most, std::abs(cumulative(values[i]) - (static_cast<double>(i) + 0.5) /
                                                               static_cast<double>(values.size())));
  return most;
}

static double normalBelow(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

// With 200,000 values the distance of a true sample is above 1.95 / sqrt(n) = 0.0044 once in a thousand seeds.
static const Shape many = {400, 500};
static constexpr double bound = 0.0044;

TEST_CASE("uniform fills [a, b) evenly") {
  const auto values = initialValues(make(Init::Kind::Uniform, many, -0.5, 1.5), 1);
  const Moments m = momentsOf(values);
  CHECK(m.low >= -0.5);
  CHECK(m.high < 1.5);
  CHECK(m.mean == Approx(0.5).margin(0.005));
  CHECK(m.variance == Approx(4.0 / 12).epsilon(0.01));
  CHECK(distance(values, [](double x) { return (x + 0.5) / 2; }) < bound);
}

TEST_CASE("a narrow uniform never reaches its upper end") {
  for (float value : initialValues(make(Init::Kind::Uniform, many, 1.0, 1.0000001), 1))
    REQUIRE(value == 1.0f);
}

TEST_CASE("normal has its mean, deviation and shape") {
  const auto values = initialValues(make(Init::Kind::Normal, many, 3, 0.5), 1);
  const Moments m = momentsOf(values);
  CHECK(m.mean == Approx(3).margin(0.005));
  CHECK(m.variance == Approx(0.25).epsilon(0.01));
  CHECK(m.kurtosis == Approx(3).margin(0.06));
  CHECK(m.high > 3 + 0.5 * 4); // tails are there
  CHECK(distance(values, [](double x) { return normalBelow((x - 3) / 0.5); }) < bound);
}

TEST_CASE("truncated normal stays within two deviations and is the normal's middle there") {
  const auto values = initialValues(make(Init::Kind::TruncatedNormal, many, 1, 0.1), 1);
  const Moments m = momentsOf(values);
  CHECK(m.low >= 0.8f);
  CHECK(m.high <= 1.2f);
  CHECK(m.low < 0.801);
  CHECK(std::sqrt(m.variance) == Approx(0.1 * 0.87962566).epsilon(0.01));
  const double below = normalBelow(-2);
  CHECK(distance(values, [&](double x) {
          return (normalBelow((x - 1) / 0.1) - below) / (1 - 2 * below);
        }) < bound);
}

TEST_CASE("orthogonal has orthogonal rows or columns of length gain, also for kernels") {
  for (const Shape &shape : {Shape{40, 40}, Shape{24, 60}, Shape{60, 24}, Shape{16, 3, 5, 5}}) {
    const auto values = initialValues(make(Init::Kind::Orthogonal, shape, 1.5), 3);
    const auto rows = static_cast<size_t>(shape[0]);
    const size_t cols = values.size() / rows;
    const bool wide = rows < cols;
    for (size_t i = 0; i < std::min(rows, cols); ++i)
      for (size_t j = 0; j <= i; ++j) {
        double dot = 0;
        for (size_t k = 0; k < std::max(rows, cols); ++k)
          dot += wide ? double{values[i * cols + k]} * values[j * cols + k]
                      : double{values[k * cols + i]} * values[k * cols + j];
        REQUIRE(dot == Approx(i == j ? 2.25 : 0).margin(1e-6));
      }
  }
}

TEST_CASE("the parts of a recurrent weight begin each by itself") {
  const auto values = initialValues(make(Init::Kind::Orthogonal, {12, 4}, 2, 3), 3);
  for (size_t part = 0; part < 3; ++part)
    for (size_t i = 0; i < 4; ++i)
      for (size_t j = 0; j < 4; ++j) {
        double dot = 0;
        for (size_t k = 0; k < 4; ++k)
          dot += double{values[(part * 4 + i) * 4 + k]} * values[(part * 4 + j) * 4 + k];
        REQUIRE(dot == Approx(i == j ? 4 : 0).margin(1e-6));
      }
  CHECK(values[0] != values[16]);

  CHECK(initialValues(make(Init::Kind::Identity, {4, 2}, 1, 2), 1) ==
        std::vector<float>{1, 0, 0, 1, 1, 0, 0, 1});
}

TEST_CASE("orthogonal prefers no direction: the first entry's square averages 1 / n") {
  double sum = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed)
    sum += std::pow(initialValues(make(Init::Kind::Orthogonal, {4, 4}, 1), seed)[0], 2);
  CHECK(sum / 2000 == Approx(0.25).margin(0.015));
}

TEST_CASE("identity puts gain where the first two indices agree, at a kernel's centre") {
  CHECK(initialValues(make(Init::Kind::Identity, {2, 3}, 2), 1) ==
        std::vector<float>{2, 0, 0, 0, 2, 0});
  const auto kernel = initialValues(make(Init::Kind::Identity, {2, 2, 3, 3}, 1), 1);
  for (size_t i = 0; i < kernel.size(); ++i)
    CHECK(kernel[i] == (i == 4 || i == 31 ? 1 : 0));
}

TEST_CASE("constants and listed values are as given") {
  CHECK(initialValues(make(Init::Kind::Constant, {3}, 0.25), 1) == std::vector<float>(3, 0.25f));
  State state = make(Init::Kind::Values, {2}, 0);
  state.init.values = {1, -2};
  CHECK(initialValues(state, 1) == std::vector<float>{1, -2});
}

TEST_CASE("initial values depend on seed and name, not on threads or layout") {
  State state = make(Init::Kind::Normal, {37, 1001}, 0, 1);
  const auto one = initialValues(state, 5, 1);
  CHECK(initialValues(state, 5, 3) == one);
  CHECK(initialValues(state, 6, 1) != one);
  state.name = "other.weight";
  CHECK(initialValues(state, 5, 1) != one);
  state.name = "layer.weight";
  state.layout = Layout{{37, 1001}, {1, 0}};
  std::vector<float> memory(one.size());
  const State *list[] = {&state};
  initialize(list, 5, 2, reinterpret_cast<uint8_t *>(memory.data()));
  for (size_t row = 0; row < 37; ++row)
    for (size_t col = 0; col < 1001; ++col)
      REQUIRE(memory[col * 37 + row] == one[row * 1001 + col]);
}
