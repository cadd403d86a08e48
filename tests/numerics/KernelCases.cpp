//===- KernelCases.cpp -----------------------------------------------------------------------------===//
#include "tests/numerics/KernelCases.h"

#include <array>
#include <fmt/format.h>
#include <limits>
#include <sstream>

namespace sinter::test {
namespace {

using Cases = std::vector<KernelCase>;

// What a sum of a few hundred products in f32 differs by, and a few roundings in a row.
constexpr double sumTolerance = 2e-6, fewRoundings = 5e-7;
// The same through Winograd's transforms.
constexpr double winogradTolerance = 1e-5;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// "33x70" as tensor<33x70xf32>; "" as tensor<f32>.
std::string tensor(const std::string &shape, const std::string &element = "f32") {
  return "tensor<" + shape + (shape.empty() ? "" : "x") + element + ">";
}

/// Of "33x70": 2310.
size_t elementsOf(const std::string &shape) {
  std::istringstream text(shape);
  size_t product = 1;
  for (std::string extent; std::getline(text, extent, 'x');)
    product *= std::stoul(extent);
  return product;
}

std::vector<runtime::Clock> counts(std::initializer_list<int64_t> counts) {
  std::vector<runtime::Clock> clocks;
  for (int64_t count : counts)
    clocks.push_back({0, 1, count, 0, 0});
  return clocks;
}

//===--- the steps of the derivatives' tests, compiled ---------------------------------------------===//

void addGradientCases(Cases &cases) {
  for (const Case &test : gradientCases())
    cases.push_back({.op = test.op,
                     .inputs = test.inputs,
                     .body = test.body,
                     .outputs = {{"y", test.type}},
                     .tolerance = sumTolerance,
                     .clocks = counts({test.count})});
}

//===--- pointwise --------------------------------------------------------------------------------===//

void addUnary(Cases &cases) {
  auto add = [&](const std::string &op, Values values, double tolerance,
                 const std::string &attributes = "") {
    KernelCase test{.op = op, .inputs = {}, .body = "", .outputs = {}, .tolerance = tolerance};
    int number = 0;
    for (const char *shape : {"", "17", "33x70", "2x3x5x20", "1x1"}) {
      const std::string type = tensor(shape), suffix = std::to_string(number++);
      test.inputs.push_back({"x" + suffix, type, values});
      test.body += fmt::format("%y{0} = train.{1} %x{0} {2} : {3}\n", suffix, op, attributes, type);
      test.outputs.emplace_back("y" + suffix, type);
    }
    cases.push_back(test);
  };
  for (const char *op : {"neg", "abs", "sign", "relu", "square", "stop_gradient"})
    add(op, Values::Wide, 0);
  for (const char *op : {"exp", "sin", "cos", "tanh", "sigmoid", "softplus", "silu", "erf", "gelu"})
    add(op, Values::Wide, fewRoundings);
  add("sqrt", Values::Positive, 0);
  add("gelu_slope", Values::Positive,
      fewRoundings); // below 0 it has a zero, near which a difference is large
  add("log", Values::Positive, fewRoundings);
  add("gelu", Values::Wide, fewRoundings, "{approximate}");
  add("leaky_relu", Values::Wide, fewRoundings, "{slope = 0.1 : f64}");
  add("elu", Values::Wide, fewRoundings, "{alpha = 0.7 : f64}");
}

void addBinary(Cases &cases) {
  for (const char *op : {"add", "sub", "mul", "div", "max", "min", "pow"}) {
    const bool isPow = std::string(op) == "pow";
    KernelCase test{.op = op,
                    .inputs = {{"a", tensor("33x70"), isPow ? Values::Positive : Values::Wide},
                               {"b", tensor("33x70"), Values::Apart},
                               {"s", tensor(""), Values::Positive}},
                    .body = "",
                    .outputs = {},
                    .tolerance = isPow ? fewRoundings : 0};
    int number = 0;
    for (const auto &[a, b] : {std::pair("a", "b"), std::pair("a", "s"), std::pair("s", "b")}) {
      auto type = [](const std::string &name) { return tensor(name == "s" ? "" : "33x70"); };
      test.body += fmt::format("%y{} = train.{} %{}, %{} : {}, {} -> {}\n", number, op, a, b,
                               type(a), type(b), tensor("33x70"));
      test.outputs.emplace_back("y" + std::to_string(number++), tensor("33x70"));
    }
    cases.push_back(test);
  }
  // Ties go to a, which -0 and 0 tell; a NaN in b never wins, one in a stays.
  for (const char *op : {"max", "min"})
    cases.push_back(
        {.op = op,
         .inputs = {{"a", tensor("8")}, {"b", tensor("8")}},
         .body = fmt::format("%y = train.{0} %a, %b : {1}, {1} -> {1}", op, tensor("8")),
         .outputs = {{"y", tensor("8")}},
         .exact = {{"a", {0.0, -0.0, nan, 1, infinity, -infinity, 2, 3}},
                   {"b", {-0.0, 0.0, 1, nan, 1, 1, 2, -infinity}}}});
}

/// i1 and i32 leave a step as f32.
void addChoices(Cases &cases) {
  const std::vector<double> few = {0, -0.0, 1, 2, -1, nan, infinity, -infinity, 1, 2, 3, nan, -3};
  const std::vector<double> other = {-0.0, 0, 2, 1, -1, nan, infinity, infinity, nan, 2, -3, 1, 3};
  const std::vector<double> whole = {0,  -1, 1,           2,           -2147483648, 2147483647, 5,
                                     -5, 7,  -2147483648, -2147483648, 3,           -3};
  const std::vector<double> wholeToo = {
      0, 1, -1, 2, 2147483647, -2147483648, 5, -6, 8, 2147483647, -2147483648, -3, 3};
  for (const std::string element : {"f32", "i32"}) {
    const std::string type = tensor("13", element);
    KernelCase test{.op = "compare",
                    .inputs = {{"a", type}, {"b", type}},
                    .body = "",
                    .outputs = {},
                    .exact = {{"a", element == "f32" ? few : whole},
                              {"b", element == "f32" ? other : wholeToo}}};
    for (const char *predicate : {"eq", "ne", "lt", "le", "gt", "ge"}) {
      test.body += fmt::format("%c{0} = train.compare \"{0}\" %a, %b : {1}, {1} -> {2}\n"
                               "%{0} = train.cast %c{0} : {2} -> {3}\n",
                               predicate, type, tensor("13", "i1"), tensor("13"));
      test.outputs.emplace_back(predicate, tensor("13"));
    }
    cases.push_back(test);
  }

  KernelCase logic{.op = "logic",
                   .inputs = {{"a", tensor("33x7")}, {"b", tensor("33x7")}, {"k", tensor("33x7")}},
                   .body =
                       fmt::format("%z = train.constant dense<0.0> : tensor<f32>\n"
                                   "%p = train.compare \"gt\" %a, %z : {0}, tensor<f32> -> {1}\n"
                                   "%q = train.compare \"gt\" %b, %z : {0}, tensor<f32> -> {1}\n",
                                   tensor("33x7"), tensor("33x7", "i1")),
                   .outputs = {}};
  for (const char *kind : {"and", "or", "xor"}) {
    logic.body += fmt::format("%l{0} = train.logic \"{0}\" %p, %q : {1}, {1} -> {1}\n"
                              "%{0} = train.cast %l{0} : {1} -> {2}\n",
                              kind, tensor("33x7", "i1"), tensor("33x7"));
    logic.outputs.emplace_back(kind, tensor("33x7"));
  }
  KernelCase select = logic;
  select.op = "select";
  select.body += fmt::format("%s = train.select %p, %k, %b : {1}, {0}, {0} -> {0}\n"
                             "%t = train.select %lxor, %z, %b : {1}, tensor<f32>, {0} -> {0}\n",
                             tensor("33x7"), tensor("33x7", "i1"));
  select.outputs.emplace_back("s", tensor("33x7"));
  select.outputs.emplace_back("t", tensor("33x7"));
  cases.push_back(logic);
  cases.push_back(select);

  cases.push_back(
      {.op = "cast",
       .inputs = {{"a", tensor("13", "i32")}, {"b", tensor("13x5", "i8"), Values::Whole, 100}},
       .body = fmt::format("%y = train.cast %a : {} -> {}\n%z = train.cast %b : {} -> {}",
                           tensor("13", "i32"), tensor("13"), tensor("13x5", "i8"), tensor("13x5")),
       .outputs = {{"y", tensor("13")}, {"z", tensor("13x5")}},
       .exact = {{"a", whole}}});
  cases.push_back({.op = "number",
                   .inputs = {},
                   .body = fmt::format("%n = train.number along 1 : {0}\n"
                                       "%y = train.cast %n : {0} -> {1}",
                                       tensor("5x33", "i32"), tensor("5x33")),
                   .outputs = {{"y", tensor("5x33")}}});
  // Ties to even, carries into the exponent, the edge of what is finite, subnormals, what is none.
  cases.push_back({.op = "bf16",
                   .inputs = {{"x", tensor("16")}, {"z", tensor("33x70")}},
                   .body = fmt::format("%y = train.bf16 %x : {0}\n%w = train.bf16 %z : {1}",
                                       tensor("16"), tensor("33x70")),
                   .outputs = {{"y", tensor("16")}, {"w", tensor("33x70")}},
                   .exact = {{"x",
                              {1 + 0x1p-8, 1 + 0x3p-8, 1 + 0x1p-8 + 0x1p-23, 2 - 0x1p-23, -0.0,
                               -1 - 0x3p-8, 0x1p-140, 0x1.fep127, 0x1.ffp127, -0x1.fffffep127,
                               infinity, -infinity, nan, 1.5, 0x1.01p-126, 3.14159}}}});
  cases.push_back(
      {.op = "one_hot",
       .inputs = {{"t", tensor("33", "i32"), Values::Whole, 20}},
       .body = fmt::format("%l = train.broadcast %t to [0] : {0} -> {1}\n"
                           "%y = train.one_hot %l : {1} -> {2}",
                           tensor("33", "i32"), tensor("33x20", "i32"), tensor("33x20")),
       .outputs = {{"y", tensor("33x20")}}});
}

//===--- rows, clocks, random numbers -------------------------------------------------------------===//

void addRows(Cases &cases) {
  const std::string x = tensor("9x5x7");
  cases.push_back({.op = "mask_rows",
                   .inputs = {{"x", x}, {"v", tensor("33")}},
                   .body = fmt::format("%y = train.mask_rows %x of %count : {}\n"
                                       "%z = train.mask_rows %v of %count : {}",
                                       x, tensor("33")),
                   .outputs = {{"y", x}, {"z", tensor("33")}},
                   .clocks = counts({9, 5, 1})});
  cases.push_back({.op = "batch_mean_grad",
                   .inputs = {{"x", x}, {"s", tensor("")}},
                   .body = fmt::format("%y = train.batch_mean_grad %x of %count : {0} -> {0}\n"
                                       "%z = train.batch_mean_grad %s of %count : {1} -> {0}",
                                       x, tensor("")),
                   .outputs = {{"y", x}, {"z", x}},
                   .clocks = counts({9, 7, 1})});
  cases.push_back({.op = "batch_mean",
                   .inputs = {{"x", tensor("33x5x7")}, {"v", tensor("33")}},
                   .body = fmt::format("%y = train.batch_mean %x of %count : {} -> {}\n"
                                       "%z = train.batch_mean %v of %count : {} -> {}",
                                       tensor("33x5x7"), tensor("5x7"), tensor("33"), tensor("")),
                   .outputs = {{"y", tensor("5x7")}, {"z", tensor("")}},
                   .tolerance = sumTolerance,
                   .clocks = counts({33, 20, 1})});
  for (const auto &[shape, channels] : {std::pair("5x6x7x20", "20"), std::pair("33x70", "70")})
    cases.push_back({.op = "moments",
                     .inputs = {{"x", tensor(shape), Values::Positive}}, // a mean far from 0
                     .body = fmt::format("%m, %v = train.moments %x of %count : {0} -> {1}, {1}",
                                         tensor(shape), tensor(channels)),
                     .outputs = {{"m", tensor(channels)}, {"v", tensor(channels)}},
                     .tolerance = sumTolerance,
                     .clocks = counts({5, 3, 1})});
}

void addClocks(Cases &cases) {
  std::vector<runtime::Clock> clocks;
  for (int64_t step : {0, 1, 2, 3, 4, 7, 50, 99})
    clocks.push_back({step, 100, 7 - step % 7, 0, 0});
  clocks.push_back({123456, 1000000, 64, 0, 0});

  KernelCase rate{
      .op = "rate", .inputs = {}, .body = "", .outputs = {}, .tolerance = 1.2e-7, .clocks = clocks};
  const char *attributes[] = {
      "",
      "{warmup = 3 : i64}",
      "{to = 0.01 : f64, factor = 0.1 : f64}",
      "{to = 0.01 : f64, warmup = 3 : i64}",
      "{by = 0.97 : f64, every = 5 : i64, factor = 3.0 : f64}",
      "{by = 0.97 : f64, every = 2 : i64, warmup = 4 : i64}",
  };
  for (const char *kind : {"constant", "linear", "cosine", "exponential", "step"})
    for (const char *attribute : attributes) {
      const std::string name = "r" + std::to_string(rate.outputs.size());
      rate.body += fmt::format("%{} = train.rate \"{}\"(0.3) at %step of %last {} : tensor<f32>\n",
                               name, kind, attribute);
      rate.outputs.emplace_back(name, tensor(""));
    }
  cases.push_back(rate);

  KernelCase correction{.op = "bias_correction",
                        .inputs = {},
                        .body = "",
                        .outputs = {},
                        .tolerance = 1.2e-7,
                        .clocks = clocks};
  for (const char *beta : {"0.9", "0.999", "0.0", "0.99999"}) {
    const std::string name = "c" + std::to_string(correction.outputs.size());
    correction.body +=
        fmt::format("%{} = train.bias_correction {} at %step : tensor<f32>\n", name, beta);
    correction.outputs.emplace_back(name, tensor(""));
  }
  cases.push_back(correction);

  cases.push_back({.op = "pulse",
                   .inputs = {},
                   .body = "%y = train.pulse 1 at %step : tensor<f32>\n"
                           "%z = train.pulse 4 at %step : tensor<f32>",
                   .outputs = {{"y", tensor("")}, {"z", tensor("")}},
                   .clocks = clocks});
  cases.push_back({.op = "count",
                   .inputs = {},
                   .body = "%y = train.count %count times 1.0 : tensor<f32>\n"
                           "%z = train.count %count times 10.0 : tensor<f32>",
                   .outputs = {{"y", tensor("")}, {"z", tensor("")}},
                   .clocks = clocks});
}

void addRandom(Cases &cases) {
  // Examples of 1, 70 and 399 numbers: whole blocks of 64 and rests.
  KernelCase test{.op = "random",
                  .inputs = {},
                  .body = "",
                  .outputs = {},
                  .clocks = {{0, 1, 5, 7, 0},
                             {0, 1, 5, 0x9E3779B97F4A7C15u, 3},
                             {0, 1, 5, 0xFFFFFFFF00000000u, 4294967295}},
                  .ids = 5};
  const std::pair<const char *, const char *> draws[] = {
      {"5", "a"}, {"5x70", "dropout1"}, {"5x3x7x19", "dropout1"}};
  for (const auto &[shape, purpose] : draws) {
    const std::string name = "u" + std::to_string(test.outputs.size());
    std::string ids = "ids";
    if (std::string(shape) != "5") {
      ids = "i" + name;
      test.body += fmt::format("%{} = train.broadcast %ids to [0] : {} -> {}\n", ids,
                               tensor("5", "i32"), tensor(shape, "i32"));
    }
    test.body += fmt::format("%{} = train.random \"{}\" of %{} draw %draw seed %seed : {} -> {}\n",
                             name, purpose, ids, tensor(shape, "i32"), tensor(shape));
    test.outputs.emplace_back(name, tensor(shape));
  }
  cases.push_back(test);
}

void addConstants(Cases &cases) {
  cases.push_back(
      {.op = "constant",
       .inputs = {},
       .body = "%y = train.constant dense<0.1> : tensor<33x70xf32>\n"
               "%z = train.constant dense<[1.0, -2.5, 3.0e38, 1.0e-40, 0.1]> : tensor<5xf32>\n"
               "%i = train.constant dense<[1, -2, 2147483647, -2147483648]> : tensor<4xi32>\n"
               "%b = train.constant dense<[true, false, true]> : tensor<3xi1>\n"
               "%fi = train.cast %i : tensor<4xi32> -> tensor<4xf32>\n"
               "%fb = train.cast %b : tensor<3xi1> -> tensor<3xf32>",
       .outputs = {
           {"y", tensor("33x70")}, {"z", tensor("5")}, {"fi", tensor("4")}, {"fb", tensor("3")}}});
}

//===--- contractions -----------------------------------------------------------------------------===//

/// With `bf16`, of operands that are rounded to bfloat16.
void addContractions(Cases &cases, bool bf16) {
  auto product = [&](const std::string &op, const std::string &words, const std::string &attributes,
                     const std::string &a, const std::string &b, const std::string &y) {
    const std::string round =
        fmt::format("%p = train.bf16 %a : {}\n%q = train.bf16 %b : {}\n", tensor(a), tensor(b));
    cases.push_back({.op = op,
                     .inputs = {{"a", tensor(a)}, {"b", tensor(b)}},
                     .body = fmt::format("{}%y = train.{}{} {} {} : ({}, {}) -> {}",
                                         bf16 ? round : "", op, words, bf16 ? "%p, %q" : "%a, %b",
                                         attributes, tensor(a), tensor(b), tensor(y)),
                     .outputs = {{"y", tensor(y)}},
                     .tolerance = sumTolerance});
  };
  auto contract = [&](const std::string &axes, const std::string &a, const std::string &b,
                      const std::string &y) {
    product("contract", " \"" + axes + "\"", "", a, b, y);
  };
  contract("bk,kn->bn", "33x70", "70x45", "33x45");
  contract("bk,nk->bn", "33x70", "45x70", "33x45");
  contract("kb,kn->bn", "33x70", "33x45", "70x45");
  contract("kb,nk->nb", "33x70", "45x33", "45x70");
  contract("bk,kn->bn", "1x70", "70x1", "1x1");
  contract("bk,kn->bn", "130x530", "530x49", "130x49");
  contract("bk,kn->bn", "61x300", "300x203", "61x203"); // shares of rows and panels
  contract("bk,kn->bn", "9x71", "71x33", "9x33");       // sums that end within a pair,
  contract("kb,kn->bn", "131x18", "131x40", "18x40");   // by weight
  contract("bthd,bshd->bhts", "2x20x3x64", "2x256x3x64",
           "2x3x20x256"); // a panel of each head is packed
  contract("bthd,bshd->bhts", "2x19x3x21", "2x37x3x21", "2x3x19x37");
  contract("bhts,bshd->bthd", "2x3x19x37", "2x37x3x21", "2x19x3x21");
  contract("hbk,hkn->bhn", "3x17x20", "3x20x33", "17x3x33");
  contract("i,j->ij", "33", "70", "33x70");
  contract("ij,ij->", "33x70", "33x70", "");
  contract("ij,j->i", "33x70", "70", "33");

  // With long functions behind it: rows that do not go into tiles, columns that do not go into vectors, a sum in one block and in several.
  for (const auto &[rows, sum, columns] : {std::tuple(33, 70, 45), std::tuple(61, 530, 49),
                                           std::tuple(2, 9, 32), std::tuple(29, 40, 96)}) {
    const std::string a = tensor(fmt::format("{}x{}", rows, sum)),
                      b = tensor(fmt::format("{}x{}", sum, columns)),
                      y = tensor(fmt::format("{}x{}", rows, columns)),
                      bias = tensor(std::to_string(columns));
    cases.push_back(
        {.op = "contract",
         .inputs = {{"a", a}, {"b", b}, {"bias", bias}, {"x", y}},
         .body = fmt::format("%p = train.contract \"bk,kn->bn\" %a, %b : ({0}, {1}) -> {2}\n"
                             "%w = train.broadcast %bias to [1] : {3} -> {2}\n"
                             "%q = train.add %p, %w : {2}, {2} -> {2}\n"
                             "%g = train.gelu %q {{approximate}} : {2}\n"
                             "%t = train.tanh %x : {2}\n"
                             "%y = train.mul %g, %t : {2}, {2} -> {2}",
                             a, b, y, bias),
         .outputs = {{"y", y}, {"q", y}},
         .tolerance = sumTolerance});
  }

  struct Geometry {
    std::string attributes, x, w, y;
  };
  const std::vector<Geometry> geometries = {
      // 20 channels, stride 2, padding that differs on every side
      {"strides = array<i64: 2, 2>, padding = array<i64: 0, 1, 2, 0>, dilations = array<i64: 1, 1>",
       "3x13x14x20", "3x4x20x24", "3x7x6x24"},
      {"strides = array<i64: 1, 1>, padding = array<i64: 2, 2, 2, 2>, dilations = array<i64: 1, 1>",
       "2x28x28x1", "5x5x1x32", "2x28x28x32"},
      {"strides = array<i64: 1, 1>, padding = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>",
       "3x5x7x20", "1x1x20x9", "3x5x7x9"},
      {"strides = array<i64: 3, 2>, padding = array<i64: 1, 0, 0, 3>, dilations = array<i64: 1, 2>",
       "2x11x12x5", "2x3x5x17", "2x4x6x17"},
      {"strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>",
       "3x7x9x33", "3x3x33x37", "3x7x9x37"},
      // a kernel larger than its image
      {"strides = array<i64: 1, 1>, padding = array<i64: 3, 3, 3, 3>, dilations = array<i64: 1, 1>",
       "2x2x3x4", "7x7x4x6", "2x2x3x6"},
      // images that the cache does not hold, of which the weight's gradient takes shards
      {"strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 0, 1>, dilations = array<i64: 1, 1>",
       "4x33x31x34", "3x3x34x31", "4x32x31x31"},
      // in groups: of many channels, and of few with padding
      {"strides = array<i64: 2, 1>, padding = array<i64: 1, 1, 0, 1>, dilations = array<i64: 1, 1>",
       "2x7x6x3x17", "3x3x17x3x5", "2x3x6x3x5"},
      {"strides = array<i64: 1, 2>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>",
       "2x6x7x4x2", "3x3x2x4x18", "2x6x4x4x18"},
      // depthwise: wider than a vector, with a stride, and with a sum that is cut into shards
      {"strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>",
       "2x6x5x70x1", "3x3x1x70x1", "2x6x5x70x1"},
      {"strides = array<i64: 2, 3>, padding = array<i64: 2, 1, 1, 0>, dilations = array<i64: 2, 1>",
       "4x20x21x18x1", "3x2x1x18x1", "4x10x7x18x1"}};
  for (const Geometry &g : geometries) {
    auto add = [&](const std::string &op, const std::string &a, const std::string &b,
                   const std::string &y) { product(op, "", "{" + g.attributes + "}", a, b, y); };
    add("conv2d", g.x, g.w, g.y);
    add("conv2d_input_grad", g.y, g.w, g.x);
    add("conv2d_weight_grad", g.x, g.y, g.w);
  }
}

//===--- reductions, softmax, pools ---------------------------------------------------------------===//

void addReductions(Cases &cases) {
  for (const std::string op : {"sum", "reduce_max"}) {
    KernelCase test{.op = op,
                    .inputs = {{"x", tensor("33x7x70")}},
                    .body = "",
                    .outputs = {},
                    .tolerance = op == "sum" ? sumTolerance : 0};
    for (const auto &[axes, shape] :
         {std::pair("[0]", "7x70"), std::pair("[1]", "33x70"), std::pair("[2]", "33x7"),
          std::pair("[0, 2]", "7"), std::pair("[0, 1]", "70"), std::pair("[0, 1, 2]", "")}) {
      const std::string name = "y" + std::to_string(test.outputs.size());
      test.body += fmt::format("%{} = train.{} %x over {} : {} -> {}\n", name, op, axes,
                               tensor("33x7x70"), tensor(shape));
      test.outputs.emplace_back(name, tensor(shape));
    }
    cases.push_back(test);
  }
  cases.push_back(
      {.op = "reduce_max",
       .inputs = {{"x", tensor("4x3")}},
       .body =
           fmt::format("%y = train.reduce_max %x over [1] : {} -> {}", tensor("4x3"), tensor("4")),
       .outputs = {{"y", tensor("4")}},
       .exact = {{"x", {nan, 1, 2, 1, nan, 2, 1, 2, nan, -infinity, -infinity, -infinity}}}});

  auto argmax = [&](const std::string &x, const std::string &y, std::vector<double> exact) {
    KernelCase test{
        .op = "argmax",
        .inputs = {{"x", tensor(x)}},
        .body = fmt::format("%i = train.argmax %x : {0} -> {1}\n%y = train.cast %i : {1} -> {2}",
                            tensor(x), tensor(y, "i32"), tensor(y)),
        .outputs = {{"y", tensor(y)}}};
    if (!exact.empty())
      test.exact["x"] = std::move(exact);
    cases.push_back(test);
  };
  argmax("33x70", "33", {});
  argmax("5x3x10", "5x3", {});
  argmax("4", "", {1, 3, 3, 2});
  argmax("9x3", "9",
         {1,         1,         0,         0,         2,   2,        nan,      1,   2,
          1,         nan,       2,         1,         2,   nan,      nan,      nan, 1,
          -infinity, -infinity, -infinity, -infinity, nan, infinity, infinity, nan, nan});
}

void addSoftmax(Cases &cases) {
  for (const char *op : {"softmax", "log_softmax"}) {
    KernelCase test{.op = op, .inputs = {}, .body = "", .outputs = {}, .tolerance = sumTolerance};
    for (const char *shape : {"33x10", "5x70", "2x3x1000", "17", "9x1"}) {
      const std::string number = std::to_string(test.outputs.size());
      test.inputs.push_back({"x" + number, tensor(shape)});
      test.body += fmt::format("%y{0} = train.{1} %x{0} : {2}\n", number, op, tensor(shape));
      test.outputs.emplace_back("y" + number, tensor(shape));
    }
    cases.push_back(test);
    // Far from 0, where e^x alone would overflow or vanish.
    cases.push_back(
        {.op = op,
         .inputs = {{"x", tensor("4x3")}},
         .body = fmt::format("%y = train.{} %x : {}", op, tensor("4x3")),
         .outputs = {{"y", tensor("4x3")}},
         .tolerance = fewRoundings,
         .exact = {{"x", {1000, 1001, 999, -1000, -1001, -999, 0, 200, -200, 1, nan, 2}}}});
  }
  for (const char *smoothing : {"", "{smoothing = 0.1 : f64}"}) {
    const std::string x = tensor("33x10"), t = tensor("33", "i32"), e = tensor("33");
    const std::string xx = tensor("33x5x70"), tt = tensor("33x5", "i32"), ee = tensor("33x5");
    const std::vector<Input> inputs = {{"d", e},   {"x", x},   {"t", t, Values::Whole, 10},
                                       {"dd", ee}, {"xx", xx}, {"tt", tt, Values::Whole, 70}};
    cases.push_back({.op = "cross_entropy",
                     .inputs = inputs,
                     .body = fmt::format("%y = train.cross_entropy %x, %t {0} : {1}, {2} -> {3}\n"
                                         "%z = train.cross_entropy %xx, %tt {0} : {4}, {5} -> {6}",
                                         smoothing, x, t, e, xx, tt, ee),
                     .outputs = {{"y", e}, {"z", ee}},
                     .tolerance = fewRoundings});
    cases.push_back({.op = "cross_entropy_grad",
                     .inputs = inputs,
                     .body = fmt::format(
                         "%y = train.cross_entropy_grad %d, %x, %t {0} : ({3}, {1}, {2}) -> {1}\n"
                         "%z = train.cross_entropy_grad %dd, %xx, %tt {0} : ({6}, {4}, {5}) -> {4}",
                         smoothing, x, t, e, xx, tt, ee),
                     .outputs = {{"y", x}, {"z", xx}},
                     .tolerance = fewRoundings});
  }
}

/// Rows narrower than a vector, of whole vectors, and with a rest; many ids and few.
void addTables(Cases &cases) {
  for (const auto &[count, size] : {std::pair(7, 3), std::pair(30, 64), std::pair(9, 70)}) {
    const std::string table = tensor(fmt::format("{}x{}", count, size));
    const std::string many = tensor(fmt::format("33x50x{}", size)),
                      few = tensor(fmt::format("33x{}", size));
    const std::vector<Input> ids = {{"i", tensor("33x50", "i32"), Values::Whole, count},
                                    {"j", tensor("33", "i32"), Values::Whole, count}};
    std::vector<Input> forward = ids, backward = ids;
    forward.push_back({"x", table});
    backward.push_back({"d", many});
    backward.push_back({"e", few});
    cases.push_back({.op = "gather",
                     .inputs = forward,
                     .body = fmt::format("%y = train.gather %x at %i : {0}, {1} -> {2}\n"
                                         "%z = train.gather %x at %j : {0}, {3} -> {4}",
                                         table, ids[0].type, many, ids[1].type, few),
                     .outputs = {{"y", many}, {"z", few}}});
    cases.push_back({.op = "gather_grad",
                     .inputs = backward,
                     .body = fmt::format("%y = train.gather_grad %d at %i : {2}, {1} -> {0}\n"
                                         "%z = train.gather_grad %e at %j : {4}, {3} -> {0}",
                                         table, ids[0].type, many, ids[1].type, few),
                     .outputs = {{"y", table}, {"z", table}},
                     .tolerance = sumTolerance});
  }
}

/// An attention as it is built of train ops: heads a view of the last axis, and nothing transposed.
void addAttention(Cases &cases) {
  for (const auto &[t, s, heads, each] :
       {std::tuple(5, 5, 2, 4), std::tuple(33, 20, 3, 8), std::tuple(3, 40, 5, 17)}) {
    const std::string q = tensor(fmt::format("3x{}x{}x{}", t, heads, each));
    const std::string k = tensor(fmt::format("3x{}x{}x{}", s, heads, each));
    const std::string w = tensor(fmt::format("3x{}x{}x{}", heads, t, s));
    cases.push_back(
        {.op = "contract",
         .inputs = {{"q", q}, {"k", k}, {"v", k}, {"d", q}, {"e", w}},
         .body = fmt::format("%s = train.contract \"bthd,bshd->bhts\" %q, %k : ({0}, {1}) -> {2}\n"
                             "%m = train.causal_mask %s : {2}\n"
                             "%p = train.softmax %m : {2}\n"
                             "%y = train.contract \"bhts,bshd->bthd\" %p, %v : ({2}, {1}) -> {0}\n"
                             "%a = train.contract \"bthd,bshd->bhts\" %d, %v : ({0}, {1}) -> {2}\n"
                             "%b = train.contract \"bhts,bthd->bshd\" %e, %d : ({2}, {0}) -> {1}",
                             q, k, w),
         .outputs = {{"y", q}, {"a", w}, {"b", k}},
         .tolerance = sumTolerance});
  }
}

/// The same as one op, and its gradient: fewer positions than a tile has and several tiles of them, with and without a rest, and
/// columns likewise; more keys than causal queries see, or as many, with whole parts of the diagonal and a rest; draws one counter at a time and four.
void addFusedAttention(Cases &cases) {
  for (const auto &[t, s, heads, each, drops] :
       {std::tuple(5, 5, 2, 4, false), std::tuple(33, 20, 3, 8, false),
        std::tuple(3, 40, 5, 17, true), std::tuple(130, 150, 1, 64, false),
        std::tuple(64, 128, 2, 16, true), std::tuple(192, 70, 1, 80, true),
        std::tuple(17, 17, 2, 5, false), std::tuple(41, 41, 2, 33, false),
        std::tuple(100, 100, 3, 20, true), std::tuple(128, 128, 2, 64, false),
        std::tuple(300, 300, 1, 16, false)})
    for (const char *causal : {"", "causal "}) {
      const std::string q = tensor(fmt::format("3x{}x{}x{}", t, heads, each));
      const std::string k = tensor(fmt::format("3x{}x{}x{}", s, heads, each));
      const std::string l = tensor(fmt::format("3x{}x{}", heads, t));
      const std::string how =
          fmt::format("{}scale 0.4{}", causal,
                      drops ? " dropout 0.25 by \"a\" of %ids draw %draw seed %seed" : "");
      const std::string draws = drops ? ", tensor<3xi32>, index, index" : "";
      cases.push_back(
          {.op = "attention_grad",
           .inputs = {{"q", q}, {"k", k}, {"v", k}, {"d", q}},
           .body = fmt::format(
               "%y, %l = train.attention %q, %k, %v {3} : ({0}, {1}, {1}{4}) -> ({0}, {2})\n"
               "%dq, %dk, %dv = train.attention_grad %d, %q, %k, %v, %y, %l {3} : "
               "({0}, {0}, {1}, {1}, {0}, {2}{4}) -> ({0}, {1}, {1})",
               q, k, l, how, draws),
           .outputs = {{"y", q}, {"l", l}, {"dq", q}, {"dk", k}, {"dv", k}},
           .tolerance = sumTolerance,
           .clocks = {{0, 1, 3, 7, 5}},
           .ids = drops ? 3 : 0});
    }
}

/// Fewer tiles than a chunk has and several chunks; tiles that stick out on all sides, or none; blocks of channels and columns with and
/// without a rest; an image of one pixel.
void addWinograd(Cases &cases) {
  struct Shape {
    int64_t batch, height, width, channels, columns;
    std::array<int64_t, 4> padding;
  };
  for (const Shape &s :
       {Shape{2, 5, 7, 20, 33, {1, 1, 1, 1}}, Shape{1, 1, 1, 1, 1, {1, 1, 1, 1}},
        Shape{3, 6, 10, 16, 16, {0, 0, 0, 0}}, Shape{7, 4, 4, 70, 70, {1, 1, 1, 1}},
        Shape{2, 9, 6, 80, 130, {2, 0, 1, 2}}, Shape{10, 13, 12, 17, 3, {1, 1, 1, 1}},
        Shape{2, 16, 16, 128, 64, {1, 1, 1, 1}}, Shape{1, 3, 2, 5, 7, {4, 5, 3, 2}}}) {
    const auto &p = s.padding;
    const std::string x =
        tensor(fmt::format("{}x{}x{}x{}", s.batch, s.height, s.width, s.channels));
    const std::string u = tensor(fmt::format("36x{}x{}", s.channels, s.columns));
    const std::string y = tensor(fmt::format("{}x{}x{}x{}", s.batch, s.height + p[0] + p[2] - 2,
                                             s.width + p[1] + p[3] - 2, s.columns));
    const std::string w = tensor(fmt::format("3x3x{}x{}", s.channels, s.columns));
    cases.push_back(
        {.op = "winograd",
         .inputs = {{"x", x}, {"u", u}, {"d", y}},
         .body = fmt::format(
             "%y = train.winograd %x, %u {{padding = array<i64: {0}>}} : ({1}, {2}) -> {3}\n"
             "%w = train.winograd_weight_grad %x, %d {{padding = array<i64: {0}>}} : ({1}, {3}) -> "
             "{4}",
             fmt::join(p, ", "), x, u, y, w),
         .outputs = {{"y", y}, {"w", w}},
         .tolerance = winogradTolerance});
    cases.push_back(cases.back());
    cases.back().op = "winograd_weight_grad";
    // Filters that are made of weights, as they are and turned.
    const std::string turned = tensor(fmt::format("3x3x{}x{}", s.columns, s.channels));
    cases.push_back(
        {.op = "winograd",
         .inputs = {{"x", x}, {"w", w}, {"v", turned}},
         .body = fmt::format(
             "%y = train.winograd %x, %w {{padding = array<i64: {0}>}} : ({1}, {2}) -> {4}\n"
             "%z = train.winograd %x, %v {{padding = array<i64: {0}>, turned}} : ({1}, {3}) -> {4}",
             fmt::join(p, ", "), x, w, turned, y),
         .outputs = {{"y", y}, {"z", y}},
         .tolerance = winogradTolerance});
    // What follows is the epilogue: a bias by column, one number an image, a residual and a ReLU.
    const std::string bias = tensor(fmt::format("{}", s.columns)),
                      scale = tensor(fmt::format("{}", s.batch));
    cases.push_back(
        {.op = "winograd",
         .inputs = {{"x", x}, {"u", u}, {"b", bias}, {"s", scale}, {"r", y}},
         .body = fmt::format(
             "%c = train.winograd %x, %u {{padding = array<i64: {0}>}} : ({1}, {2}) -> {3}\n"
             "%v = train.broadcast %b to [3] : {4} -> {3}\n"
             "%t = train.broadcast %s to [0] : {5} -> {3}\n"
             "%0 = train.add %c, %v : {3}, {3} -> {3}\n"
             "%1 = train.mul %0, %t : {3}, {3} -> {3}\n"
             "%2 = train.add %1, %r : {3}, {3} -> {3}\n"
             "%y = train.relu %2 : {3}",
             fmt::join(p, ", "), x, u, y, bias, scale),
         .outputs = {{"y", y}},
         .tolerance = winogradTolerance});
  }
}

void addPositions(Cases &cases) {
  KernelCase mask{.op = "causal_mask", .inputs = {}, .body = "", .outputs = {}};
  for (const char *shape : {"2x3x20x20", "4x33x5", "2x5x33"}) {
    const std::string number = std::to_string(mask.outputs.size());
    mask.inputs.push_back({"x" + number, tensor(shape)});
    mask.body += fmt::format("%y{0} = train.causal_mask %x{0} zero : {1}\n", number, tensor(shape));
    mask.outputs.emplace_back("y" + number, tensor(shape));
  }
  cases.push_back(mask);
  // Far along, where an angle in f32 would be off by 1e-4.
  KernelCase positions{
      .op = "sinusoid", .inputs = {}, .body = "", .outputs = {}, .tolerance = fewRoundings};
  for (const char *shape : {"2048x6", "33x70", "5x1", "7x17"}) {
    const std::string name = "y" + std::to_string(positions.outputs.size());
    positions.body += fmt::format("%{} = train.sinusoid : {}\n", name, tensor(shape));
    positions.outputs.emplace_back(name, tensor(shape));
  }
  cases.push_back(positions);
}

void addPools(Cases &cases) {
  struct Geometry {
    std::string attributes, x, y;
    int64_t positions;
  };
  const Geometry geometries[] = {
      {"size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>",
       "3x9x10x20", "3x4x5x20", 4},
      // Windows that overlap, padded on some sides.
      {"size = array<i64: 3, 3>, strides = array<i64: 2, 1>, padding = array<i64: 1, 2, 0, 1>",
       "2x9x10x20", "2x4x11x20", 9},
      // Windows that leave rows out.
      {"size = array<i64: 1, 2>, strides = array<i64: 3, 3>, padding = array<i64: 0, 1, 0, 0>",
       "5x7x8x3", "5x3x3x3", 2}};
  for (const Geometry &g : geometries) {
    const std::string x = tensor(g.x), y = tensor(g.y), index = tensor(g.y, "i8");
    KernelCase largest{
        .op = "max_pool2d",
        .inputs = {{"x", x}},
        .body = fmt::format("%y, %i = train.max_pool2d %x {{{0}}} : ({1}) -> ({2}, {3})\n"
                            "%p = train.cast %i : {3} -> {2}",
                            g.attributes, x, y, index),
        .outputs = {{"y", y}, {"p", y}}};
    cases.push_back(largest);
    // Few values, so that the first of equals is asked for, and a NaN here and there.
    for (size_t i = 0; i < elementsOf(g.x); ++i)
      largest.exact["x"].push_back(i % 37 == 5 ? nan : static_cast<double>(i * 7 % 11 % 3) - 2);
    cases.push_back(largest);
    cases.push_back(
        {.op = "max_pool2d_grad",
         .inputs = {{"d", y}, {"i", index, Values::Whole, g.positions}},
         .body = fmt::format("%y = train.max_pool2d_grad %d, %i {{{}}} : ({}, {}) -> {}",
                             g.attributes, y, index, x),
         .outputs = {{"y", x}},
         .tolerance = fewRoundings});
    cases.push_back(
        {.op = "avg_pool2d",
         .inputs = {{"x", x}},
         .body = fmt::format("%y = train.avg_pool2d %x {{{}}} : ({}) -> {}", g.attributes, x, y),
         .outputs = {{"y", y}},
         .tolerance = fewRoundings});
    cases.push_back({.op = "avg_pool2d_grad",
                     .inputs = {{"d", y}},
                     .body = fmt::format("%y = train.avg_pool2d_grad %d {{{}}} : ({}) -> {}",
                                         g.attributes, y, x),
                     .outputs = {{"y", x}},
                     .tolerance = fewRoundings});
  }
}

//===--- views ------------------------------------------------------------------------------------===//

void addViews(Cases &cases) {
  auto add = [&](const std::string &op, const std::string &x, const std::string &arguments,
                 const std::string &y) {
    cases.push_back({.op = op,
                     .inputs = {{"x", tensor(x)}},
                     .body = fmt::format("%y = train.{0} %x {1} : {2} -> {3}\n", op, arguments,
                                         tensor(x), tensor(y)),
                     .outputs = {{"y", tensor(y)}}});
    if (op == "pad" || x.empty()) // pads floats alone; a field has rows
      return;
    cases.back().body +=
        fmt::format("%v = train.{0} %k {1} : {2} -> {3}\n%z = train.cast %v : {3} -> {4}", op,
                    arguments, tensor(x, "i32"), tensor(y, "i32"), tensor(y));
    cases.back().inputs.push_back({"k", tensor(x, "i32"), Values::Whole, 1000});
    cases.back().outputs.emplace_back("z", tensor(y));
  };
  add("reshape", "5x6x7", "", "15x14");
  add("reshape", "1", "", "");
  add("transpose", "33x70", "by [1, 0]", "70x33");
  add("transpose", "3x5x7x20", "by [0, 3, 1, 2]", "3x20x5x7");
  add("transpose", "3x20x5x7", "by [2, 3, 1, 0]", "5x7x20x3");
  add("broadcast", "20", "to [3]", "3x5x7x20");
  add("broadcast", "33", "to [0]", "33x70");
  add("broadcast", "", "to []", "33x7");
  add("slice", "33x70", "at [1, 3] by [2, 5]", "16x14");
  add("slice", "3x5x7x20", "at [0, 1, 2, 4] by [1, 1, 1, 1]", "3x3x4x15");
  add("pad", "33x20", "at [1, 3] by [2, 3] with 0.5", "70x65");
  add("pad", "3x5x7x20", "at [0, 1, 2, 0] by [1, 1, 1, 1] with -1.5", "3x7x9x20");
  for (const std::string element : {"f32", "i32"}) {
    const bool whole = element == "i32";
    const Values values = whole ? Values::Whole : Values::Wide;
    KernelCase test{
        .op = "concat",
        .inputs = {{"a", tensor("5x17x3", element), values, 1000},
                   {"b", tensor("5x1x3", element), values, 1000},
                   {"c", tensor("5x20x3", element), values, 1000}},
        .body = fmt::format("%y = train.concat %a, %b, %c, %a along 1 : {0}, {1}, {2}, {0} -> {3}",
                            tensor("5x17x3", element), tensor("5x1x3", element),
                            tensor("5x20x3", element), tensor("5x55x3", element)),
        .outputs = {{"y", tensor("5x55x3")}}};
    if (whole) {
      test.body +=
          fmt::format("\n%z = train.cast %y : {} -> {}", tensor("5x55x3", "i32"), tensor("5x55x3"));
      test.outputs = {{"z", tensor("5x55x3")}};
    }
    cases.push_back(test);
  }
}

//===--- updates ----------------------------------------------------------------------------------===//

void addUpdates(Cases &cases) {
  const std::string w = tensor("33x70"), s = tensor("");
  const std::vector<Input> inputs = {{"w", w},
                                     {"g", w},
                                     {"m", w},
                                     {"v", w, Values::Positive},
                                     {"rate", s, Values::Positive},
                                     {"c1", s, Values::Positive},
                                     {"c2", s, Values::Positive}};
  for (const char *attributes : {"", "{weight_decay = 0.1 : f64}"})
    cases.push_back(
        {.op = "sgd",
         .inputs = inputs,
         .body = fmt::format("%y = train.sgd %w, %g rate %rate {0} : ({1}, {1}, {2}) -> {1}",
                             attributes, w, s),
         .outputs = {{"y", w}},
         .tolerance = fewRoundings});
  for (const char *attributes : {"{momentum = 0.9 : f64}", "{momentum = 0.9 : f64, nesterov}",
                                 "{momentum = 0.5 : f64, weight_decay = 0.1 : f64}",
                                 "{momentum = 0.5 : f64, weight_decay = 0.1 : f64, nesterov}"})
    cases.push_back(
        {.op = "sgd",
         .inputs = inputs,
         .body = fmt::format(
             "%y, %n = train.sgd %w, %g, %m rate %rate {0} : ({1}, {1}, {1}, {2}) -> ({1}, {1})",
             attributes, w, s),
         .outputs = {{"y", w}, {"n", w}},
         .tolerance = fewRoundings});
  for (const char *attributes :
       {"", ", weight_decay = 0.1 : f64", ", weight_decay = 0.1 : f64, decoupled"})
    cases.push_back({.op = "adam",
                     .inputs = inputs,
                     .body = fmt::format(
                         "%y, %n, %u = train.adam %w, %g, %m, %v rate %rate corrections %c1, %c2 "
                         "{{beta1 = 0.9 : f64, beta2 = 0.999 : f64, eps = 1.0e-8 : f64{0}}} : "
                         "({1}, {1}, {1}, {1}, {2}, {2}, {2}) -> ({1}, {1}, {1})",
                         attributes, w, s),
                     .outputs = {{"y", w}, {"n", w}, {"u", w}},
                     .tolerance = fewRoundings});
  for (const auto &[attributes, states] :
       {std::pair("", 1), std::pair(", momentum = 0.9 : f64, weight_decay = 0.1 : f64", 2),
        std::pair(", centered", 2), std::pair(", momentum = 0.9 : f64, centered", 3)}) {
    // v stays above a²: what is centred takes a root.
    KernelCase test{.op = "rmsprop",
                    .inputs = {{"w", w},
                               {"g", w},
                               {"v", w, Values::Positive},
                               {"m", w, Values::Small},
                               {"a", w, Values::Small},
                               {"rate", s, Values::Positive}},
                    .body = "",
                    .outputs = {{"y", w}},
                    .tolerance = fewRoundings};
    const bool momentum = std::string(attributes).find("momentum") != std::string::npos;
    const bool centered = std::string(attributes).find("centered") != std::string::npos;
    std::string given = "%v", made = "%y, %v1", types = w, madeTypes = w + ", " + w;
    test.outputs.emplace_back("v1", w);
    for (const auto &[wanted, name] : {std::pair(momentum, "m"), std::pair(centered, "a")})
      if (wanted) {
        given += fmt::format(", %{}", name);
        made += fmt::format(", %{}1", name);
        types += ", " + w;
        madeTypes += ", " + w;
        test.outputs.emplace_back(std::string(name) + "1", w);
      }
    test.body = fmt::format("{0} = train.rmsprop %w, %g states {1} rate %rate {{alpha = 0.9 : f64, "
                            "eps = 1.0e-8 : f64{2}}} : ({3}, {3}, {4}, {5}) -> ({6})",
                            made, given, attributes, w, types, s, madeTypes);
    (void)states;
    cases.push_back(test);
  }
  for (const char *decay : {"", ", weight_decay = 0.1 : f64"}) {
    cases.push_back({.op = "adagrad",
                     .inputs = inputs,
                     .body = fmt::format(
                         "%y, %n = train.adagrad %w, %g, %v rate %rate {{eps = 1.0e-10 : f64{0}}} "
                         ": ({1}, {1}, {1}, {2}) -> ({1}, {1})",
                         decay, w, s),
                     .outputs = {{"y", w}, {"n", w}},
                     .tolerance = fewRoundings});
    cases.push_back({.op = "lion",
                     .inputs = inputs,
                     .body = fmt::format("%y, %n = train.lion %w, %g, %m rate %rate "
                                         "{{beta1 = 0.9 : f64, beta2 = 0.99 : f64{0}}} : "
                                         "({1}, {1}, {1}, {2}) -> ({1}, {1})",
                                         decay, w, s),
                     .outputs = {{"y", w}, {"n", w}},
                     .tolerance = fewRoundings});
  }
}

/// In shares of rows and in one; what is carried is written in place, copied, exchanged, and left alone.
void addScans(Cases &cases) {
  for (const auto &[rows, steps] : {std::pair(32, 5), std::pair(7, 3), std::pair(1, 1)}) {
    const std::string h = tensor(fmt::format("{}x20", rows)),
                      gates = tensor(fmt::format("{}x40", rows)),
                      sequence = tensor(fmt::format("{}x{}x40", rows, steps)),
                      kept = tensor(fmt::format("{}x{}x20", rows, steps)), w = tensor("20x40");
    for (const char *direction : {"", "backwards"})
      cases.push_back(
          {.op = "scan",
           .inputs = {{"x", sequence}, {"h", h}, {"c", h}, {"d", h}, {"w", w}},
           .body = fmt::format(
               "%h1, %c1, %d1, %e1, %all, %before = train.scan over {0} {1} sequences(%x : {2}) "
               "carried(%h, %c, %d, %d : {3}, {3}, {3}, {3}) constants(%w : {4}) {{\n"
               "^bb0(%xt: {5}, %ht: {3}, %ct: {3}, %dt: {3}, %et: {3}, %wt: {4}):\n"
               "%p = train.contract \"bk,kn->bn\" %ht, %wt : ({3}, {4}) -> {5}\n"
               "%z = train.add %xt, %p : {5}, {5} -> {5}\n"
               "%z0 = train.slice %z at [0, 0] by [1, 1] : {5} -> {3}\n"
               "%z1 = train.slice %z at [0, 20] by [1, 1] : {5} -> {3}\n"
               "%f = train.sigmoid %z0 : {3}\n"
               "%n = train.tanh %z1 : {3}\n"
               "%m = train.mul %f, %ct : {3}, {3} -> {3}\n"
               "%cn = train.add %m, %n : {3}, {3} -> {3}\n"
               "%t = train.tanh %cn : {3}\n"
               "%hn = train.mul %t, %dt : {3}, {3} -> {3}\n"
               // d becomes what h was, and e stays what it is.
               "train.next carried(%hn, %cn, %ht, %et : {3}, {3}, {3}, {3}) kept(%hn, %ht : {3}, "
               "{3})\n"
               "}} -> {3}, {3}, {3}, {3}, {6}, {6}\n",
               steps, direction, sequence, h, w, gates, kept),
           .outputs = {{"h1", h}, {"c1", h}, {"d1", h}, {"e1", h}, {"all", kept}, {"before", kept}},
           .tolerance = sumTolerance});
  }
}

} // namespace

std::vector<KernelCase> kernelCases() {
  Cases cases;
  addGradientCases(cases);
  addUnary(cases);
  addBinary(cases);
  addChoices(cases);
  addRows(cases);
  addClocks(cases);
  addRandom(cases);
  addConstants(cases);
  addContractions(cases, /*bf16=*/false);
  addContractions(cases, /*bf16=*/true);
  addReductions(cases);
  addSoftmax(cases);
  addTables(cases);
  addWinograd(cases);
  addPositions(cases);
  addAttention(cases);
  addFusedAttention(cases);
  addPools(cases);
  addViews(cases);
  addUpdates(cases);
  addScans(cases);
  return cases;
}

std::string moduleText(const KernelCase &test) {
  std::string states, arguments, names, values, types;
  auto state = [&](const std::string &name, const std::string &type) {
    states += fmt::format("train.state @{} : {} kind \"parameter\" init <constant, 0.0, 0.0>\n",
                          name, type);
  };
  for (const char *clock : {"count", "step", "last", "seed", "draw"})
    arguments += fmt::format("{}%{}: index {{train.clock = \"{}\"}}", arguments.empty() ? "" : ", ",
                             clock, clock);
  if (test.ids > 0)
    arguments += fmt::format(", %ids: tensor<{}xi32> {{train.clock = \"ids\"}}", test.ids);
  for (const Input &input : test.inputs)
    if (input.type.ends_with("f32>")) {
      state(input.name, input.type);
      arguments += fmt::format(", %{0}: {1} {{train.reads = @{0}}}", input.name, input.type);
    } else {
      arguments += fmt::format(", %{0}: {1} {{train.data = \"{0}\"}}", input.name, input.type);
    }
  for (const auto &[name, type] : test.outputs) {
    state(name + ".out", type);
    arguments += fmt::format(", %{0}_out: {1} {{train.owns = @{0}.out}}", name, type);
    const std::string comma = names.empty() ? "" : ", ";
    names += comma + "@" + name + ".out";
    values += comma + "%" + name;
    types += comma + type;
  }
  return states + fmt::format("train.step @test kind \"train\" ({}) {{\n{}\n"
                              "train.commit states [{}] ({} : {})\n}}",
                              arguments, test.body, names, values, types);
}

} // namespace sinter::test
