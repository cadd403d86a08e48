//===- ScheduleTest.cpp - tiles that fit, cover and do not waste ----------------------------------===//
#include "compiler/codegen/Schedule.h"

#include "dialects/kernel/Shares.h"

#include <array>
#include <catch2/catch.hpp>

using namespace sinter::codegen;

namespace {

Target machine(bool avx512) {
  Target target;
  target.cpu = avx512 ? "x86-64-v4" : "x86-64-v3";
  target.avx512 = avx512;
  return target;
}

/// A matrix product as a plan.
ContractPlan product(int64_t m, int64_t k, int64_t n) {
  ContractPlan plan;
  plan.rows = {m};
  plan.sum = {k};
  plan.block = {k};
  plan.cols = n;
  plan.numOutputs = 1;
  Access a, b, c;
  a.strides = {k, 0, 1};
  b.strides = {0, 1, n};
  c.strides = {n, 1, 0};
  plan.accesses = {a, b, c};
  Tap tap;
  tap.rows = {{0, m}};
  tap.sum = {{0, k}};
  plan.order = {tap};
  return plan;
}

} // namespace

TEST_CASE("even cuts cover an extent with parts that differ by one at most") {
  for (int64_t extent = 1; extent <= 70; ++extent)
    for (int64_t limit = 1; limit <= 14; ++limit) {
      int64_t covered = 0, smallest = extent, largest = 0;
      for (const Segment &segment : cutEvenly(extent, limit)) {
        if (segment.count == 0)
          continue;
        CHECK(segment.start == covered);
        covered += segment.count * segment.size;
        smallest = std::min(smallest, segment.size);
        largest = std::max(largest, segment.size);
      }
      CHECK(covered == extent);
      CHECK(largest <= limit);
      CHECK(largest - smallest <= 1);
    }
}

TEST_CASE("a tile takes whole rows of an image while they fit") {
  CHECK(tileShape(14, 14, 14).x == 14);
  CHECK(tileShape(14, 14, 14).y == 1);
  CHECK(tileShape(4, 4, 14).y == 3);
  CHECK(tileShape(2, 4, 14).y == 2);
  CHECK(tileShape(28, 28, 6).x == 6);
}

TEST_CASE("a chosen tile fits the registers of either machine") {
  for (bool avx512 : {false, true})
    for (int64_t m : {1, 3, 64, 2048})
      for (int64_t n : {1, 10, 16, 73, 512, 784}) {
        const Target target = machine(avx512);
        const Schedule schedule = chooseSchedule(product(m, 256, n), target);
        INFO(m << " rows, " << n << " columns, AVX-512 " << avx512);
        CHECK(fitsRegisters(schedule.mr, schedule.nr, target));
        CHECK(schedule.mr >= 1);
        CHECK(schedule.nr >= 1);
        CHECK(schedule.shares >= 1);
      }
}

TEST_CASE("a large product gets enough accumulators to hide a multiply-add's latency") {
  CHECK(chooseSchedule(product(256, 784, 512), machine(true)).mr *
            chooseSchedule(product(256, 784, 512), machine(true)).nr >=
        8);
  const Schedule narrow = chooseSchedule(product(256, 784, 512), machine(false));
  CHECK(narrow.mr * narrow.nr * 2 >= 8);
  // Eight would have no slack for a line that comes late.
  for (auto [m, k, n] : {std::array{784, 256, 512}, {1024, 256, 256}, {1200, 128, 1200}}) {
    const Schedule by = chooseSchedule(product(m, k, n), machine(false));
    CHECK(by.mr * by.nr * 2 > 8);
  }
}

TEST_CASE("shares never outnumber what they divide") {
  const Schedule schedule = chooseSchedule(product(6, 4096, 16), machine(true));
  CHECK(schedule.shares == 1);
}

TEST_CASE("where every row has a matrix of its own, a tile is one row") {
  ContractPlan plan = product(8, 64, 64);
  plan.accesses[1].strides[0] = 64 * 64;
  CHECK(chooseSchedule(plan, machine(true)).mr == 1);
}

TEST_CASE(
    "panels whose rows crowd few sets of the cache are packed, others are read where they lie") {
  CHECK(chooseSchedule(product(256, 256, 1024), machine(true)).packB);
  ContractPlan dense = product(1024, 64, 64); // 16 KiB in all
  CHECK_FALSE(chooseSchedule(dense, machine(true)).packB);
}

TEST_CASE("a product with far more rows than caches hold walks all panels within a tile of rows") {
  const Schedule tall = chooseSchedule(product(1024, 256, 1024), machine(true));
  CHECK(tall.rowsOutside);
  CHECK_FALSE(tall.packB);
  CHECK(tall.mr < 14); // each row has lines of its own to wait for
  // Not where B is what no cache holds, or the output is larger than what is read.
  CHECK_FALSE(chooseSchedule(product(2048, 256, 2048), machine(true)).rowsOutside);
  CHECK_FALSE(chooseSchedule(product(256, 256, 1024), machine(true)).rowsOutside);
}

TEST_CASE("a sum across the lines of many rows is cut into few shares") {
  ContractPlan plan = product(1024, 512, 256);
  plan.block = {256};
  CHECK(chooseSchedule(plan, machine(true)).shares > 4);
  plan.accesses[0].strides = {1, 0, 1024};
  CHECK(chooseSchedule(plan, machine(true)).rowsOutside);
  CHECK(chooseSchedule(plan, machine(true)).shares == 4);
}

TEST_CASE("few shares read all of an operand that comes from far") {
  ContractPlan near = product(1024, 256, 256), far = product(1024, 1024, 256);
  near.block = far.block = {256};
  CHECK(chooseSchedule(near, machine(true)).shares > 4);
  CHECK(chooseSchedule(far, machine(true)).shares == 4);
  ContractPlan wide = product(256, 1024, 1024); // shares take panels, and all of A
  wide.block = {256};
  CHECK(chooseSchedule(wide, machine(true)).shareAxis == ShareAxis::Panels);
  CHECK(chooseSchedule(wide, machine(true)).shares == 4);
}

TEST_CASE("rows of A are packed only where they lie side by side") {
  ContractPlan plan = product(512, 128, 512);
  CHECK_FALSE(chooseSchedule(plan, machine(true)).packA);
  plan.accesses[0].strides = {1, 0, 512}; // transposed: steps 2 KiB apart
  CHECK(chooseSchedule(plan, machine(true)).packA);
}

TEST_CASE("images of a small convolution go through each tap in chunks") {
  ContractPlan plan = product(32, 256, 256);
  plan.rows = {32, 4, 4};
  plan.tapsAreSummed = true;
  plan.taps = {1};
  plan.accesses[0].strides = {16 * 256, 4 * 256, 256, 0, 0, 1};
  plan.accesses[1].strides = {0, 0, 0, 1, 0, 256};
  plan.accesses[2].strides = {16 * 256, 4 * 256, 256, 1, 0, 0};
  CHECK(chooseSchedule(plan, machine(true)).chunk == 8);
  plan.rows = {32, 32, 32}; // an image alone fills the cache
  CHECK(chooseSchedule(plan, machine(true)).chunk == 0);

  plan.rows = {32, 16, 16};
  plan.sum = plan.block = {64};
  plan.cols = 128;
  CHECK(chooseSchedule(plan, machine(true)).chunk == 0); // as weights are near by themselves
  plan.taps = {64};
  CHECK(chooseSchedule(plan, machine(true)).chunk == 2);
}

namespace {

/// The gradient of a weight of 3 × 3 and so many channels to 64, over images of `side` × `side`, some rows of one a block.
ContractPlan byWeight(int64_t channels, int64_t images, int64_t side, int64_t rowsOfBlock) {
  ContractPlan plan = product(channels, 1, 64);
  plan.taps = {9};
  plan.sum = {images, side, side};
  plan.block = {1, rowsOfBlock, side};
  plan.accesses[0].strides = {1, 0, channels, side * side * channels, side * channels, channels};
  plan.accesses[1].strides = {0, 1, 0, side * side * 64, side * 64, 64};
  plan.accesses[2].strides = {64, 1, channels * 64, 0, 0, 0};
  Tap tap;
  tap.rows = {{0, channels}};
  tap.sum = {{0, images}, {0, side}, {0, side}};
  plan.order.assign(9, tap);
  return plan;
}

} // namespace

TEST_CASE("shares of a convolution by weight take rows of all taps while their gradient stays in "
          "the cache") {
  ContractPlan plan = byWeight(64, 32, 32, 4);
  const Schedule byRows = chooseSchedule(plan, machine(true));
  CHECK(byRows.shareAxis == ShareAxis::RowsOfAllTaps);
  CHECK(byRows.shares == 4);
  CHECK((64 + byRows.mr - 1) / byRows.mr % 4 == 0); // equal shares

  plan.rows = {512};
  plan.cols = 512; // 9 MiB of gradients
  for (Tap &each : plan.order)
    each.rows = {{0, 512}};
  const Schedule byTap = chooseSchedule(plan, machine(true));
  CHECK(byTap.shareAxis == ShareAxis::Taps);
  CHECK(byTap.shares == 18); // nine leave one of two threads waiting
  CHECK(rowPartsOfTap(plan, byTap) == 2);

  plan.taps = {1};
  plan.order.resize(1);
  CHECK(chooseSchedule(plan, machine(true)).shareAxis == ShareAxis::RowsOfAllTaps);
}

TEST_CASE(
    "few rows of a convolution by weight are cut into as many tiles as threads take equally") {
  ContractPlan plan = byWeight(32, 64, 14, 8); // three of the largest tiles
  const Schedule schedule = chooseSchedule(plan, machine(true));
  CHECK(schedule.shareAxis == ShareAxis::RowsOfAllTaps);
  CHECK(schedule.shares == 4);
}

TEST_CASE("a sum over small images is one loop where both operands lie or are copied so") {
  ContractPlan plan = byWeight(64, 32, 4, 4);
  plan.block = {8, 4, 4};
  CHECK(chooseSchedule(plan, machine(true)).unroll == 4);
  for (Tap &tap : plan.order)
    tap.sum[2] = {0, 3}; // lines of four, but three of each
  const Schedule narrow = chooseSchedule(plan, machine(true));
  CHECK(narrow.unroll == (narrow.packA && narrow.packB ? 4 : 1));
  plan.accesses[0].strides[0] = 16; // nothing to pack
  const Schedule direct = chooseSchedule(plan, machine(true));
  CHECK(direct.unroll == 1);
  CHECK(direct.mr * direct.nr <= 18);
}

TEST_CASE("shares cut the larger operand of a product, which then is read once") {
  const Schedule forward = chooseSchedule(product(128, 256, 784), machine(true));
  CHECK(forward.shareAxis == ShareAxis::Panels);
  const Schedule byWeight = chooseSchedule(product(784, 128, 256), machine(true));
  CHECK(byWeight.shareAxis == ShareAxis::RowTiles);
  // One panel leaves nothing to cut, however few the rows are.
  CHECK(chooseSchedule(product(12, 4096, 16), machine(false)).shareAxis == ShareAxis::RowTiles);
}

TEST_CASE(
    "rows of the batch stay with a thread where the weight's columns would come from others") {
  const Schedule forward = chooseSchedule(product(128, 784, 256), machine(true));
  CHECK(forward.shareAxis == ShareAxis::RowTilesAndPanels);
  CHECK(forward.shares == 8);
  CHECK(partsOfRowTiles(forward) == 2);
  CHECK(leastRowsOfShare(product(128, 784, 256), forward) ==
        60); // five tiles of twelve rows and some
  // A large weight would come once a thread.
  CHECK(chooseSchedule(product(128, 1200, 1200), machine(true)).shareAxis == ShareAxis::Panels);
  ContractPlan byWeight = product(256, 512, 512);
  byWeight.accesses[0].strides = {1, 0, 256};
  CHECK(chooseSchedule(byWeight, machine(true)).shareAxis == ShareAxis::Panels);
  // However many shares a file asks for, all of them are taken.
  Schedule odd = forward;
  odd.shares = 3;
  CHECK(partsOfRowTiles(odd) == 1);
}

TEST_CASE("a product of few columns is worth a second thread by what it computes, not by what is "
          "asked for") {
  CHECK(chooseSchedule(product(128, 256, 10), machine(true)).shares == 2);
  CHECK(chooseSchedule(product(16, 64, 10), machine(true)).shares == 1);
}

TEST_CASE("chunks of images are as many as two or four threads share out equally") {
  ContractPlan plan = product(32, 256, 256);
  plan.rows = {32, 8, 8};
  plan.tapsAreSummed = true;
  plan.taps = {1};
  plan.cols = 128;
  plan.accesses[0].strides = {64 * 256, 8 * 256, 256, 0, 0, 1};
  plan.accesses[1].strides = {0, 0, 0, 1, 0, 128};
  plan.accesses[2].strides = {64 * 128, 8 * 128, 128, 1, 0, 0};
  const Schedule schedule = chooseSchedule(plan, machine(true)); // five images would fit
  CHECK(schedule.chunk == 4);
  CHECK(schedule.shares == 8);

  plan.rows = {64, 8, 8}; // eleven chunks of six would do, the last one smaller
  plan.sum = {320};
  plan.accesses[0].strides[0] = 64 * 320;
  const Schedule ragged = chooseSchedule(plan, machine(true));
  CHECK(ragged.shares % 4 == 0);
  CHECK(ragged.chunk * ragged.shares >= 64);
}

TEST_CASE("as many shares are made as leave two threads and four least to wait for") {
  using sinter::kernel::evenShares, sinter::kernel::unitsOfBusiest;
  CHECK(evenShares(128, 15) == 12);
  CHECK(evenShares(128, 7) == 4);
  CHECK(evenShares(8, 3) == 2);
  CHECK(evenShares(3, 16) == 3);
  CHECK(evenShares(1, 16) == 1);
  CHECK(evenShares(100, 1) == 1);
  CHECK(unitsOfBusiest(11, 11, 2) == 6);
  CHECK(unitsOfBusiest(64, 12, 2) == 32);
  for (int64_t units = 1; units <= 70; ++units)
    for (int64_t most = 1; most <= 16; ++most) {
      const int64_t shares = evenShares(units, most);
      INFO(units << " units, at most " << most << " shares");
      CHECK(shares >= 1);
      CHECK(shares <= std::min(units, most));
      for (int64_t other = 1; other <= std::min(units, most); ++other)
        CHECK(unitsOfBusiest(units, shares, 2) <= unitsOfBusiest(units, other, 2));
    }
}
