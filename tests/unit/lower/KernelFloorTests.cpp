//===- KernelFloorTests.cpp - planned tasks compute what the graph means ----------------------------===//
// Each step is differentiated, then evaluated twice: op by op on the train floor in f64, and task by task on the planned kernel
// floor, with and without fusion, the tasks between two waits in both orders.
#include "compiler/lower/TrainToKernel.h"

#include "compiler/lower/Passes.h"
#include "compiler/passes/Passes.h"
#include "compiler/reference/KernelEvaluator.h"
#include "dialects/train/StateLayout.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "runtime/Abi.h"
#include "tests/unit/reference/ParsedStep.h"

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

using namespace sinter;
using namespace sinter::test;
using reference::TaskOrder;
using reference::Tensor;

namespace {

constexpr int64_t stepsDone = 3, stepsInAll = 40, seed = 77, draw = 12;

/// Small numbers with signs; labels and ids count up. Equal for equal tests.
std::vector<Tensor> randomArguments(ParsedStep &parsed, int64_t count) {
  std::mt19937 generator(5);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<Tensor> arguments = parsed.arguments();
  for (auto [at, tensor] : llvm::enumerate(arguments)) {
    for (double &value : tensor.floats)
      value = uniform(generator);
    for (size_t i = 0; i < tensor.integers.size(); ++i)
      tensor.integers[i] = static_cast<int64_t>(i % 3);
    if (auto clock = parsed.step.getArgAttrOfType<mlir::StringAttr>(at, "train.clock");
        clock && clock.getValue() != "ids")
      tensor.integers = {llvm::StringSwitch<int64_t>(clock.getValue())
                             .Case("step", stepsDone)
                             .Case("last", stepsInAll)
                             .Case("count", count)
                             .Case("seed", seed)
                             .Default(draw)};
    // Second moments are not negative; nor is what a logarithm or a root is taken of.
    if (auto name = parsed.step.getArgAttrOfType<mlir::FlatSymbolRefAttr>(at, "train.owns");
        name && name.getValue().ends_with(".square"))
      for (double &value : tensor.floats)
        value = std::abs(value);
  }
  return arguments;
}

void write(std::vector<uint8_t> &block, int64_t offset, const Tensor &tensor) {
  for (size_t i = 0; i < tensor.floats.size(); ++i) {
    const auto value = static_cast<float>(tensor.floats[i]);
    std::memcpy(block.data() + offset + 4 * i, &value, 4);
  }
  for (size_t i = 0; i < tensor.integers.size(); ++i) {
    const auto value = static_cast<int32_t>(tensor.integers[i]);
    std::memcpy(block.data() + offset + 4 * i, &value, 4);
  }
}

double readFloat(const std::vector<uint8_t> &block, int64_t offset) {
  float value;
  std::memcpy(&value, block.data() + offset, 4);
  return value;
}

void expectEqual(const std::vector<uint8_t> &block, int64_t offset, const Tensor &expected,
                 llvm::StringRef name) {
  double largest = 1e-3;
  for (double value : expected.floats)
    largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < expected.floats.size(); ++i) {
    INFO(name.str() << "[" << i << "]");
    REQUIRE(readFloat(block, offset + 4 * static_cast<int64_t>(i)) ==
            Approx(expected.floats[i]).epsilon(1e-5).margin(3e-6 * largest));
  }
  for (size_t i = 0; i < expected.integers.size(); ++i) {
    int32_t value;
    std::memcpy(&value, block.data() + offset + 4 * i, 4);
    INFO(name.str() << "[" << i << "]");
    REQUIRE(value == expected.integers[i]);
  }
}

enum class Fusion { Off, On };

int64_t offsetOf(mlir::ArrayAttr entries, llvm::StringRef name) {
  for (auto entry : entries.getAsRange<mlir::DictionaryAttr>())
    if (entry.getAs<mlir::StringAttr>("name").getValue() == name)
      return entry.getAs<mlir::IntegerAttr>("offset").getInt();
  FAIL("no place for " << name.str());
  return 0;
}

/// Lowers, plans, checks the plan, runs and compares with what the train floor gave.
void expectSame(const std::string &text, const std::vector<Tensor> &arguments,
                const reference::Outcome &expected, int64_t count, Fusion fusion, TaskOrder order) {
  ParsedStep parsed(text);
  parsed.context.loadDialect<mlir::memref::MemRefDialect, mlir::tensor::TensorDialect>();
  mlir::PassManager manager(&parsed.context);
  manager.nest<train::StepOp>().addPass(passes::createDifferentiate());
  if (fusion == Fusion::On) {
    lower::buildTrainToKernelPipeline(manager);
  } else {
    manager.addPass(lower::createTrainToKernel());
    manager.addPass(passes::createPlanMemory());
  }
  manager.addPass(passes::createVerifyPlan());

  // Where arguments and states are to lie, before the step is gone.
  const train::StateLayout layout = train::layOutStates(*parsed.module);
  std::vector<std::pair<std::string, std::string>> bound;
  for (unsigned at = 0; at < parsed.step.getNumArguments(); ++at)
    for (llvm::StringRef binding : {"train.reads", "train.owns", "train.data", "train.clock"})
      if (auto attribute = parsed.step.getArgAttr(at, binding)) {
        auto symbol = llvm::dyn_cast<mlir::FlatSymbolRefAttr>(attribute);
        bound.emplace_back(binding.str(),
                           symbol ? symbol.getValue().str()
                                  : llvm::cast<mlir::StringAttr>(attribute).getValue().str());
      }
  REQUIRE(mlir::succeeded(manager.run(*parsed.module)));

  kernel::StepOp step = *parsed.module->getOps<kernel::StepOp>().begin();
  // Nothing may depend on what lay in the arena before.
  std::vector<uint8_t> arena(step.getArena(), 0x5A),
      state(std::max<int64_t>(layout.bytes, 64), 0x5A);
  const runtime::Clock clock{stepsDone, stepsInAll, count, seed, draw};
  std::memcpy(arena.data(), &clock, sizeof clock);
  for (auto [at, binding] : llvm::enumerate(bound)) {
    if (binding.first == "train.data")
      write(arena, offsetOf(step.getFields(), binding.second), arguments[at]);
    else if (binding.second == "ids")
      write(arena, static_cast<int64_t>(*step.getIds()), arguments[at]);
    else if (binding.first != "train.clock")
      write(state, layout.offsets.lookup(binding.second), arguments[at]);
  }
  REQUIRE(mlir::succeeded(reference::runStep(step, arena, state, order)));

  for (const auto &entry : expected.states)
    expectEqual(state, layout.offsets.lookup(entry.getKey()), entry.getValue(), entry.getKey());
  for (const auto &entry : expected.outputs)
    expectEqual(arena, offsetOf(step.getOutputs(), entry.getKey()), entry.getValue(),
                entry.getKey());
  for (const auto &entry : expected.results)
    expectEqual(arena, offsetOf(step.getResults_(), entry.getKey()), entry.getValue(),
                entry.getKey());
}

void checkFloors(const std::string &text, int64_t count) {
  ParsedStep parsed(text);
  parsed.run(passes::createDifferentiate());
  const std::vector<Tensor> arguments = randomArguments(parsed, count);
  const reference::Outcome expected = parsed.evaluate(arguments);
  for (Fusion fusion : {Fusion::Off, Fusion::On})
    for (TaskOrder order : {TaskOrder::AsListed, TaskOrder::Reversed}) {
      INFO((fusion == Fusion::On ? "fused, " : "not fused, ")
           << (order == TaskOrder::Reversed ? "reversed" : "as listed") << "\n"
           << text);
      expectSame(text, arguments, expected, count, fusion, order);
    }
}

/// A prediction of `%y`, some value of this type made by `body` of the fields.
std::string prediction(const std::string &fields, const std::string &body,
                       const std::string &type) {
  return "train.step @s kind \"predict\" (%count: index {train.clock = \"count\"}, %seed: index "
         "{train.clock = "
         "\"seed\"}, %draw: index {train.clock = \"draw\"}, %ids: tensor<4xi32> {train.clock = "
         "\"ids\"}, " +
         fields + ") {\n" + body + "\ntrain.commit results [\"y\"] (%y : " + type + ")\n}";
}

std::string field(const std::string &name, const std::string &type) {
  return "%" + name + ": " + type + " {train.data = \"" + name + "\"}";
}

std::string convolution(const std::string &op, const std::string &operands, int stride,
                        const std::string &padding, const std::string &types) {
  return "%y = train." + op + " " + operands + " {strides = array<i64: " + std::to_string(stride) +
         ", " + std::to_string(stride) + ">, padding = array<i64: " + padding +
         ">, dilations = array<i64: 1, 1>} : " + types;
}

} // namespace

TEST_CASE("a step of LeNet, small: convolutions, pools, losses, momentum") {
  std::ifstream file(SINTER_SOURCE_DIR "/tests/lit/Inputs/small.train.mlir");
  std::stringstream text;
  text << file.rdbuf();
  REQUIRE(!text.str().empty());
  checkFloors(text.str(), 4);
  checkFloors(text.str(), 3);
}

TEST_CASE("convolutions forward, with and without padding, few channels and many") {
  for (int channels : {1, 3, 16, 20})
    for (const char *padding : {"0, 0, 0, 0", "1, 1, 1, 1", "2, 0, 1, 1"})
      for (int stride : {1, 2}) {
        const int height = 7 + (padding[0] - '0') + (padding[6] - '0'),
                  width = 6 + (padding[3] - '0') + (padding[9] - '0');
        const std::string c = std::to_string(channels),
                          out = std::to_string((height - 3) / stride + 1) + "x" +
                                std::to_string((width - 3) / stride + 1);
        const std::string x = "tensor<4x7x6x" + c + "xf32>", w = "tensor<3x3x" + c + "x5xf32>",
                          y = "tensor<4x" + out + "x5xf32>";
        checkFloors(
            "train.state @w : " + w + " kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n" +
                "train.step @s kind \"predict\" (" + field("x", x) + ", %w: " + w +
                " {train.reads = @w}) {\n" +
                convolution("conv2d", "%x, %w", stride, padding, "(" + x + ", " + w + ") -> " + y) +
                "\ntrain.commit results [\"y\"] (%y : " + y + ")\n}",
            4);
      }
}

TEST_CASE("convolutions by input and by weight") {
  for (int channels : {2, 17})
    for (int stride : {1, 2, 3})
      for (int size : {1, 3}) {
        const int padding = size / 2;
        const std::string c = std::to_string(channels), k = std::to_string(size),
                          p = std::to_string(padding),
                          out = std::to_string((7 + 2 * padding - size) / stride + 1) + "x" +
                                std::to_string((5 + 2 * padding - size) / stride + 1);
        const std::string x = "tensor<4x7x5x" + c + "xf32>",
                          w = "tensor<" + k + "x" + k + "x" + c + "x6xf32>",
                          y = "tensor<4x" + out + "x6xf32>",
                          around = p + ", " + p + ", " + p + ", " + p;
        const std::string fields =
            "%z: tensor<4xf32> {train.data = \"z\"}, " + field("dy", y) + ", ";
        const std::string state =
            "train.state @w : " + w + " kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n";
        checkFloors(state + "train.step @s kind \"predict\" (" + fields + "%w: " + w +
                        " {train.reads = @w}) {\n" +
                        convolution("conv2d_input_grad", "%dy, %w", stride, around,
                                    "(" + y + ", " + w + ") -> " + x) +
                        "\ntrain.commit results [\"y\"] (%y : " + x + ")\n}",
                    4);
        checkFloors(state + "train.step @s kind \"train\" (" + fields + field("x", x) +
                        ", %w: " + w + " {train.owns = @w}) {\n" +
                        convolution("conv2d_weight_grad", "%x, %dy", stride, around,
                                    "(" + x + ", " + y + ") -> " + w) +
                        "\ntrain.commit states [@w] (%y : " + w + ")\n}",
                    4);
      }
}

TEST_CASE("products whose columns lie anywhere") {
  const struct {
    const char *axes, *lhs, *rhs, *result;
  } products[] = {{"bk,kn->bn", "4x700", "700x20", "4x20"},
                  {"bk,nk->bn", "4x30", "20x30", "4x20"},
                  {"bk,nk->nb", "4x30", "20x30", "20x4"},
                  {"bk,bn->kn", "4x30", "4x20", "30x20"},
                  {"bk,kn->bn", "4x3", "3x1", "4x1"},
                  {"bk,bk->b", "4x30", "4x30", "4"},
                  {"bhk,bhnk->bhn", "4x2x5", "4x2x7x5", "4x2x7"},
                  {"bn,kn->bk", "4x30", "500x30", "4x500"},
                  {"bij,bjl->bil", "4x3x5", "4x5x6", "4x3x6"},
                  {"b,n->bn", "4", "4", "4x4"}};
  for (const auto &product : products) {
    const auto type = [](const char *shape) { return "tensor<" + std::string(shape) + "xf32>"; };
    const std::string types =
        "(" + type(product.lhs) + ", " + type(product.rhs) + ") -> " + type(product.result);
    checkFloors("train.state @a : " + type(product.lhs) +
                    " kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n" +
                    "train.state @b : " + type(product.rhs) +
                    " kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n" +
                    "train.step @s kind \"predict\" (%z: tensor<4xf32> {train.data = \"z\"}, %a: " +
                    type(product.lhs) + " {train.reads = @a}, %b: " + type(product.rhs) +
                    " {train.reads = @b}) {\n%y = train.contract \"" + product.axes +
                    "\" %a, %b : " + types +
                    "\ntrain.commit results [\"y\"] (%y : " + type(product.result) + ")\n}",
                4);
  }
}

TEST_CASE("dilated convolutions, all three ways") {
  for (const char *channels : {"2", "16"}) {
    const std::string x = "tensor<4x7x6x" + std::string(channels) + "xf32>",
                      w = "tensor<3x2x" + std::string(channels) + "x6xf32>",
                      y = "tensor<4x5x6x6xf32>";
    const std::string attributes = " {strides = array<i64: 1, 1>, padding = array<i64: 1, 2, 1, "
                                   "0>, dilations = array<i64: 2, 2>} : (";
    const auto check = [&](const char *op, const std::string &a, const std::string &b,
                           const std::string &result) {
      checkFloors(prediction(field("a", a) + ", " + field("b", b),
                             "%y = train." + std::string(op) + " %a, %b" + attributes + a + ", " +
                                 b + ") -> " + result,
                             result),
                  4);
    };
    const std::string wide = "tensor<4x3x2x" + std::string(channels) + "x6xf32>";
    // A field has the batch in front, so the weight is a slice of one.
    const auto weight = "%w1 = train.slice %b at [1, 0, 0, 0, 0] by [1, 1, 1, 1, 1] : " + wide +
                        " -> tensor<1x3x2x" + channels +
                        "x6xf32>\n%w = train.reshape %w1 : tensor<1x3x2x" + channels +
                        "x6xf32> -> " + w + "\n";
    checkFloors(
        prediction(field("a", x) + ", " + field("b", wide),
                   weight + "%y = train.conv2d %a, %w" + attributes + x + ", " + w + ") -> " + y,
                   y),
        4);
    checkFloors(prediction(field("a", y) + ", " + field("b", wide),
                           weight + "%y = train.conv2d_input_grad %a, %w" + attributes + y + ", " +
                               w + ") -> " + x,
                           x),
                4);
    check("conv2d_weight_grad", x, y, w);
  }
}

TEST_CASE("pools and their gradients, windows apart, overlapping and padded") {
  const struct {
    int height, width, stride, padding;
  } windows[] = {{2, 2, 2, 0}, {2, 3, 2, 1}, {1, 2, 3, 0}, {3, 2, 1, 0}, {3, 2, 3, 0}};
  for (const auto &window : windows)
    for (bool isMax : {true, false}) {
      const std::string stride = std::to_string(window.stride),
                        pad = std::to_string(window.padding);
      const std::string attributes = "{size = array<i64: " + std::to_string(window.height) + ", " +
                                     std::to_string(window.width) +
                                     ">, strides = array<i64: " + stride + ", " + stride +
                                     ">, padding = array<i64: " + pad + ", 0, 0, " + pad + ">}";
      const auto extent = [&](int of, int size) {
        return std::to_string((of + window.padding - size) / window.stride + 1);
      };
      const std::string out = extent(7, window.height) + "x" + extent(8, window.width);
      const std::string x = "tensor<4x7x8x5xf32>", y = "tensor<4x" + out + "x5xf32>",
                        index = "tensor<4x" + out + "x5xi8>";
      const std::string forward =
          isMax ? "%p, %i = train.max_pool2d %x " + attributes + " : (" + x + ") -> (" + y + ", " +
                      index + ")\n"
                : "%p = train.avg_pool2d %x " + attributes + " : (" + x + ") -> " + y + "\n";
      const std::string backward =
          isMax ? "%y = train.max_pool2d_grad %p, %i " + attributes + " : (" + y + ", " + index +
                      ") -> " + x
                : "%y = train.avg_pool2d_grad %p " + attributes + " : (" + y + ") -> " + x;
      checkFloors(prediction(field("x", x), forward + backward, x), 4);
    }
}

TEST_CASE("reductions, normalisations and losses") {
  const std::string x = "tensor<4x6x32xf32>";
  checkFloors(prediction(field("x", x),
                         "%y = train.sum %x over [0, 1] : " + x + " -> tensor<32xf32>",
                         "tensor<32xf32>"),
              4);
  checkFloors(prediction(field("x", x), "%y = train.sum %x over [2] : " + x + " -> tensor<4x6xf32>",
                         "tensor<4x6xf32>"),
              4);
  checkFloors(prediction(field("x", x),
                         "%y = train.reduce_max %x over [1] : " + x + " -> tensor<4x32xf32>",
                         "tensor<4x32xf32>"),
              4);
  checkFloors(prediction(field("x", x), "%y = train.argmax %x : " + x + " -> tensor<4x6xi32>",
                         "tensor<4x6xi32>"),
              4);
  checkFloors(prediction(field("x", x),
                         "%y = train.batch_mean %x of %count : " + x + " -> tensor<6x32xf32>",
                         "tensor<6x32xf32>"),
              3);
  checkFloors(prediction(field("x", x),
                         "%y, %v = train.moments %x of %count : " + x +
                             " -> tensor<32xf32>, tensor<32xf32>",
                         "tensor<32xf32>"),
              3);
  checkFloors(prediction(field("x", x),
                         "%m, %y = train.moments %x of %count : " + x +
                             " -> tensor<32xf32>, tensor<32xf32>",
                         "tensor<32xf32>"),
              3);
  checkFloors(prediction(field("x", x), "%y = train.softmax %x : " + x, x), 4);
  checkFloors(prediction(field("x", x), "%y = train.log_softmax %x : " + x, x), 4);
  const std::string smooth = "{smoothing = 0.1}", logits = "tensor<4x6xf32>";
  for (const std::string &attributes : {std::string(), smooth}) {
    checkFloors(prediction(field("x", logits),
                           "%y = train.cross_entropy %x, %ids " + attributes + " : " + logits +
                               ", tensor<4xi32> -> tensor<4xf32>",
                           "tensor<4xf32>"),
                4);
    checkFloors(prediction(field("x", logits) + ", " + field("e", "tensor<4xf32>"),
                           "%y = train.cross_entropy_grad %e, %x, %ids " + attributes +
                               " : (tensor<4xf32>, " + logits + ", tensor<4xi32>) -> " + logits,
                           logits),
                4);
  }
}

TEST_CASE("large sums go through shards and lanes") {
  const std::string x = "tensor<4x128x80xf32>";
  checkFloors(prediction(field("x", x),
                         "%y = train.sum %x over [0, 1] : " + x + " -> tensor<80xf32>",
                         "tensor<80xf32>"),
              4);
  checkFloors(prediction(field("x", x),
                         "%y = train.sum %x over [0, 1, 2] : " + x + " -> tensor<f32>",
                         "tensor<f32>"),
              4);
  checkFloors(prediction(field("x", x),
                         "%y, %v = train.moments %x of %count : " + x +
                             " -> tensor<80xf32>, tensor<80xf32>",
                         "tensor<80xf32>"),
              2);
}

TEST_CASE("views fold, or are made") {
  const std::string x = "tensor<4x6x5xf32>";
  const struct {
    std::string body, type;
  } views[] = {
      {"%y = train.transpose %x by [2, 0, 1] : " + x + " -> tensor<5x4x6xf32>",
       "tensor<5x4x6xf32>"},
      {"%t = train.transpose %x by [0, 2, 1] : " + x +
           " -> tensor<4x5x6xf32>\n"
           "%y = train.reshape %t : tensor<4x5x6xf32> -> tensor<4x30xf32>",
       "tensor<4x30xf32>"},
      {"%t = train.slice %x at [0, 1, 0] by [1, 2, 1] : " + x +
           " -> tensor<4x3x5xf32>\n"
           "%y = train.relu %t : tensor<4x3x5xf32>",
       "tensor<4x3x5xf32>"},
      {"%y = train.pad %x at [0, 1, 2] by [1, 2, 1] with -1.5 : " + x + " -> tensor<4x13x8xf32>",
       "tensor<4x13x8xf32>"},
      {"%y = train.concat %x, %x, %x along 1 : " + x + ", " + x + ", " + x +
           " -> tensor<4x18x5xf32>",
       "tensor<4x18x5xf32>"},
      {"%b = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x7xi32>\n"
       "%y = train.one_hot %b : tensor<4x7xi32> -> tensor<4x7xf32>",
       "tensor<4x7xf32>"},
      {"%b = train.broadcast %ids to [0] : tensor<4xi32> -> tensor<4x6x5xi32>\n"
       "%r = train.random \"drop\" of %b draw %draw seed %seed : tensor<4x6x5xi32> -> " +
           x +
           "\n"
           "%p = train.constant dense<0.5> : tensor<f32>\n"
           "%m = train.compare \"lt\" %r, %p : " +
           x +
           ", tensor<f32> -> tensor<4x6x5xi1>\n"
           "%y = train.select %m, %x, %p : tensor<4x6x5xi1>, " +
           x + ", tensor<f32> -> " + x,
       x},
      {"%c = train.constant dense<[1.0, 2.0, 4.0, 8.0, 16.0]> : tensor<5xf32>\n"
       "%b = train.broadcast %c to [2] : tensor<5xf32> -> " +
           x +
           "\n"
           "%y = train.mul %x, %b : " +
           x + ", " + x + " -> " + x,
       x}};
  for (const auto &view : views)
    checkFloors(prediction(field("x", x), view.body, view.type), 4);
}

TEST_CASE("states that swap, stay or are read late keep their values apart") {
  const std::string state =
      " : tensor<4x3xf32> kind \"parameter\" init #train.init<constant, 0.0, 0.0>\n";
  const std::string header =
      "train.state @a" + state + "train.state @b" + state +
      "train.step @s kind \"train\" (%x: tensor<4xf32> {train.data = \"x\"}, %a: tensor<4x3xf32> "
      "{train.owns = @a}, %b: tensor<4x3xf32> {train.owns = @b}) {\n";
  const std::string two = "tensor<4x3xf32>, tensor<4x3xf32>";
  // Swapped.
  checkFloors(header + "train.commit states [@a, @b] (%b, %a : " + two + ")\n}", 4);
  // One value into both, one of them unchanged.
  checkFloors(header + "%s = train.add %a, %b : " + two +
                  " -> tensor<4x3xf32>\n"
                  "train.commit states [@a, @b] (%s, %s : " +
                  two + ")\n}",
              4);
  checkFloors(header + "train.commit states [@a, @b] (%a, %a : " + two + ")\n}", 4);
  // The old value is still read by what depends on the new one; and each new value reads both old ones.
  checkFloors(
      header + "%s = train.exp %a : tensor<4x3xf32>\n%t = train.contract \"bk,bn->kn\" %s, %a : " +
          "(" + two +
          ") -> tensor<3x3xf32>\n%u = train.contract \"bk,kn->bn\" %a, %t : (tensor<4x3xf32>, "
          "tensor<3x3xf32>) -> "
          "tensor<4x3xf32>\n%v = train.mul %u, %b : " +
          two +
          " -> tensor<4x3xf32>\n"
          "train.commit states [@a, @b] (%s, %v : " +
          two + ")\n}",
      4);
  checkFloors(header + "%s = train.add %a, %b : " + two +
                  " -> tensor<4x3xf32>\n%d = train.sub %a, %b : " + two +
                  " -> tensor<4x3xf32>\ntrain.commit states [@a, @b] (%s, %d : " + two + ")\n}",
              4);
  // The new value reads the old one at other points than it writes.
  const std::string square = "tensor<3x3xf32>";
  checkFloors("train.state @a : " + square +
                  " kind \"parameter\" init #train.init<constant, 0.0, 0.0>\ntrain.step @s kind "
                  "\"train\" (%x: tensor<4xf32> "
                  "{train.data = \"x\"}, %a: " +
                  square + " {train.owns = @a}) {\n%t = train.transpose %a by [1, 0] : " + square +
                  " -> " + square + "\n%e = train.exp %t : " + square +
                  "\ntrain.commit states [@a] (%e : " + square + ")\n}",
              4);
}
