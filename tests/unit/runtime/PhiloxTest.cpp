#include "runtime/Philox.h"
#include "runtime/Normal.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sinter::runtime;

TEST_CASE("Philox gives the known answers that Random123 publishes for philox4x32-10") {
  CHECK(philox({0, 0, 0, 0}, 0) == PhiloxWords{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffffffffffffu) ==
        PhiloxWords{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0x299f31d0a4093822u) ==
        PhiloxWords{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("an element of a stream is word w of counter 16 q + l for e = 64 q + 16 w + l") {
  const PhiloxWords words = philox({16 * 3 + 5, 7, 11, fnv1a("dropout1")}, 42);
  for (uint64_t word = 0; word < 4; ++word)
    CHECK(randomBits(42, fnv1a("dropout1"), 11, 7, 64 * 3 + 16 * word + 5) == words[word]);
}

TEST_CASE("fnv1a gives the published 32-bit values") {
  CHECK(fnv1a("") == 0x811c9dc5u);
  CHECK(fnv1a("a") == 0xe40c292cu);
  CHECK(fnv1a("foobar") == 0xbf9cf968u);
}

TEST_CASE("the logarithm is that of libm to a few units of the last place") {
  for (double x = 1e-300; x < 1e300; x *= 1.7)
    CHECK(std::abs(portableLog(x) - std::log(x)) <= 4e-16 * std::abs(std::log(x)) + 1e-16);
  CHECK(portableLog(1.0) == 0.0);
}

TEST_CASE("the inverse normal undoes the normal distribution function, far into its tails") {
  for (double p = 1e-12; p < 0.5; p *= 1.03) {
    const double x = inverseNormal(p);
    CHECK(std::abs(0.5 * std::erfc(-x / std::sqrt(2.0)) - p) <= 4e-14 * p);
    CHECK(inverseNormal(1 - p) == Approx(-x).epsilon(1e-4));
  }
  CHECK(inverseNormal(0.5) == 0.0);
  CHECK(std::isfinite(inverseNormal(openUniform(0))));
  CHECK(inverseNormal(openUniform(0)) == -inverseNormal(openUniform(0xffffffff)));
}
