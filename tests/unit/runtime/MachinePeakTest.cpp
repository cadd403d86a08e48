#include "runtime/MachinePeak.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace sinter::runtime;

// How fast a machine is no test can say; that a figure comes of every size and number of threads, one can.
TEST_CASE("bandwidth is measured of no bytes, of a few and of many, by any number of threads") {
  for (const unsigned threads : {1U, 3U})
    for (const size_t bytes : {size_t{0}, size_t{1000}, size_t{3} << 20, size_t{1} << 40}) {
      CAPTURE(threads, bytes);
      const double rate = measureBandwidth(threads, 1, bytes);
      CHECK(std::isfinite(rate));
      CHECK(rate > 0);
    }
}
