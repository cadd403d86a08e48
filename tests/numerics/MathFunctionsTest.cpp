//===- MathFunctionsTest.cpp - how far compiled functions are from libm's ---------------------------===//
// Kernels compute exp, log, tanh … by polynomials in f32. Each is tried on a few hundred thousand numbers over all of f32, tiny ones,
// huge ones, infinities and NaN among them, against the same function in double from libm. The bounds are what was measured
// and a margin: a number of units in the last place of the true value, or a distance where the true value is smaller than that.

#include "compiler/codegen/Codegen.h"
#include "dialects/RegisterDialects.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "tests/numerics/CompiledProgram.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numbers>
#include <random>

using namespace sinter;

namespace {

/// A function as the train dialect has it, and what it is.
struct Function {
  const char *name, *op, *attributes;
  double (*truth)(double);
  double from, to;           ///< where the bounds hold for finite x
  double ulps;               ///< units in the last place of the truth …
  double distance;           ///< … or this, whichever is more
  double outside = HUGE_VAL; ///< how large a result may be for other x
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
double silu(double x) { return x / (1 + std::exp(-x)); } // NaN at -infinity, as in PyTorch
double elu(double x) { return x > 0 ? x : std::expm1(x); }
double gelu(double x) { return x * std::erfc(-x / std::numbers::sqrt2) / 2; }
double geluTanh(double x) {
  const double inner = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-2 * inner));
}

double geluSlope(double x) {
  if (std::isinf(x))
    return x > 0 ? 1 : 0;
  return std::erfc(-x / std::numbers::sqrt2) / 2 +
         x * std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

constexpr double all = std::numeric_limits<float>::max();
// log of what is below the smallest normal number is not held; sine and cosine of more than 2^45, where neighbours are
// 2^22 apart, are only held within [-1, 1]. silu's e^-x overflows in f32 where silu x is 1e-36, as PyTorch's does.
const Function functions[] = {
    {"exp", "exp", "", std::exp, -all, all, 1.5, 0},
    {"log", "log", "", std::log, 0x1p-126, all, 1.5, 0},
    {"sqrt", "sqrt", "", std::sqrt, -all, all, 0.5, 0},
    {"sin", "sin", "", std::sin, -0x1p45, 0x1p45, 2, 0, 1},
    {"cos", "cos", "", std::cos, -0x1p45, 0x1p45, 2, 0, 1},
    {"tanh", "tanh", "", std::tanh, -all, all, 5, 0},
    {"erf", "erf", "", std::erf, -all, all, 4, 1.6e-38},
    {"sigmoid", "sigmoid", "", sigmoid, -all, all, 3, 0},
    {"softplus", "softplus", "", softplus, -all, all, 3.5, 0},
    {"silu", "silu", "", silu, -all, all, 3, 1e-36},
    {"elu", "elu", "{alpha = 1.0 : f64}", elu, -all, all, 3, 0},
    {"gelu", "gelu", "", gelu, -all, all, 1, 6e-7},
    {"geluTanh", "gelu", "{approximate}", geluTanh, -all, all, 1, 1e-6},
    {"geluSlope", "gelu_slope", "", geluSlope, -all, all, 1, 2.6e-7},
};

/// All of f32 in even steps of its bits, what lies between -30 and 30 more closely, and what is special.
std::vector<float> inputs() {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 20011)
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  std::mt19937 generator(5);
  std::uniform_real_distribution<float> near(-30, 30), unit(-1, 1);
  for (int i = 0; i < 100000; ++i)
    x.push_back(near(generator)), x.push_back(unit(generator));
  for (float special :
       {0.0f, 1.0f, 0x1p-149f, 0x1p-126f, std::numeric_limits<float>::max(), 88.72283f, 88.72284f,
        87.33654f, 103.97f, 104.0f, 709.0f, 16777216.0f, HUGE_VALF, std::nanf("")})
    x.push_back(special), x.push_back(-special);
  while (x.size() % 1024 != 7)
    x.push_back(0.5f);
  return x;
}

/// The smallest normal number. What is read and is smaller counts as zero, and a result may be.
constexpr double smallest = std::numeric_limits<float>::min();

double flushed(float x) { return std::abs(x) < smallest ? std::copysign(0.0, x) : x; }

/// The distance between f32 numbers around `truth`.
double unitInLastPlace(double truth) {
  return std::ldexp(1.0, std::ilogb(std::max(std::abs(truth), smallest)) - 23);
}

struct Worst {
  double ulps = 0, atUlps = 0, distance = 0, atDistance = 0;
  int wrong = 0; ///< a NaN, an infinity or a large number too many, or too few
  double atWrong = 0;
};

} // namespace

TEST_CASE("compiled functions are as near to libm's as is said") {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  sinter::registerAllDialects(registry);
  codegen::registerTranslations(registry);
  mlir::MLIRContext context(registry);
  context.loadAllAvailableDialects();

  const std::vector<float> x = inputs();
  const std::string type = fmt::format("tensor<{}xf32>", x.size());
  std::string text, arguments, body, names, values, types;
  text = fmt::format("train.state @x : {} kind \"parameter\" init <constant, 0.0, 0.0>\n", type);
  for (const Function &function : functions) {
    text += fmt::format("train.state @{} : {} kind \"parameter\" init <constant, 0.0, 0.0>\n",
                        function.name, type);
    arguments += fmt::format(", %{0}_old: {1} {{train.owns = @{0}}}", function.name, type);
    body += fmt::format("%{} = train.{} %x {} : {}\n", function.name, function.op,
                        function.attributes, type);
    const char *comma = names.empty() ? "" : ", ";
    names += fmt::format("{}@{}", comma, function.name);
    values += fmt::format("{}%{}", comma, function.name);
    types += comma + type;
  }
  text += fmt::format("train.step @test kind \"train\" (%x: {} {{train.reads = @x}}{}) {{\n{}"
                      "train.commit states [{}] ({} : {})\n}}",
                      type, arguments, body, names, values, types);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  REQUIRE(module);

  for (const char *name : {"x86-64-v3", "host"}) {
    auto target = codegen::Target::named(name);
    if (!target)
      FAIL(llvm::toString(target.takeError()));
    tests::CompiledProgram program(*module, *target, 2);
    std::ranges::copy(x, program.state("x").begin());
    program.run("test");
    for (const Function &function : functions) {
      const std::span<const float> y = program.state(function.name);
      Worst worst;
      for (size_t i = 0; i < x.size(); ++i) {
        const double truth = function.truth(flushed(x[i]));
        const auto nearest = static_cast<float>(truth);
        if (std::isnan(truth) || std::isinf(nearest) || !std::isfinite(y[i])) {
          // Overflow may come a unit early or late.
          const bool near = std::isinf(y[i]) != std::isinf(nearest) && !std::isnan(y[i]) &&
                            std::abs(truth) > 0.999999 * all && std::abs(truth) < 1.000001 * all;
          if (!(std::isnan(truth) ? std::isnan(y[i]) : y[i] == nearest) && !near &&
              worst.wrong++ == 0)
            worst.atWrong = x[i];
          continue;
        }
        if (x[i] < function.from || x[i] > function.to) {
          if (std::abs(y[i]) > function.outside && worst.wrong++ == 0)
            worst.atWrong = x[i];
          continue;
        }
        const double distance = std::abs(y[i] - truth), ulps = distance / unitInLastPlace(truth);
        if (distance > worst.distance)
          worst.distance = distance, worst.atDistance = x[i];
        if (distance > std::max(function.distance, smallest) && ulps > worst.ulps)
          worst.ulps = ulps, worst.atUlps = x[i];
      }
      INFO(function.name << " for " << target->cpu << ": " << worst.ulps << " ulp at "
                         << worst.atUlps << "; distance " << worst.distance << " at "
                         << worst.atDistance << "; " << worst.wrong
                         << " NaNs or infinities wrong, the first at " << worst.atWrong);
      CHECK(worst.wrong == 0);
      CHECK(worst.ulps <= function.ulps);
    }
  }
}
