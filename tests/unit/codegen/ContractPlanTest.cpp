//===- ContractPlanTest.cpp - which points of a contraction are present, and in what order --------===//
#include "compiler/codegen/ContractPlan.h"
#include "dialects/RegisterDialects.h"
#include "dialects/kernel/KernelOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>
#include <numeric>

using namespace mlir;
using namespace sinter;
using codegen::ContractPlan;

namespace {

/// The plan of one contraction, written as `kernel.contract …` on arguments %a, %b, %c.
class Planned {
public:
  Planned(const std::string &a, const std::string &b, const std::string &c,
          const std::string &contract) {
    DialectRegistry registry;
    sinter::registerAllDialects(registry);
    registry.insert<arith::ArithDialect, memref::MemRefDialect>();
    context.appendDialectRegistry(registry);
    const std::string text =
        "kernel.task @t {\n^bb0(%arena: memref<1048576xi8>, %state: memref<64xi8>):\n"
        "  %z = arith.constant 64 : index\n"
        "  %a = memref.view %arena[%z][] : memref<1048576xi8> to memref<" +
        a + ">\n" + "  %b = memref.view %arena[%z][] : memref<1048576xi8> to memref<" + b + ">\n" +
        "  %c = memref.view %arena[%z][] : memref<1048576xi8> to memref<" + c + ">\n" + contract +
        "\n}\n";
    module = parseSourceString<ModuleOp>(text, &context);
    REQUIRE(module);
    module->walk([&](kernel::ContractOp op) {
      auto made = ContractPlan::make(op);
      REQUIRE(succeeded(made));
      plan = std::move(*made);
    });
  }
  ContractPlan plan;

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const char *const maps = "affine_map<(b, y, x, o, r, s, c) -> (b, y + r - 1, x + s - 1, c)>,"
                         "affine_map<(b, y, x, o, r, s, c) -> (r, s, c, o)>,"
                         "affine_map<(b, y, x, o, r, s, c) -> (b, y, x, o)>";

Planned convolution() {
  return Planned(
      "2x4x4x16xf32", "3x3x16x32xf32", "2x4x4x32xf32",
      std::string(
          "kernel.contract rows [2, 4, 4] cols 32 taps [3, 3] sum [16] ins(%a, %b : "
          "memref<2x4x4x16xf32>, memref<3x3x16x32xf32>) outs(%c : memref<2x4x4x32xf32>) maps [") +
          maps + "] block [16]");
}

} // namespace

TEST_CASE("the tap that covers every pixel comes first, the others as they stand among equals") {
  const Planned planned = convolution();
  const auto &order = planned.plan.order;
  REQUIRE(order.size() == 9);
  CHECK(order[0].point == llvm::SmallVector<int64_t>{1, 1});
  CHECK(order[1].point == llvm::SmallVector<int64_t>{0, 1});
  CHECK(order[4].point == llvm::SmallVector<int64_t>{2, 1});
  CHECK(order[8].point == llvm::SmallVector<int64_t>{2, 2});
}

TEST_CASE("a tap sees the pixels whose input lies inside the image") {
  const Planned planned = convolution();
  const codegen::Tap &corner =
      planned.plan.order.back(); // reads one row below and one to the right
  CHECK(corner.rows[0] == codegen::Range{0, 2});
  CHECK(corner.rows[1] == codegen::Range{0, 3});
  CHECK(corner.rows[2] == codegen::Range{0, 3});
  int64_t points = 0;
  for (const codegen::Tap &tap : planned.plan.order)
    points += tap.numRows();
  CHECK(points == 2 * 10 * 10); // (3 + 4 + 3)² of the 12² nominal ones, two images
}

TEST_CASE("a sum that its first tap begins everywhere needs no zeros") {
  const Planned planned = convolution();
  CHECK(planned.plan.tapsAreSummed);
  CHECK_FALSE(planned.plan.needsZeroFill);
  CHECK_FALSE(planned.plan.isOneCall());
}

namespace {

/// A convolution by input, of 2 × 2 pixels into 4 × 4, whose taps lie `padding` before the pixel.
Planned byInput(int64_t kernel, int64_t padding, int64_t stride) {
  const std::string k = std::to_string(kernel), p = std::to_string(padding),
                    s = std::to_string(stride);
  return Planned("1x2x2x16xf32", k + "x" + k + "x16x16xf32", "1x4x4x16xf32",
                 "kernel.contract rows [1, 2, 2] cols 16 taps [" + k + ", " + k +
                     "] sum [16] ins(%a, %b : memref<1x2x2x16xf32>, memref<" + k + "x" + k +
                     "x16x16xf32>) outs(%c : memref<1x4x4x16xf32>) maps ["
                     "affine_map<(b, y, x, c, r, s, o) -> (b, y, x, o)>,"
                     "affine_map<(b, y, x, c, r, s, o) -> (r, s, o, c)>,"
                     "affine_map<(b, y, x, c, r, s, o) -> (b, y * " +
                     s + " + r - " + p + ", x * " + s + " + s - " + p + ", c)>] block [16]");
}

int64_t numberThatStore(const ContractPlan &plan) {
  return llvm::count_if(plan.order, [](const codegen::Tap &tap) { return tap.isFirst; });
}

} // namespace

TEST_CASE("by input with stride 2 the first tap of each parity stores, and no zeros are needed") {
  const Planned planned = byInput(3, 1, 2);
  CHECK(planned.plan.tapsAreSummed);
  CHECK_FALSE(planned.plan.firstTapIsWhole);
  CHECK_FALSE(planned.plan.needsZeroFill);
  CHECK(numberThatStore(planned.plan) == 4);
  CHECK(llvm::all_of(llvm::ArrayRef(planned.plan.order).take_front(4),
                     [](const codegen::Tap &tap) { return tap.isFirst; }));
}

TEST_CASE("one tap with stride 2 stores what it reaches, and zeros go around it") {
  const Planned planned = byInput(1, 0, 2);
  CHECK(planned.plan.needsZeroFill);
  CHECK(numberThatStore(planned.plan) == 1);
  CHECK(planned.plan.rows == llvm::SmallVector<int64_t>{1, 2, 2}); // a tile spans both short lines
}

TEST_CASE("where several taps leave gaps, all add to zeros") {
  const Planned planned = byInput(2, 0, 3); // the pixels at 2 are reached by none
  CHECK(planned.plan.needsZeroFill);
  CHECK(numberThatStore(planned.plan) == 0);
}

TEST_CASE("by weight each tap has its own output and limits the sum") {
  const Planned planned("2x4x4x16xf32", "2x4x4x32xf32", "3x3x16x32xf32",
                        "kernel.contract rows [16] cols 32 taps [3, 3] sum [2, 4, 4] ins(%a, %b : "
                        "memref<2x4x4x16xf32>, "
                        "memref<2x4x4x32xf32>) outs(%c : memref<3x3x16x32xf32>) maps ["
                        "affine_map<(c, o, r, s, b, y, x) -> (b, y + r - 1, x + s - 1, c)>,"
                        "affine_map<(c, o, r, s, b, y, x) -> (b, y, x, o)>,"
                        "affine_map<(c, o, r, s, b, y, x) -> (r, s, c, o)>] block [1, 4, 4]");
  CHECK_FALSE(planned.plan.tapsAreSummed);
  REQUIRE(planned.plan.order.size() == 9);
  CHECK(planned.plan.order[0].point == llvm::SmallVector<int64_t>{0, 0}); // row-major
  CHECK(planned.plan.order[0].sum[1] == codegen::Range{1, 4});
  CHECK(planned.plan.order[0].sum[2] == codegen::Range{1, 4});
}

TEST_CASE("rows that every operand walks as one become one axis") {
  const Planned planned(
      "8x4x16xf32", "16x32xf32", "8x4x32xf32",
      "kernel.contract rows [8, 4] cols 32 sum [16] ins(%a, %b : memref<8x4x16xf32>, "
      "memref<16x32xf32>) "
      "outs(%c : memref<8x4x32xf32>) maps [affine_map<(b, t, n, k) -> (b, t, k)>, "
      "affine_map<(b, t, n, k) -> (k, n)>, affine_map<(b, t, n, k) -> (b, t, n)>] block [16]");
  CHECK(planned.plan.rows == llvm::SmallVector<int64_t>{32});
  CHECK(planned.plan.isOneCall());
  CHECK(planned.plan.order.front().isFirst);
  CHECK(planned.plan.planAxis == llvm::SmallVector<unsigned>{0, 0});
}
