#include "compiler/semantics/FileHeaders.h"
#include "tests/unit/semantics/Spec.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <zlib.h>

using namespace sinter;
using semantics::LoadOp;
using tests::Spec;

static semantics::Data dataOf(const std::string &fill, const std::string &more = "") {
  Spec spec("data d { x: f32[2, 3]\n label: class[10]\n train { x = " + fill +
            "; label = csv(\"l.csv\", column: -1) - 5 }\n" + more + "\n}");
  INFO(spec.said);
  REQUIRE(spec.program);
  return spec.program->datas.at(0);
}

TEST_CASE("loading arithmetic is a list of steps in the order of the text") {
  auto steps = dataOf("2 - (idx(\"x\") / 255 - 0.5) * 4 |> normalize(mean: [1, 2], std: 3)")
                   .parts.at("train")
                   .at(0)
                   .operations;
  REQUIRE(steps.size() == 5);
  CHECK(steps[0].kind == LoadOp::Kind::Divide);
  CHECK(steps[0].value == 255);
  CHECK(steps[1].kind == LoadOp::Kind::Add);
  CHECK(steps[1].value == -0.5);
  CHECK(steps[2].kind == LoadOp::Kind::Multiply);
  CHECK(steps[3].kind == LoadOp::Kind::SubtractFrom);
  CHECK(steps[3].value == 2);
  CHECK(steps[4].kind == LoadOp::Kind::Normalize);
  CHECK(steps[4].mean == std::vector<double>{1, 2});
  CHECK(steps[4].std == std::vector<double>{3});
}

TEST_CASE("standardize is a step, as a call and behind a pipe") {
  CHECK(dataOf("csv(\"x\", columns: 0..5) |> standardize")
            .parts.at("train")[0]
            .operations.back()
            .kind == LoadOp::Kind::Standardize);
  CHECK(dataOf("standardize(idx(\"x\"))").parts.at("train")[0].operations.back().kind ==
        LoadOp::Kind::Standardize);
}

TEST_CASE("columns are a range, a list or names") {
  auto attributes = [](const std::string &columns) {
    return dataOf("csv(\"x\", " + columns + ")").parts.at("train")[0].source.attributes;
  };
  auto range = attributes("columns: -6..-1, skip: 2, separator: \";\"");
  CHECK(std::get<int64_t>(range.at("first")) == -6);
  CHECK(std::get<int64_t>(range.at("last")) == -1);
  CHECK(std::get<int64_t>(range.at("skip")) == 2);
  CHECK(std::get<std::string>(range.at("separator")) == ";");
  CHECK(std::get<std::vector<int64_t>>(
            attributes("columns: [5, 4, 3, 2, 1, 0]").at("columns"))[0] == 5);
  CHECK(std::get<std::vector<std::string>>(
            attributes("columns: (\"a\", \"b\", \"c\", \"d\", \"e\", \"f\")").at("names"))[5] ==
        "f");
}

TEST_CASE("a split cuts off the test set, or the valid set beside a test part") {
  auto alone = dataOf("idx(\"x\")", "split 0.8 (seed: 3, stratify: label)");
  CHECK(alone.split->test == Approx(0.2));
  CHECK(alone.split->stratify == "label");
  CHECK(alone.seed == 3);
  CHECK(alone.has("test"));
  CHECK_FALSE(alone.has("valid"));
  auto beside = dataOf("idx(\"x\")", "test { x = idx(\"t\"); label = idx(\"u\") }\nsplit 0.9");
  CHECK(beside.split->valid == Approx(0.1));
  CHECK(beside.split->test == 0);
  auto three = dataOf("idx(\"x\")", "split 0.7, 0.2, 0.1");
  CHECK(three.split->valid == 0.2);
  CHECK(three.split->test == 0.1);
}

static std::string shown(const semantics::Keep &keep) {
  if (keep.op == "number")
    return std::to_string(static_cast<int>(keep.value));
  if (keep.op == "field")
    return keep.field;
  std::string text = "(" + keep.op;
  for (const semantics::Keep &operand : keep.operands)
    text += " " + shown(operand);
  return text + ")";
}

TEST_CASE("what is kept is an expression over fields; further lines ask for more") {
  CHECK(shown(*dataOf("idx(\"x\")", "keep where label < 5").keep) == "(< label 5)");
  CHECK(shown(*dataOf("idx(\"x\")",
                      "keep where 1 < label and not (label + 2 * 3 == 8) or label == 0 or "
                      "-label ** 2 > -4")
                   .keep) ==
        "(or (or (and (< 1 label) (not (== (+ label (* 2 3)) 8))) (== label 0)) "
        "(> (neg (** label 2)) (neg 4)))");
  CHECK(shown(*dataOf("idx(\"x\")", "keep where label > 1\nkeep where label < 3").keep) ==
        "(and (> label 1) (< label 3))");
}

TEST_CASE("an augmentation has its fields, its steps in order and their numbers") {
  const auto augments =
      dataOf("idx(\"x\")",
             "augment x { random_crop(padding: 4); flip_horizontal; noise(0.5) }\n"
             "augment x { random_rotation(30); flip_vertical(0.25); random_erase(1) }")
          .augments;
  REQUIRE(augments.size() == 2);
  CHECK(augments[0].fields == std::vector<std::string>{"x"});
  REQUIRE(augments[0].steps.size() == 3);
  CHECK(augments[0].steps[0].kind == "random_crop");
  CHECK(augments[0].steps[0].value == 4);
  CHECK(augments[0].steps[1].value == 0.5);
  CHECK(augments[1].steps[1].kind == "flip_vertical");
  CHECK(augments[1].steps[1].value == 0.25);
}

TEST_CASE("sources fill the fields of their own names; arithmetic is for real numbers") {
  Spec spec(
      "data d { image: f32[3, 32, 32]\n label: class[10]\n train { cifar(\"a\", \"b\") / 255 }\n"
      "test { label = cifar(\"c\"); image = cifar(\"c\") } }");
  INFO(spec.said);
  REQUIRE(spec.program);
  const auto &parts = spec.program->datas.at(0).parts;
  REQUIRE(parts.at("train").size() == 2);
  const semantics::Fill &image = parts.at("train")[0], &label = parts.at("train")[1];
  CHECK(std::get<std::string>(image.source.attributes.at("part")) == "image");
  CHECK(std::get<std::string>(label.source.attributes.at("part")) == "label");
  CHECK(image.operations.size() == 1);
  CHECK(label.operations.empty());
  CHECK(image.source.moreFiles.size() == 1);
  CHECK(std::get<std::string>(parts.at("test")[0].source.attributes.at("part")) == "label");
}

TEST_CASE("headers of files that exist are compared with the fields") {
  const auto folder = std::filesystem::temp_directory_path() / "sinter_semantics_headers";
  std::filesystem::create_directories(folder);
  const unsigned char idx[] = {0, 0, 8, 3, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 3};
  const std::string path = (folder / "x.gz").string();
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, idx, sizeof idx);
  gzclose(file);
  auto header = semantics::readIdxHeader(path);
  CHECK(header.state == semantics::FileHeader::State::Read);
  CHECK(header.records == 7);
  CHECK(header.dims == std::vector<int64_t>{2, 3});
  CHECK(semantics::readIdxHeader((folder / "none").string()).state ==
        semantics::FileHeader::State::Missing);
  std::ofstream(folder / "short") << "ab";
  CHECK(semantics::readIdxHeader((folder / "short").string()).problem == "ends within its header");
  std::ofstream(folder / "l.csv") << "first,\"a, b\",last\r\n1,2,3\r\n";
  CHECK(semantics::readCsvHeader((folder / "l.csv").string(), 0, ',').cells ==
        std::vector<std::string>{"first", "a, b", "last"});
  auto said = [&](const std::string &type) {
    return Spec("data d { x: " + type + "\n train { x = idx(\"" + path + "\") } }").said;
  };
  CHECK(said("f32[6]").empty());
  CHECK(said("f32[5]").find("the records of this file are `[2, 3]`, and `x` is `f32[5]`") !=
        std::string::npos);
  std::filesystem::remove_all(folder);
}
