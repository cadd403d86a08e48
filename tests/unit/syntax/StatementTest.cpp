#include "tests/unit/syntax/Parsing.h"

#include <catch2/catch.hpp>

namespace sinter::syntax {

const std::vector<std::string> corpus = {
    R"(import "other.sinter"

const width = 2 ** 6

const name = "a\"b\\\n\t"

const small = 1e-3

const on = true and not false
)",
    R"(data d {
  image: f32[1, 28, 28]
  label: class[10]
  text: class[73][64]
  train {
    image = idx("a.gz") / 255
    label = idx("b.gz") - 5
  }
  test {
    x, y = synthetic(100)
    cifar("folder")
  }
  valid {
    image = csv("c.csv", columns: -3..-1, skip: 1, separator: ",")
  }
  split 0.8, 0.1, 0.1 (seed: 0, stratify: label)
  split share (seed: 0)
  keep where label < 5
  take 100
  augment {
    random_crop(padding: 4)
    flip_horizontal(0.5)
  }
  augment image, label {
    noise(0.1)
  }
}
)",
    R"(model Block[C, stride = 1](x: f32[C0, H, W], y: f32) -> {a: f32[C, _], b: {c: f32}} {
  param w: f32[3, 4] = he_normal(fan: out)
  param v: f32 = zeros
  buffer count: i32 = 0
  buffer mean: f32[2] = [0, [1.5]]
  update count = count + 1
  layer conv = conv2d(C, kernel: (3, 3), init: he_normal, bias: false)
  layer act = relu
  layer blocks = stack(4, i => Block[16 * 2 ** i])
  layer twice = stack(2, stack(3, dense(10)), shared: true)
  let main = x |> conv |> batch_norm as norm |> relu
  let skip = if stride == 1 and C == C0 then x else x |> conv2d(C) as down
  let tied = dense(10, weight: transpose(embed.weight), bias: false)
  {a: main + skip, b: Block[64](x).a.b}
}
)",
    R"(train run: ResNet[18, width: 2] on d {
  seed 7
  objective 0.5 * f(x) + linear(0.9, to: 0.1) * g(x)
  let a = x
  regularize **.weight with l1(1e-5) + l2(1e-4)
  regularize value with l2(1)
  regularize value.weight with elastic(1, 2)
  regularize value f(x) with l1(1)
  constrain head.weight to nonnegative
  recompute blocks.**
  freeze blocks.0.1.{a, b}.*
  unfreeze {1, 2}.x except **.bias
  teacher Big = Wide from train wide
  teacher Other = Wide[3] from "a.safetensors" (strip: "m.", except: [a.*, b])
  teacher Mean = ema(ResNet, decay: 0.99)
  share a.** with Big.b
  share copy a.** with Big.b
  share copy.a with Big.copy
  load ** from "f.safetensors" (rename: {"a": "b"}, transpose: **.weight except x)
  load ** from train wide
  optimize adam(lr: cosine(1e-3, warmup: 2 epochs), betas: (0.9, 0.999))
  optimize sgd
  optimize head with sgd(lr: 0.1)
  optimize head.0.** except x with sgd(lr: 0.1)
  rate a.* = 0.1
  clip norm 1.0
  clip value c
  batch 32
  batch n drop last
  batch 32 order sequential
  batch 32 drop last order sequential
  accumulate 4
  epochs 10
  steps 100
  precision bf16
  precision f32
  report accuracy(M(image), label)
  report f(x) as top1
  report x |> f as top2 every 10 steps
  stop when valid.loss has not improved for 3 epochs
  keep best test.accuracy
  stage warm {
    freeze **
    epochs 1
  }
  stage tune {
    epochs 2
  }
}
)",
};

namespace {

template <typename Statement> const Statement &only(const Parsed &parsed) {
  const auto &train = std::get<TrainDeclaration>(parsed.file->declarations.front());
  REQUIRE(train.statements.size() == 1);
  return std::get<Statement>(train.statements.front());
}

Parsed inTrain(const std::string &statement) {
  return Parsed("train M on d { " + statement + " }");
}

} // namespace

TEST_CASE("every form of the grammar parses, and prints to what parses the same") {
  for (const std::string &text : corpus) {
    Parsed first(text);
    INFO(first.rendered());
    REQUIRE_FALSE(first.engine.hasErrors());
    const std::string printed = print(*first.file);
    Parsed second(printed);
    INFO(printed << second.rendered());
    REQUIRE_FALSE(second.engine.hasErrors());
    CHECK(print(*second.file) == printed);
  }
}

TEST_CASE("no statement is lost or added") {
  Parsed parsed(corpus[3]);
  const auto &train = std::get<TrainDeclaration>(parsed.file->declarations.front());
  CHECK(train.name.text == "run");
  CHECK(train.model.parameters.list.size() == 2);
  CHECK(train.statements.size() == 40);
  CHECK(train.stages.size() == 2);
  Parsed data(corpus[1]);
  CHECK(std::get<DataDeclaration>(data.file->declarations.front()).statements.size() == 12);
  Parsed model(corpus[2]);
  const auto &block = std::get<ModelDeclaration>(model.file->declarations.front());
  CHECK(block.statements.size() == 12);
  CHECK(block.result->kind() == Expr::Kind::Record);
  CHECK(block.resultType.fields()[1].type.isRecord());
}

TEST_CASE("a selector's steps are names, stars and sets") {
  const Parsed parsed = Parsed("train M on d { freeze a.*.**.{b, 1}.0.1 except x.0 }");
  const auto &freeze = only<FreezeStatement>(parsed);
  const auto &steps = freeze.selector.path.steps;
  REQUIRE(steps.size() == 6);
  CHECK(steps[0].names[0].text == "a");
  CHECK(steps[1].kind == SelectorStep::Kind::Any);
  CHECK(steps[2].kind == SelectorStep::Kind::AnyDepth);
  CHECK(steps[3].kind == SelectorStep::Kind::Set);
  CHECK(steps[3].names[1].text == "1");
  CHECK(steps[5].names[0].text == "1");
  CHECK(freeze.selector.except.steps.size() == 2);
}

TEST_CASE("a real where a selector begins is two names") {
  const Parsed parsed("train M on d { freeze 0.1.weight }");
  CHECK(only<FreezeStatement>(parsed).selector.path.steps.size() == 3);
}

TEST_CASE("the words value and copy may be names of layers") {
  CHECK(only<RegularizeStatement>(inTrain("regularize value with l2(1)")).selector.present());
  CHECK(
      only<RegularizeStatement>(inTrain("regularize value.weight with l2(1)")).selector.present());
  CHECK(only<RegularizeStatement>(inTrain("regularize value x with l2(1)")).value);
  CHECK_FALSE(only<ShareStatement>(inTrain("share copy with T.a")).copy);
  CHECK_FALSE(only<ShareStatement>(inTrain("share copy.a with T.a")).copy);
  CHECK(only<ShareStatement>(inTrain("share copy a with T.a")).copy);
}

TEST_CASE("what follows a path makes it an optimizer or a selector") {
  CHECK_FALSE(only<OptimizeStatement>(inTrain("optimize sgd")).selector.present());
  CHECK_FALSE(only<OptimizeStatement>(inTrain("optimize sgd(lr: 1)")).selector.present());
  CHECK(only<OptimizeStatement>(inTrain("optimize sgd with sgd")).selector.present());
  CHECK(only<OptimizeStatement>(inTrain("optimize a.b.0 with sgd")).selector.present());
  CHECK(only<OptimizeStatement>(inTrain("optimize ** except a with sgd")).selector.present());
}

TEST_CASE("the as of a report is the report's") {
  const Parsed parsed("train M on d { report x |> f as top1 every 5 steps }");
  const auto &report = only<ReportStatement>(parsed);
  CHECK(report.name.text == "top1");
  CHECK(report.every);
  CHECK(report.value->as<PipeExpr>().stages.size() == 1);
}

TEST_CASE("a split's options are its own, though they look like a call") {
  Parsed parsed("data d { split share (seed: 1, stratify: y) }");
  const auto &split = std::get<SplitStatement>(
      std::get<DataDeclaration>(parsed.file->declarations.front()).statements.front());
  CHECK(split.shares[0]->kind() == Expr::Kind::Path);
  CHECK(split.options.list.size() == 2);
}

TEST_CASE("transpose and except of load take selectors, elsewhere they are expressions") {
  const Parsed parsed("train M on d { load ** from \"f\" (transpose: a.b, except: [a.*]) }");
  const Arguments &options = only<LoadStatement>(parsed).options;
  CHECK(options.find("transpose")->value->kind() == Expr::Kind::Selector);
  CHECK(options.find("except")->value->as<ListExpr>().elements[0]->kind() == Expr::Kind::Selector);
  CHECK(shapeOf("f(except: a.b)") == "f(except:a.b)");
}

} // namespace sinter::syntax
