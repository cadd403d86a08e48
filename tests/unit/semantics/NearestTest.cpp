#include "compiler/semantics/Nearest.h"

#include <catch2/catch.hpp>

using namespace sinter::semantics;

TEST_CASE("a swap of neighbours is one slip") {
  CHECK(editDistance("dense", "dense") == 0);
  CHECK(editDistance("dnese", "dense") == 1);
  CHECK(editDistance("", "abc") == 3);
  CHECK(editDistance("kitten", "sitting") == 3);
}

TEST_CASE("only near names are suggested, nearest first") {
  CHECK(nearest("denze", {"relu", "dense", "denser"}) ==
        std::vector<std::string>{"dense", "denser"});
  CHECK(nearest("xyz", {"relu", "dense"}).empty());
  CHECK(nearest("kernel_sise", {"kernel"}) == std::vector<std::string>{"kernel"});
  CHECK(didYouMean("selu", {"relu", "elu"}) == "did you mean `relu` or `elu`?");
}
