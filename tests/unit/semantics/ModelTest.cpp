#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>

using namespace sinter;
using tests::around;
using tests::Spec;

TEST_CASE("the canonical example comes to a program without a word said") {
  syntax::SourceManager sources;
  syntax::Engine engine(sources);
  semantics::Options options;
  options.readHeaders = false;
  auto program = semantics::check(SINTER_SOURCE_DIR "/examples/fashion/lenet.sinter", sources,
                                  engine, options);
  INFO(render(engine, false));
  REQUIRE(program);
  CHECK(engine.sorted().empty());
  std::string text = semantics::dump(*program);
  CHECK(text.find("param conv2d1.weight: f32[32, 1, 5, 5] weight = he_normal") !=
        std::string::npos);
  CHECK(text.find("param head.weight: f32[10, 512] weight = xavier_uniform") != std::string::npos);
}

TEST_CASE("layers without a name are numbered by kind, and named ones are not counted") {
  Spec spec(
      around("model ConvUnit(x: f32[C, H, W]) { x |> conv2d(C, kernel: 3, padding: 1) |> relu }\n"
             "model Net(x: f32[1, 8, 8]) -> f32[10] {\n"
             "  let a = x |> ConvUnit |> max_pool2d(2) |> ConvUnit |> dropout(0.1) |> flatten\n"
             "  let b = a |> dense(6) |> relu |> dense(5) as middle |> relu |> dense(4)\n"
             "  b |> dense(10)\n}",
             "f32[1, 8, 8]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names() ==
        "conv_unit1.conv2d1.weight conv_unit1.conv2d1.bias conv_unit2.conv2d1.weight "
        "conv_unit2.conv2d1.bias dense1.weight dense1.bias middle.weight middle.bias dense2.weight "
        "dense2.bias dense3.weight dense3.bias");
}

TEST_CASE("a branch that is not taken makes no layers and takes no numbers") {
  Spec spec(around("model Net[deep = false](x: f32[4]) -> f32[10] {\n"
                   "  let a = if deep then x |> dense(4) |> relu else x\n  a |> dense(10)\n}",
                   "f32[4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names() == "dense1.weight dense1.bias");
}

TEST_CASE("a stack has numbered children, a shared one is a single instance") {
  Spec spec(
      around("model Net(x: f32[4]) -> f32[10] {\n"
             "  layer blocks = stack(3, i => dense(4 + 2 * i, bias: false))\n"
             "  x |> blocks |> stack(0, dense(7)) |> stack(4, dense(8, bias: false), shared: true)"
             " |> dense(10, bias: false)\n}",
             "f32[4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.shapes() == "blocks.0.weight: f32[4, 4]; blocks.1.weight: f32[6, 4]; "
                         "blocks.2.weight: f32[8, 6]; stack2.weight: f32[8, 8]; "
                         "dense1.weight: f32[10, 8]");
  size_t uses = 0;
  for (const auto &op : spec.train().nets.at(0).graph.operations)
    uses += op.kind == "dense" && op.path == "stack2";
  CHECK(uses == 4);
}

TEST_CASE("every use of a declared layer shares its parameters") {
  Spec spec(around("model Tower(x: f32[D]) { x |> dense(D) |> relu }\n"
                   "model Net(x: f32[4]) -> f32[10] {\n  layer tower = Tower\n"
                   "  tower(x) + tower(relu(x)) |> dense(10)\n}",
                   "f32[4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names() == "tower.dense1.weight tower.dense1.bias dense1.weight dense1.bias");
}

TEST_CASE("a tied weight is one parameter that answers to both names") {
  Spec spec(
      around("model Net(x: f32[4]) -> f32[10] {\n  layer enc = dense(3)\n"
             "  let h = x |> enc |> relu\n"
             "  h |> dense(4, weight: transpose(enc.weight), bias: false) as dec |> dense(10)\n}",
             "f32[4]", "optimize adam(lr: 1); epochs 1; freeze dec.weight"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names() == "enc.weight enc.bias dense1.weight dense1.bias");
  CHECK(spec.parameter("dec.weight").name == "enc.weight");
  CHECK(spec.stage().frozen == std::set<std::string>{"enc.weight"});
}

TEST_CASE("a name that is tied the other way round means the transpose, also to a third") {
  Spec spec(around("model Net(x: f32[4]) -> f32[10] {\n"
                   "  let h = x |> dense(6, bias: false) as enc |> relu\n"
                   "  let y = h |> dense(4, weight: transpose(enc.weight), bias: false) as dec\n"
                   "  y |> dense(6, weight: transpose(dec.weight), bias: false) as third\n"
                   "    |> dense(4, weight: dec.weight, bias: false) as fourth |> dense(10)\n}",
                   "f32[4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  const auto &aliases = spec.parameter("enc.weight").aliases;
  REQUIRE(aliases.size() == 3);
  CHECK(aliases[0].str() == "transpose(dec.weight)");
  CHECK(aliases[1].str() == "third.weight");
  CHECK(aliases[2].str() == "transpose(fourth.weight)");
}

TEST_CASE("sizes of convolutions and pools are those of their definitions") {
  auto shape = [](const std::string &layer) {
    Spec spec(around("model Net(x: f32[4, 9, 11]) -> f32[10] { x |> " + layer +
                         " |> flatten |> dense(10) }",
                     "f32[4, 9, 11]"));
    INFO(spec.said);
    REQUIRE(spec.program);
    for (const auto &op : spec.train().nets.at(0).graph.operations)
      if (op.kind == "flatten")
        return spec.train().nets.at(0).graph.type(op.operands.at(0)).str();
    return std::string();
  };
  CHECK(shape("conv2d(6, kernel: 3)") == "f32[6, 7, 9]");
  CHECK(shape("conv2d(6, kernel: 3, padding: same, stride: 2)") == "f32[6, 5, 6]");
  CHECK(shape("conv2d(6, kernel: (3, 5), padding: (1, 0))") == "f32[6, 9, 7]");
  CHECK(shape("conv2d(6, kernel: 3, dilation: 2, groups: 2)") == "f32[6, 5, 7]");
  CHECK(shape("max_pool2d(2)") == "f32[4, 4, 5]");
  CHECK(shape("avg_pool2d(3, stride: 2, padding: 1)") == "f32[4, 5, 6]");
  CHECK(shape("global_avg_pool") == "f32[4]");
}

TEST_CASE("same pads an odd rest after") {
  Spec spec(around("model Net(x: f32[1, 8, 8]) -> f32[10] {"
                   " x |> conv2d(2, kernel: 4, padding: same) |> flatten |> dense(10) }",
                   "f32[1, 8, 8]"));
  REQUIRE(spec.program);
  for (const auto &op : spec.train().nets.at(0).graph.operations)
    if (op.kind == "conv2d")
      CHECK(std::get<std::vector<int64_t>>(op.attributes.at("padding")) ==
            std::vector<int64_t>{1, 2, 1, 2});
}

TEST_CASE("in its own definition a name means what it meant above") {
  Spec spec(
      around("model Net(x: f32[4]) -> f32[10] {\n  layer relu = relu\n"
             "  let h = x |> dense(4) as dense |> relu\n  h |> dense |> stack(1, dense) |> Out\n}\n"
             "model Out(x: f32[4]) { x |> dense(10) }",
             "f32[4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names() == "dense.weight dense.bias out1.dense1.weight out1.dense1.bias");
}

TEST_CASE("batch norm owns scale, shift and two buffers of its channels") {
  Spec spec(around("model Net(x: f32[3, 4, 4]) -> f32[10] {"
                   " x |> batch_norm |> flatten |> dense(10) }",
                   "f32[3, 4, 4]"));
  REQUIRE(spec.program);
  CHECK(spec.names().find("batch_norm1.weight batch_norm1.bias batch_norm1.running_mean "
                          "batch_norm1.running_var") == 0);
  CHECK(spec.parameter("batch_norm1.running_var").type.str() == "f32[3]");
  CHECK(spec.parameter("batch_norm1.running_var").initializer.a == 1);
  CHECK_FALSE(spec.parameter("batch_norm1.running_mean").trained);
  CHECK(spec.parameter("batch_norm1.weight").role == semantics::Role::NormScale);
}

TEST_CASE("dimension variables are bound from the input and used in the body") {
  Spec spec(around("model Half(x: f32[C, H, H]) -> f32[C / 2, H, H] {"
                   " x |> conv2d(C / 2, kernel: 1, bias: false) }\n"
                   "model Net(x: f32[6, 4, 4]) -> f32[10] { x |> Half |> flatten |> dense(10) }",
                   "f32[6, 4, 4]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.parameter("half1.conv2d1.weight").type.str() == "f32[3, 6, 1, 1]");
}

TEST_CASE("a model takes a function or a layer as its parameter") {
  Spec spec(around("model Unit[act, norm](x: f32[D]) { x |> dense(D) |> norm |> act }\n"
                   "model Net(x: f32[6]) -> f32[10] {"
                   " x |> Unit[act: leaky_relu(0.2), norm: batch_norm] |> dense(10) }",
                   "f32[6]"));
  INFO(spec.said);
  REQUIRE(spec.program);
  CHECK(spec.names().find("unit1.batch_norm1.weight") != std::string::npos);
  CHECK(semantics::dump(*spec.program).find("leaky_relu %") != std::string::npos);
}

TEST_CASE("all errors of a file come in one run, and none that follows from another") {
  Spec spec(around("model Net(x: f32[6]) -> f32[10] {\n"
                   "  let a = x |> dens(4) |> dense(5, unit: 3) |> dense(10)\n"
                   "  let b = x |> conv2d(3, kernel: 3)\n  a + b + c\n}",
                   "f32[6]", "optimize adm(lr: 1); freeze nothing.**"));
  CHECK_FALSE(spec.program);
  std::string codes;
  for (const auto &each : spec.engine.sorted())
    if (each.info().severity == syntax::Severity::Error)
      codes += std::string(each.info().name) + " ";
  INFO(spec.said);
  CHECK(codes.find("UnknownName UnknownArgument LayerRank UnknownName") == 0);
}
