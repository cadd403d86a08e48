//===- KernelEvaluatorTest.cpp - every op's compiled kernel against the reference evaluator ---------===//
// The evaluator runs each case in f64. The kernels, for AVX2 and for the host, on one thread and on three, must give its
// numbers as far as f32 goes; and all four must give one result, bit for bit, where the host has AVX-512: both targets
// add the same numbers in the same order.

#include "compiler/codegen/Codegen.h"
#include "compiler/passes/Passes.h"
#include "compiler/reference/Evaluator.h"
#include "dialects/RegisterDialects.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/Philox.h"
#include "tests/numerics/CompiledProgram.h"
#include "tests/numerics/KernelCases.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <set>

using namespace sinter;
using namespace sinter::test;

namespace {

mlir::MLIRContext &sharedContext() {
  static mlir::MLIRContext context([] {
    mlir::DialectRegistry registry;
    mlir::registerAllDialects(registry);
    mlir::registerAllExtensions(registry);
    sinter::registerAllDialects(registry);
    codegen::registerTranslations(registry);
    return registry;
  }());
  context.loadAllAvailableDialects();
  return context;
}

codegen::Target targetNamed(const char *name) {
  auto target = codegen::Target::named(name);
  if (!target)
    FAIL(llvm::toString(target.takeError()));
  return *target;
}

/// What a case's inputs and ids hold; f32 inputs hold numbers that f32 has.
std::map<std::string, std::vector<double>> drawInputs(const KernelCase &test) {
  std::mt19937 generator(17);
  std::uniform_real_distribution<double> wide(-1.2, 1.2), apart(0.2, 1.2), positive(0.3, 1.5);
  std::map<std::string, std::vector<double>> drawn;
  for (const Input &input : test.inputs) {
    const auto type =
        mlir::cast<mlir::RankedTensorType>(mlir::parseType(input.type, &sharedContext()));
    std::vector<double> &values = drawn[input.name];
    values.resize(static_cast<size_t>(type.getNumElements()));
    if (auto exact = test.exact.find(input.name); exact != test.exact.end()) {
      REQUIRE(exact->second.size() == values.size());
      values = exact->second;
    } else if (!type.getElementType().isF32()) {
      for (double &x : values)
        x = std::uniform_int_distribution<int>(0, static_cast<int>(input.limit) - 1)(generator);
    } else {
      for (double &x : values)
        x = static_cast<float>(input.values == Values::Positive ? positive(generator)
                               : input.values == Values::Wide   ? wide(generator)
                               : input.values == Values::Small
                                   ? wide(generator) / 4
                                   : std::copysign(apart(generator), wide(generator)));
    }
  }
  return drawn;
}

/// Which examples the rows are; the last row is no neighbour of the others.
std::vector<int32_t> idsOf(const KernelCase &test) {
  std::vector<int32_t> ids(static_cast<size_t>(test.ids));
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = i + 1 == ids.size() ? 59999 : static_cast<int32_t>(3 * i);
  return ids;
}

class Runs {
public:
  explicit Runs(const KernelCase &test) : test(test), drawn(drawInputs(test)) {
    module = mlir::parseSourceString<mlir::ModuleOp>(moduleText(test), &sharedContext());
    INFO(moduleText(test));
    REQUIRE(module);
    step = *module->getOps<train::StepOp>().begin();
    bool stands = false;
    step.walk(
        [&](mlir::Operation *op) { stands |= op->getName().getStringRef() == "train." + test.op; });
    REQUIRE(stands); // a case is of the op that it says
  }

  /// The outputs in order, run after run, in f64.
  std::vector<std::vector<double>> evaluate() {
    std::vector<std::vector<double>> outputs;
    reference::Evaluator evaluator(reference::Precision::Double);
    for (const runtime::Clock &clock : test.clocks) {
      std::vector<reference::Tensor> arguments;
      for (mlir::Type type : step.getArgumentTypes())
        arguments.emplace_back(type);
      const int64_t clocks[] = {clock.count, clock.step, clock.last,
                                static_cast<int64_t>(clock.seed), clock.draw};
      size_t next = 0;
      for (int64_t value : clocks)
        arguments[next++].integers = {value};
      if (test.ids > 0)
        for (auto [to, id] : llvm::zip_equal(arguments[next++].integers, idsOf(test)))
          to = id;
      for (const Input &input : test.inputs) {
        reference::Tensor &tensor = arguments[next++];
        const std::vector<double> &values = drawn.at(input.name);
        if (tensor.isFloat())
          tensor.floats = values;
        else
          tensor.integers.assign(values.begin(), values.end());
      }
      auto outcome = evaluator.run(step, arguments);
      REQUIRE(mlir::succeeded(outcome));
      for (const auto &[name, type] : test.outputs)
        outputs.push_back(outcome->states[name + ".out"].floats);
    }
    return outputs;
  }

  std::vector<std::vector<float>> run(tests::CompiledProgram &program) {
    std::vector<std::vector<float>> outputs;
    for (const runtime::Clock &clock : test.clocks) {
      program.clock() = clock;
      if (test.ids > 0)
        std::ranges::copy(idsOf(test), program.ids("test").begin());
      for (const Input &input : test.inputs) {
        const std::vector<double> &values = drawn.at(input.name);
        if (input.type.ends_with("f32>"))
          copy(values, program.state(input.name));
        else if (input.type.ends_with("i8>"))
          copy(values, program.field<int8_t>("test", input.name, values.size()));
        else
          copy(values, program.field<int32_t>("test", input.name, values.size()));
      }
      program.run("test");
      for (const auto &[name, type] : test.outputs) {
        const auto values = program.state(name + ".out");
        outputs.emplace_back(values.begin(), values.end());
      }
    }
    return outputs;
  }

  mlir::ModuleOp get() { return *module; }

private:
  const KernelCase &test;
  std::map<std::string, std::vector<double>> drawn;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  train::StepOp step;

  template <typename T> static void copy(const std::vector<double> &from, std::span<T> to) {
    REQUIRE(from.size() == to.size());
    std::ranges::transform(from, to.begin(), [](double x) { return static_cast<T>(x); });
  }
};

/// Where `ours` first differs by more than `tolerance` of the largest finite value, or nothing.
std::string firstDifference(const std::vector<float> &ours, const std::vector<double> &theirs,
                            double tolerance) {
  if (ours.size() != theirs.size())
    return "sizes differ";
  double size = 0;
  for (double value : theirs)
    if (std::isfinite(value))
      size = std::max(size, std::abs(value));
  for (size_t i = 0; i < theirs.size(); ++i) {
    const double value = ours[i], want = tolerance == 0 ? static_cast<float>(theirs[i]) : theirs[i];
    const bool agree = std::isnan(want) ? std::isnan(value)
                       : !std::isfinite(want) || tolerance == 0
                           ? value == want && std::signbit(value) == std::signbit(want)
                           : std::abs(value - want) <= tolerance * size;
    if (!agree)
      return "element " + std::to_string(i) + " is " + std::to_string(value) + ", not " +
             std::to_string(want) + "; the difference is " +
             std::to_string((value - want) / size * 1e6) + "e-6 of the largest";
  }
  return "";
}

bool sameBits(const std::vector<std::vector<float>> &one,
              const std::vector<std::vector<float>> &other) {
  if (one.size() != other.size())
    return false;
  for (size_t i = 0; i < one.size(); ++i)
    if (!std::ranges::equal(one[i], other[i], [](float a, float b) {
          return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
                 (std::isnan(a) && std::isnan(b));
        }))
      return false;
  return true;
}

} // namespace

TEST_CASE(
    "every op's kernel gives what the evaluator gives, with the same bits for every target and "
    "any number of threads") {
  const codegen::Target oldest = targetNamed("x86-64-v3"), host = targetNamed("host");
  for (const KernelCase &test : kernelCases()) {
    INFO(moduleText(test));
    Runs runs(test);
    const std::vector<std::vector<double>> expected = runs.evaluate();
    std::vector<std::vector<float>> first;
    for (const codegen::Target &target : {oldest, host}) {
      INFO("for " << target.cpu);
      tests::CompiledProgram program(runs.get(), target);
      const std::vector<std::vector<float>> values = runs.run(program);
      REQUIRE(values.size() == expected.size());
      for (size_t i = 0; i < values.size(); ++i) {
        INFO("run " << i / test.outputs.size() << ", output "
                    << test.outputs[i % test.outputs.size()].first);
        CHECK(firstDifference(values[i], expected[i], test.tolerance) == "");
      }
      program.useThreads(3);
      CHECK(sameBits(runs.run(program), values));
      if (first.empty())
        first = values;
      else if (host.avx512)
        CHECK(sameBits(first, values));
    }
  }
}

TEST_CASE("convolutions in Winograd's tiles stay within 5e-6 of the largest value of direct ones") {
  struct Shape {
    int64_t batch, side, channels, columns, padding;
  };
  for (const Shape &s : {Shape{2, 16, 64, 64, 1}, Shape{3, 8, 96, 160, 1}, Shape{6, 4, 48, 20, 1},
                         Shape{2, 9, 5, 70, 0}, Shape{1, 6, 33, 17, 2}}) {
    const auto type = [](int64_t a, int64_t b, int64_t c, int64_t d) {
      return "tensor<" + std::to_string(a) + "x" + std::to_string(b) + "x" + std::to_string(c) +
             "x" + std::to_string(d) + "xf32>";
    };
    const int64_t to = s.side + 2 * s.padding - 2;
    const std::string x = type(s.batch, s.side, s.side, s.channels),
                      w = type(3, 3, s.channels, s.columns), y = type(s.batch, to, to, s.columns);
    const std::string p = std::to_string(s.padding);
    const std::string how = " {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, padding = "
                            "array<i64: " +
                            p + ", " + p + ", " + p + ", " + p + ">} : ";
    const KernelCase test{
        .op = "conv2d",
        .inputs = {{"x", x}, {"w", w}, {"d", y}},
        .body = "%y = train.conv2d %x, %w" + how + "(" + x + ", " + w + ") -> " + y +
                "\n%dx = train.conv2d_input_grad %d, %w" + how + "(" + y + ", " + w + ") -> " + x +
                "\n%dw = train.conv2d_weight_grad %x, %d" + how + "(" + x + ", " + y + ") -> " + w,
        .outputs = {{"y", y}, {"dx", x}, {"dw", w}}};
    INFO(test.body);
    Runs runs(test);
    const std::vector<std::vector<double>> direct = runs.evaluate();
    mlir::PassManager manager(&sharedContext());
    passes::UseWinogradOptions options;
    options.all = true;
    manager.nest<train::StepOp>().addPass(passes::createUseWinograd(options));
    REQUIRE(mlir::succeeded(manager.run(runs.get())));
    int tiled = 0;
    runs.get().walk([&](mlir::Operation *op) {
      tiled += llvm::isa<train::WinogradOp, train::WinogradWeightGradOp>(op);
    });
    CHECK(tiled == 3);
    const auto largest = [](const std::vector<double> &values) {
      double size = 0;
      for (double value : values)
        size = std::max(size, std::abs(value));
      return size;
    };
    // The tables of filters are rounded to f32; nothing else is here.
    const std::vector<std::vector<double>> exact = runs.evaluate();
    tests::CompiledProgram program(runs.get(), targetNamed("host"));
    const std::vector<std::vector<float>> values = runs.run(program);
    for (size_t i = 0; i < values.size(); ++i) {
      INFO("output " << test.outputs[i].first);
      const double size = largest(direct[i]);
      double ofTables = 0, ofKernels = 0;
      for (size_t at = 0; at < direct[i].size(); ++at) {
        ofTables = std::max(ofTables, std::abs(exact[i][at] - direct[i][at]) / size);
        ofKernels = std::max(ofKernels, std::abs(values[i][at] - direct[i][at]) / size);
      }
      CHECK(ofTables <= 3e-7);
      CHECK(ofKernels <= 5e-6);
    }
  }
}

TEST_CASE("random numbers have the bits that the runtime's generator gives") {
  int tried = 0;
  for (const KernelCase &test : kernelCases()) {
    if (test.op != "random")
      continue;
    Runs runs(test);
    tests::CompiledProgram program(runs.get(), targetNamed("host"));
    const auto values = runs.run(program);
    // As the case has them: example after example, the purposes by output.
    const char *purposes[] = {"a", "dropout1", "dropout1"};
    const std::vector<int32_t> ids = idsOf(test);
    for (size_t i = 0; i < values.size(); ++i) {
      const runtime::Clock &clock = test.clocks[i / 3];
      const size_t width = values[i].size() / ids.size();
      for (size_t at = 0; at < values[i].size(); ++at, ++tried)
        REQUIRE(values[i][at] ==
                runtime::uniformFloat(runtime::randomBits(
                    clock.seed, runtime::fnv1a(purposes[i % 3]), static_cast<uint32_t>(clock.draw),
                    static_cast<uint32_t>(ids[at / width]), at % width)));
    }
  }
  CHECK(tried == 3 * 5 * (1 + 70 + 399));
}

TEST_CASE("every op that may stand in a step that is compiled has a case") {
  // What stands outside a step, ends it, or is gone when it is compiled.
  const std::set<std::string> others = {"train.state", "train.run",    "train.stage",
                                        "train.step",  "train.commit", "train.gradient",
                                        "train.next"};
  std::set<std::string> tested;
  for (const KernelCase &test : kernelCases())
    tested.insert("train." + test.op);
  int seen = 0;
  for (mlir::RegisteredOperationName name :
       sharedContext().getRegisteredOperationsByDialect("train")) {
    const std::string op = name.getStringRef().str();
    INFO(op);
    CHECK(tested.contains(op) != others.contains(op));
    ++seen;
  }
  CHECK(seen > 60);
}
