//===- Cases.cpp -----------------------------------------------------------------------------------===//
#include "tests/numerics/gradients/Cases.h"

#include <fmt/format.h>

namespace sinter::test {
namespace {

using Cases = std::vector<Case>;

void addUnary(Cases &cases) {
  const std::string type = "tensor<3x5xf32>";
  auto add = [&](const std::string &op, Values values, const std::string &attributes = "") {
    cases.push_back({op,
                     {{"x", type, values}},
                     fmt::format("%y = train.{} %x {} : {}", op, attributes, type),
                     type});
  };
  for (const char *op : {"neg", "exp", "square", "sin", "cos", "tanh", "sigmoid", "softplus",
                         "silu", "erf", "gelu", "gelu_slope"})
    add(op, Values::Wide);
  for (const char *op : {"abs", "sign", "relu"})
    add(op, Values::Apart);
  for (const char *op : {"log", "sqrt"})
    add(op, Values::Positive);
  add("gelu", Values::Wide, "{approximate}");
  add("leaky_relu", Values::Apart, "{slope = 0.1 : f64}");
  add("leaky_relu", Values::Apart, "{slope = -0.5 : f64}");
  add("elu", Values::Apart, "{alpha = 0.7 : f64}");
  add("elu", Values::Apart, "{alpha = -0.7 : f64}");
}

void addBinary(Cases &cases) {
  const std::string full = "tensor<3x5xf32>", scalar = "tensor<f32>";
  const std::pair<std::string, std::string> shapes[] = {
      {full, full}, {full, scalar}, {scalar, full}};
  for (const char *op : {"add", "sub", "mul", "div", "pow", "max", "min"}) {
    const bool positive = std::string(op) == "pow";
    const bool apart = std::string(op) == "div";
    for (const auto &[a, b] : shapes)
      cases.push_back({op,
                       {{"a", a, positive ? Values::Positive : Values::Wide},
                        {"b", b, apart ? Values::Apart : Values::Wide}},
                       fmt::format("%y = train.{} %a, %b : {}, {} -> {}", op, a, b, full),
                       full});
  }
  cases.push_back({"mul", // one value in both places
                   {{"a", full}},
                   fmt::format("%y = train.mul %a, %a : {0}, {0} -> {0}", full),
                   full});
  for (const auto &[a, b] : shapes)
    cases.push_back(
        {"select",
         {{"a", a}, {"b", b}, {"k", full, Values::Apart}},
         fmt::format("%z = train.constant dense<0.0> : tensor<f32>\n"
                     "%c = train.compare \"gt\" %k, %z : {0}, tensor<f32> -> tensor<3x5xi1>\n"
                     "%y = train.select %c, %a, %b : tensor<3x5xi1>, {1}, {2} -> {0}",
                     full, a, b),
         full});
}

void addContractions(Cases &cases) {
  auto contract = [&](const std::string &axes, const std::string &a, const std::string &b,
                      const std::string &y) {
    cases.push_back(
        {"contract",
         {{"a", a}, {"b", b}},
         fmt::format("%y = train.contract \"{}\" %a, %b : ({}, {}) -> {}", axes, a, b, y),
         y});
  };
  contract("bk,nk->bn", "tensor<3x4xf32>", "tensor<2x4xf32>", "tensor<3x2xf32>");
  contract("bk,kn->bn", "tensor<3x4xf32>", "tensor<4x2xf32>", "tensor<3x2xf32>");
  contract("hbk,hkn->bhn", "tensor<2x3x4xf32>", "tensor<2x4x5xf32>", "tensor<3x2x5xf32>");
  contract("i,j->ij", "tensor<3xf32>", "tensor<4xf32>", "tensor<3x4xf32>");
  contract("ij,ij->", "tensor<3x4xf32>", "tensor<3x4xf32>", "tensor<f32>");

  struct Geometry {
    std::string attributes, x, w, y;
  };
  const Geometry geometries[] = {
      {"strides = array<i64: 1, 1>, padding = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>",
       "tensor<2x5x4x2xf32>", "tensor<3x3x2x3xf32>", "tensor<2x5x4x3xf32>"},
      // Stride 2, a row that no window reaches, padding that differs on every side.
      {"strides = array<i64: 2, 2>, padding = array<i64: 0, 1, 1, 0>, dilations = array<i64: 1, 1>",
       "tensor<2x5x6x1xf32>", "tensor<2x3x1x2xf32>", "tensor<2x3x3x2xf32>"},
      {"strides = array<i64: 1, 2>, padding = array<i64: 2, 0, 0, 1>, dilations = array<i64: 2, 1>",
       "tensor<1x6x5x2xf32>", "tensor<3x2x2x1xf32>", "tensor<1x4x3x1xf32>"},
      // In groups, and depthwise.
      {"strides = array<i64: 1, 2>, padding = array<i64: 1, 1, 1, 0>, dilations = array<i64: 1, 1>",
       "tensor<2x4x5x2x3xf32>", "tensor<3x2x3x2x2xf32>", "tensor<2x4x3x2x2xf32>"},
      {"strides = array<i64: 2, 1>, padding = array<i64: 1, 1, 0, 1>, dilations = array<i64: 1, 2>",
       "tensor<2x5x4x3x1xf32>", "tensor<2x2x1x3x1xf32>", "tensor<2x3x4x3x1xf32>"}};
  for (const Geometry &g : geometries) {
    auto add = [&](const std::string &op, const std::string &a, const std::string &b,
                   const std::string &y) {
      cases.push_back(
          {op,
           {{"a", a}, {"b", b}},
           fmt::format("%y = train.{} %a, %b {{{}}} : ({}, {}) -> {}", op, g.attributes, a, b, y),
           y});
    };
    add("conv2d", g.x, g.w, g.y);
    add("conv2d_input_grad", g.y, g.w, g.x);
    add("conv2d_weight_grad", g.x, g.y, g.w);
  }
}

void addReductions(Cases &cases) {
  const std::string x = "tensor<3x4x2xf32>";
  for (const char *op : {"sum", "reduce_max"})
    for (const auto &[axes, y] :
         {std::pair("[1]", "tensor<3x2xf32>"), std::pair("[0, 2]", "tensor<4xf32>"),
          std::pair("[0, 1, 2]", "tensor<f32>")})
      cases.push_back(
          {op, {{"x", x}}, fmt::format("%y = train.{} %x over {} : {} -> {}", op, axes, x, y), y});

  for (int64_t count : {3, 2, 1}) { // of 3 rows
    cases.push_back({"batch_mean",
                     {{"x", "tensor<3xf32>"}},
                     "%y = train.batch_mean %x of %count : tensor<3xf32> -> tensor<f32>",
                     "tensor<f32>",
                     count});
    cases.push_back({"batch_mean",
                     {{"x", x}},
                     fmt::format("%y = train.batch_mean %x of %count : {} -> tensor<4x2xf32>", x),
                     "tensor<4x2xf32>",
                     count});
    cases.push_back({"batch_mean_grad",
                     {{"x", x}},
                     fmt::format("%y = train.batch_mean_grad %x of %count : {0} -> {0}", x),
                     x,
                     count});
    cases.push_back({"batch_mean_grad",
                     {{"x", "tensor<f32>"}},
                     fmt::format("%y = train.batch_mean_grad %x of %count : tensor<f32> -> {0}", x),
                     x,
                     count});
    cases.push_back({"mask_rows",
                     {{"x", x}},
                     fmt::format("%y = train.mask_rows %x of %count : {0}", x),
                     x,
                     count});
    const std::string moments = fmt::format(
        "%m, %v = train.moments %x of %count : {} -> tensor<2xf32>, tensor<2xf32>\n", x);
    const std::string both = "tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>";
    cases.push_back({"moments",
                     {{"x", x}},
                     moments + "%y = train.mul %m, %v : " + both,
                     "tensor<2xf32>",
                     count});
    cases.push_back({"moments",
                     {{"x", x}},
                     moments + "%y = train.neg %m : tensor<2xf32>",
                     "tensor<2xf32>",
                     count});
    cases.push_back({"moments",
                     {{"x", x}},
                     moments + "%y = train.neg %v : tensor<2xf32>",
                     "tensor<2xf32>",
                     count});
  }
}

void addSoftmax(Cases &cases) {
  for (const char *op : {"softmax", "log_softmax"})
    for (const char *type : {"tensor<3x5xf32>", "tensor<2x3x4xf32>", "tensor<6xf32>"})
      cases.push_back({op, {{"x", type}}, fmt::format("%y = train.{} %x : {}", op, type), type});
  for (const char *smoothing : {"", "{smoothing = 0.1 : f64}"}) {
    cases.push_back(
        {"cross_entropy",
         {{"x", "tensor<3x5xf32>"}, {"t", "tensor<3xi32>", Values::Whole, 5}},
         fmt::format(
             "%y = train.cross_entropy %x, %t {} : tensor<3x5xf32>, tensor<3xi32> -> tensor<3xf32>",
             smoothing),
         "tensor<3xf32>"});
    cases.push_back({"cross_entropy",
                     {{"x", "tensor<2x3x4xf32>"}, {"t", "tensor<2x3xi32>", Values::Whole, 4}},
                     fmt::format("%y = train.cross_entropy %x, %t {} : tensor<2x3x4xf32>, "
                                 "tensor<2x3xi32> -> tensor<2x3xf32>",
                                 smoothing),
                     "tensor<2x3xf32>"});
    cases.push_back({"cross_entropy_grad",
                     {{"e", "tensor<3xf32>"},
                      {"x", "tensor<3x5xf32>"},
                      {"t", "tensor<3xi32>", Values::Whole, 5}},
                     fmt::format("%y = train.cross_entropy_grad %e, %x, %t {} : (tensor<3xf32>, "
                                 "tensor<3x5xf32>, tensor<3xi32>) -> tensor<3x5xf32>",
                                 smoothing),
                     "tensor<3x5xf32>"});
  }
}

/// Each table row by some ids, by one, or by none.
void addTables(Cases &cases) {
  const std::string table = "tensor<5x3xf32>";
  for (const auto &[ids, rows] : {std::pair("tensor<4xi32>", "tensor<4x3xf32>"),
                                  std::pair("tensor<2x4xi32>", "tensor<2x4x3xf32>")}) {
    cases.push_back({"gather",
                     {{"x", table}, {"i", ids, Values::Whole, 5}},
                     fmt::format("%y = train.gather %x at %i : {}, {} -> {}", table, ids, rows),
                     rows});
    cases.push_back(
        {"gather_grad",
         {{"d", rows}, {"i", ids, Values::Whole, 5}},
         fmt::format("%y = train.gather_grad %d at %i : {}, {} -> {}", rows, ids, table),
         table});
  }
}

/// More keys than queries see, and fewer.
void addAttention(Cases &cases) {
  for (const char *causal : {"", "causal "})
    for (const auto &[t, s] : {std::pair(3, 5), std::pair(5, 3)}) {
      const std::string q = fmt::format("tensor<2x{}x2x3xf32>", t);
      const std::string k = fmt::format("tensor<2x{}x2x3xf32>", s);
      cases.push_back(
          {"attention",
           {{"q", q}, {"k", k}, {"v", k}},
           fmt::format(
               "%y, %l = train.attention %q, %k, %v {0}scale 0.7 : ({1}, {2}, {2}) -> ({1}, "
               "tensor<2x2x{3}xf32>)",
               causal, q, k, t),
           q});
    }
}

/// Scores of which some are hidden; with -∞ only what a softmax makes of them can be compared.
void addPositions(Cases &cases) {
  for (const char *type : {"tensor<2x3x4x4xf32>", "tensor<2x3x5xf32>", "tensor<2x5x3xf32>"}) {
    cases.push_back({"causal_mask",
                     {{"x", type}},
                     fmt::format("%y = train.causal_mask %x zero : {}", type),
                     type});
    cases.push_back(
        {"causal_mask",
         {{"x", type}},
         fmt::format("%m = train.causal_mask %x : {0}\n%y = train.softmax %m : {0}", type),
         type});
  }
  cases.push_back({"sinusoid",
                   {{"x", "tensor<6x5xf32>"}},
                   "%p = train.sinusoid : tensor<6x5xf32>\n"
                   "%y = train.mul %x, %p : tensor<6x5xf32>, tensor<6x5xf32> -> tensor<6x5xf32>",
                   "tensor<6x5xf32>"});
}

void addPools(Cases &cases) {
  struct Geometry {
    std::string attributes, x, y, index;
    int64_t positions;
  };
  const Geometry geometries[] = {
      {"size = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 0>",
       "tensor<2x4x5x3xf32>", "tensor<2x2x2x3xf32>", "tensor<2x2x2x3xi8>", 4},
      // Windows that overlap, and padding on some sides.
      {"size = array<i64: 3, 2>, strides = array<i64: 1, 2>, padding = array<i64: 1, 0, 2, 1>",
       "tensor<1x4x5x2xf32>", "tensor<1x5x3x2xf32>", "tensor<1x5x3x2xi8>", 6}};
  for (const Geometry &g : geometries) {
    cases.push_back({"max_pool2d",
                     {{"x", g.x}},
                     fmt::format("%y, %i = train.max_pool2d %x {{{}}} : ({}) -> ({}, {})",
                                 g.attributes, g.x, g.y, g.index),
                     g.y});
    cases.push_back({"max_pool2d_grad",
                     {{"d", g.y}, {"i", g.index, Values::Whole, g.positions}},
                     fmt::format("%y = train.max_pool2d_grad %d, %i {{{}}} : ({}, {}) -> {}",
                                 g.attributes, g.y, g.index, g.x),
                     g.x});
    cases.push_back(
        {"avg_pool2d",
         {{"x", g.x}},
         fmt::format("%y = train.avg_pool2d %x {{{}}} : ({}) -> {}", g.attributes, g.x, g.y),
         g.y});
    cases.push_back(
        {"avg_pool2d_grad",
         {{"d", g.y}},
         fmt::format("%y = train.avg_pool2d_grad %d {{{}}} : ({}) -> {}", g.attributes, g.y, g.x),
         g.x});
  }
}

void addViews(Cases &cases) {
  auto add = [&](const std::string &op, const std::string &x, const std::string &body,
                 const std::string &y) {
    cases.push_back(
        {op, {{"x", x}}, "%y = train." + op + " %x " + body + " : " + x + " -> " + y, y});
  };
  add("reshape", "tensor<2x3x4xf32>", "", "tensor<6x4xf32>");
  add("transpose", "tensor<2x3x4xf32>", "by [2, 0, 1]", "tensor<4x2x3xf32>");
  add("transpose", "tensor<2x3xf32>", "by [1, 0]", "tensor<3x2xf32>");
  add("broadcast", "tensor<3xf32>", "to [1]", "tensor<2x3x4xf32>");
  add("broadcast", "tensor<2x4xf32>", "to [0, 2]", "tensor<2x3x4xf32>");
  add("broadcast", "tensor<f32>", "to []", "tensor<2x3xf32>");
  add("slice", "tensor<5x6xf32>", "at [1, 0] by [2, 3]", "tensor<2x2xf32>");
  add("slice", "tensor<5x6xf32>", "at [4, 2] by [1, 1]", "tensor<1x4xf32>");
  add("pad", "tensor<2x3xf32>", "at [1, 0] by [2, 1] with 0.5", "tensor<5x4xf32>");
  cases.push_back({"concat",
                   {{"a", "tensor<2x3xf32>"}, {"b", "tensor<2x1xf32>"}, {"c", "tensor<2x2xf32>"}},
                   "%y = train.concat %a, %b, %c along 1 : tensor<2x3xf32>, tensor<2x1xf32>, "
                   "tensor<2x2xf32> -> tensor<2x6xf32>",
                   "tensor<2x6xf32>"});
}

/// A gated cell over time: what is carried, kept, read from a sequence and from constants, and a carried value that is not kept.
void addScans(Cases &cases) {
  const std::string body = R"(
    %end, %sums, %all = train.scan over 4 {0} sequences(%x : tensor<3x4x6xf32>)
        carried(%h, %s : tensor<3x2xf32>, tensor<3x2xf32>)
        constants(%w, %b : tensor<2x6xf32>, tensor<2xf32>) {{
    ^bb0(%xt: tensor<3x6xf32>, %ht: tensor<3x2xf32>, %st: tensor<3x2xf32>, %wt: tensor<2x6xf32>, %bt: tensor<2xf32>):
      %p = train.contract "bk,kn->bn" %ht, %wt : (tensor<3x2xf32>, tensor<2x6xf32>) -> tensor<3x6xf32>
      %z = train.add %xt, %p : tensor<3x6xf32>, tensor<3x6xf32> -> tensor<3x6xf32>
      %z0 = train.slice %z at [0, 0] by [1, 1] : tensor<3x6xf32> -> tensor<3x2xf32>
      %z1 = train.slice %z at [0, 2] by [1, 1] : tensor<3x6xf32> -> tensor<3x2xf32>
      %z2 = train.slice %z at [0, 4] by [1, 1] : tensor<3x6xf32> -> tensor<3x2xf32>
      %bb = train.broadcast %bt to [1] : tensor<2xf32> -> tensor<3x2xf32>
      %g = train.sigmoid %z0 : tensor<3x2xf32>
      %n0 = train.mul %z1, %bb : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
      %n = train.tanh %n0 : tensor<3x2xf32>
      %m = train.mul %g, %n : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
      %h1 = train.add %m, %z2 : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
      %s1 = train.add %st, %m : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
      train.next carried(%h1, %s1 : tensor<3x2xf32>, tensor<3x2xf32>) kept(%h1 : tensor<3x2xf32>)
    }} -> tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x4x2xf32>
)";
  const std::vector<Input> inputs = {{"x", "tensor<3x4x6xf32>"},
                                     {"h", "tensor<3x2xf32>"},
                                     {"s", "tensor<3x2xf32>"},
                                     {"w", "tensor<2x6xf32>"},
                                     {"b", "tensor<2xf32>"}};
  for (const char *direction : {"", "backwards"}) {
    const std::string scan = fmt::format(fmt::runtime(body), direction);
    cases.push_back({"scan", inputs,
                     scan + "%y = train.slice %all at [0, 0, 0] by [1, 1, 1] : "
                            "tensor<3x4x2xf32> -> tensor<3x4x2xf32>",
                     "tensor<3x4x2xf32>"});
    cases.push_back({"scan", inputs,
                     scan + "%y = train.mul %end, %sums : tensor<3x2xf32>, tensor<3x2xf32> -> "
                            "tensor<3x2xf32>",
                     "tensor<3x2xf32>"});
  }
}

} // namespace

std::vector<Case> gradientCases() {
  Cases cases;
  addUnary(cases);
  addBinary(cases);
  addContractions(cases);
  addReductions(cases);
  addSoftmax(cases);
  addTables(cases);
  addAttention(cases);
  addPositions(cases);
  addPools(cases);
  addViews(cases);
  addScans(cases);
  return cases;
}

} // namespace sinter::test
