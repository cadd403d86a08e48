#include "TestFiles.h"

#include "runtime/Error.h"
#include "runtime/Loader.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

/// A data block, read as a program would read it.
Data dataOf(const Json &data) {
  const Json json = {
      {"version", 1},
      {"name", "p"},
      {"arena_bytes", 1024},
      {"state_bytes", 0},
      {"data", {data}},
      {"steps", {{{"name", "s"}, {"batch", 1}, {"outputs", {{{"name", "loss"}, {"offset", 64}}}}}}},
      {"runs",
       {{{"name", "r"},
         {"data", data.at("name")},
         {"stages", {{{"batch", 1}, {"epochs", 1}, {"train_step", 0}, {"eval_step", 0}}}}}}}};
  return parseDescription(json.dump()).data[0];
}

Json fill(const char *field, Json source, Json ops = Json::array()) {
  return {{"fields", {field}},
          {"source", std::move(source)},
          {"ops", std::move(ops)},
          {"place", "spec.sinter:4:11"}};
}

Json idxSource(const std::string &file) { return {{"kind", "idx"}, {"file", file}}; }

Json csvSource(const std::string &file, Json columns) {
  return {{"kind", "csv"}, {"file", file}, {"columns", std::move(columns)}};
}

/// A field `x` of reals and a label of ten classes, from IDX files of n records of two bytes.
Json images(const TempFolder &folder, size_t n, Json xOps = Json::array(),
            Json labelOps = Json::array()) {
  std::string pixels, labels;
  for (size_t i = 0; i < n; ++i) {
    pixels += {static_cast<char>(i), static_cast<char>(i * 3)};
    labels += static_cast<char>(i % 10);
  }
  const auto count = static_cast<uint32_t>(n);
  writeGzip(folder / "x.gz", idx(0x08, {count, 2}, pixels));
  writeGzip(folder / "y.gz", idx(0x08, {count}, labels));
  return {{"name", "d"},
          {"seed", 5},
          {"place", "spec.sinter:1:1"},
          {"fields",
           {{{"name", "x"}, {"dtype", "f32"}, {"shape", {2}}},
            {{"name", "y"}, {"dtype", "i32"}, {"classes", 10}, {"shape", Json::array()}}}},
          {"parts",
           {{"train",
             {fill("x", idxSource(folder / "x.gz"), std::move(xOps)),
              fill("y", idxSource(folder / "y.gz"), std::move(labelOps))}}}}};
}

std::vector<float> rowOf(const PartData &part, size_t column, size_t example) {
  std::vector<float> row(part.columns[column].elements());
  part.columns[column].copyExample(example, row.data());
  return row;
}

std::set<double> firstPixels(const PartData &part) {
  std::set<double> all;
  for (size_t i = 0; i < part.count(); ++i)
    all.insert(rowOf(part, 0, i)[0]);
  return all;
}

/// A comparison of a field with a number, for `keep`.
Json compare(const char *op, const char *field, double value) {
  return {{"op", op},
          {"args", {{{"op", "field"}, {"field", field}}, {{"op", "number"}, {"value", value}}}}};
}

Dataset load(const Json &json, unsigned threads = 2) {
  LoadOptions options;
  options.threads = threads;
  return loadData(dataOf(json), options);
}

std::string failure(const Json &json) {
  try {
    load(json);
  } catch (const Error &error) {
    return error.place + ": " + error.what();
  }
  return "";
}

} // namespace

TEST_CASE("bytes stay bytes, and loading steps are f32 with one rounding each") {
  const TempFolder folder;
  const Json ops = {{{"kind", "divide"}, {"value", 255}},
                    {{"kind", "subtract_from"}, {"value", 1}},
                    {{"kind", "affine"}, {"scale", 3}, {"shift", 0.1}}};
  const Dataset data = load(images(folder, 20, ops));
  CHECK(std::holds_alternative<std::vector<uint8_t>>(data.parts[0].columns[0].values));
  for (size_t i = 0; i < 20; ++i) {
    const float expected = (1.0f - static_cast<float>(i * 3) / 255.0f) * 3.0f + 0.1f;
    CHECK(rowOf(data.parts[0], 0, i)[1] == expected);
    CHECK(data.parts[0].columns[1].valueAt(i) == static_cast<double>(i % 10));
  }
  const Json others = {{{"kind", "add"}, {"value", 1}},
                       {{"kind", "power"}, {"value", 2}},
                       {{"kind", "multiply"}, {"value", 3}},
                       {{"kind", "divide_into"}, {"value", 6}}};
  CHECK(rowOf(load(images(folder, 20, others)).parts[0], 0, 1)[0] == 0.5f);
}

TEST_CASE("normalize takes numbers or one for each channel") {
  const TempFolder folder;
  const Json ops = {{{"kind", "normalize"}, {"mean", {1, 3}}, {"std", {2, 6}}}};
  const Dataset data = load(images(folder, 4, ops));
  CHECK(rowOf(data.parts[0], 0, 3) == std::vector<float>{1, 1});
  const Json one = {{{"kind", "normalize"}, {"mean", {1}}, {"std", {2}}}};
  CHECK(rowOf(load(images(folder, 4, one)).parts[0], 0, 3) == std::vector<float>{1, 4});
}

TEST_CASE("arithmetic on labels comes before keep, keep before the check of their range") {
  const TempFolder folder;
  Json data = images(folder, 30, Json::array(), {{{"kind", "add"}, {"value", -5}}});
  CHECK_THAT(failure(data), Contains("spec.sinter:4:11: record 0 of") && Contains("y.gz") &&
                                Contains("y is -5, and class[10] takes 0 … 9"));
  data["keep"] = compare(">=", "y", 0);
  const Dataset kept = load(data);
  CHECK(kept.parts[0].count() == 15);
  CHECK(rowOf(kept.parts[0], 0, 0)[0] == 5);
  CHECK(kept.parts[0].columns[1].valueAt(0) == 0);
  const Json atLeast0 = {{"op", "not"}, {"args", {compare("<", "y", 0)}}};
  const Json not3 = {{"op", "or"}, {"args", {compare("==", "y", 2), compare("!=", "y", 3)}}};
  data["keep"] = {{"op", "and"}, {"args", {atLeast0, not3}}};
  CHECK(load(data).parts[0].count() == 12);
  // -(y * 2 - 1) / 2 ** y <= -1.5 is true of 2 alone, and y > 0 - 1 of what has a label.
  const Json y = {{"op", "field"}, {"field", "y"}};
  const auto number = [](double value) { return Json{{"op", "number"}, {"value", value}}; };
  const auto of = [](const char *op, Json a, Json b) {
    return Json{{"op", op}, {"args", {std::move(a), std::move(b)}}};
  };
  const Json quotient = of("/", of("-", of("*", y, number(2)), number(1)), of("**", number(2), y));
  const Json small = of("<=", {{"op", "neg"}, {"args", {quotient}}}, number(-0.75));
  data["keep"] = of("and", small, of(">", y, of("+", number(-2), number(1))));
  const Dataset one = load(data);
  CHECK(one.parts[0].count() == 3);
  CHECK(one.parts[0].columns[1].valueAt(2) == 2);
  data["keep"] = compare(">", "y", 100);
  CHECK_THAT(failure(data), Contains("train part of d has no examples"));
}

TEST_CASE("a label out of range names file and record") {
  const TempFolder folder;
  const Json data = images(folder, 12);
  writeText(folder / "y.gz", idx(0x08, {12}, std::string(11, '\1') + '\12'));
  CHECK_THAT(failure(data),
             Contains("spec.sinter:4:11: record 11 of") && Contains("y.gz: y is 10"));
}

TEST_CASE("shares of a split round down, the last takes the rest, and nothing is lost or doubled") {
  const TempFolder folder;
  Json data = images(folder, 101);
  data["split"] = {{"train", 0.7}, {"valid", 0.1}, {"test", 0.2}, {"seed", 3}};
  const Dataset split = load(data);
  REQUIRE(split.parts.size() == 3);
  CHECK(split.parts[0].name == "train");
  CHECK(split.part("train")->count() == 70);
  CHECK(split.part("valid")->count() == 10);
  CHECK(split.part("test")->count() == 21);
  std::set<double> all;
  for (const PartData &part : split.parts)
    for (double pixel : firstPixels(part))
      CHECK(all.insert(pixel).second);
  CHECK(all.size() == 101);
  CHECK(firstPixels(*load(data).part("test")) == firstPixels(*split.part("test")));
  data["split"]["seed"] = 4;
  CHECK(firstPixels(*load(data).part("test")) != firstPixels(*split.part("test")));
}

TEST_CASE("stratify splits each class alike") {
  const TempFolder folder;
  Json data = images(folder, 100);
  data["split"] = {{"train", 0.8}, {"test", 0.2}, {"stratify", "y"}};
  const Dataset split = load(data);
  std::vector<int> counts(10);
  for (size_t i = 0; i < split.part("test")->count(); ++i)
    ++counts[static_cast<size_t>(split.part("test")->columns[1].valueAt(i))];
  CHECK(counts == std::vector<int>(10, 2));
}

TEST_CASE("take keeps random examples of the train part, and names itself where there are fewer") {
  const TempFolder folder;
  Json data = images(folder, 100);
  data["take"] = 30;
  const std::set<double> taken = firstPixels(load(data).parts[0]);
  CHECK(taken.size() == 30);
  CHECK(*taken.rbegin() > 40);
  data["take"] = 101;
  CHECK_THAT(failure(data), Contains("take 101") && Contains("100 examples"));
}

TEST_CASE("standardize learns from what the train part ends up with, and serves every part") {
  const TempFolder folder;
  Json data =
      images(folder, 100, {{{"kind", "standardize"}}, {{"kind", "multiply"}, {"value", 2}}});
  data["split"] = {{"train", 0.5}, {"test", 0.5}};
  const Dataset split = load(data);
  double sum = 0, squares = 0;
  for (size_t i = 0; i < 50; ++i) {
    sum += rowOf(split.parts[0], 0, i)[1];
    squares += std::pow(rowOf(split.parts[0], 0, i)[1], 2);
  }
  CHECK(sum / 50 == Approx(0).margin(1e-5));
  CHECK(squares / 50 == Approx(4).epsilon(1e-5));
  const Statistics &learned = split.preprocessing.statistics.at("x");
  double testSum = 0;
  for (size_t i = 0; i < 50; ++i)
    testSum += rowOf(*split.part("test"), 0, i)[0];
  CHECK(std::abs(testSum) > 0.1); // by the train part's mean, not its own

  // A checkpoint's statistics come back with the same bits and take the place of new ones.
  const Preprocessing back = Preprocessing::fromJson(split.preprocessing.toJson());
  CHECK(back.statistics.at("x").mean == learned.mean);
  CHECK(back.statistics.at("x").std == learned.std);
  LoadOptions options;
  options.saved = &back;
  data.erase("split");
  const Dataset whole = loadData(dataOf(data), options);
  CHECK(whole.preprocessing.statistics.at("x").mean == learned.mean);
}

TEST_CASE("a constant column is standardized to zero") {
  const TempFolder folder;
  writeText(folder / "c.csv", "7,1\n7,2\n7,3\n");
  const Json data = {
      {"name", "d"},
      {"fields", {{{"name", "x"}, {"dtype", "f32"}, {"shape", {2}}}}},
      {"parts",
       {{"train", {fill("x", csvSource(folder / "c.csv", {0, 1}), {{{"kind", "standardize"}}})}}}}};
  CHECK(rowOf(load(data).parts[0], 0, 0)[0] == 0);
  CHECK(rowOf(load(data).parts[0], 0, 0)[1] == Approx(-std::sqrt(1.5)));
}

static Json flowers(const TempFolder &folder) {
  return {{"name", "flowers"},
          {"place", "spec.sinter:1:1"},
          {"fields",
           {{{"name", "x"}, {"dtype", "f32"}, {"shape", {2}}},
            {{"name", "kind"}, {"dtype", "i32"}, {"classes", 3}, {"shape", Json::array()}}}},
          {"parts",
           {{"train",
             {fill("x", csvSource(folder / "a.csv", {{"first", 0}, {"last", 1}})),
              fill("kind", csvSource(folder / "a.csv", {-1}))}},
            {"test",
             {fill("x", csvSource(folder / "b.csv", {{"first", 0}, {"last", 1}})),
              fill("kind", csvSource(folder / "b.csv", {-1}))}}}}};
}

TEST_CASE("a class column of words is numbered by its sorted distinct words over all parts") {
  const TempFolder folder;
  writeText(folder / "a.csv", "width,height,kind\n1,2,virginica\n3,4,setosa\n");
  writeText(folder / "b.csv", "width,height,kind\n5,6,versicolor\n");
  const Dataset data = load(flowers(folder));
  CHECK(data.preprocessing.words.at("kind") ==
        std::vector<std::string>{"setosa", "versicolor", "virginica"});
  CHECK(data.parts[0].columns[1].valueAt(0) == 2);
  CHECK(data.parts[0].columns[1].valueAt(1) == 0);
  CHECK(data.part("test")->columns[1].valueAt(0) == 1);
  CHECK(data.parts[0].count() == 2); // one header decision serves both fields

  const Preprocessing back = Preprocessing::fromJson(data.preprocessing.toJson());
  CHECK(back.words == data.preprocessing.words);
  writeText(folder / "b.csv", "5,6,daisy\n");
  CHECK_THAT(failure(flowers(folder)), !Contains("daisy")); // three words still
  writeText(folder / "b.csv", "5,6,daisy\n7,8,tulip\n");
  CHECK_THAT(failure(flowers(folder)), Contains("4 different words") && Contains("daisy, setosa"));
  LoadOptions options;
  options.saved = &back;
  CHECK_THAT(messageOf([&] { loadData(dataOf(flowers(folder)), options); }),
             Contains("line 1 of") && Contains("`daisy` is none of the 3 words"));
}

TEST_CASE("what does not fit together names file, record and the spec's place") {
  const TempFolder folder;
  Json data = images(folder, 8);
  data["fields"][0]["shape"] = {1, 3};
  CHECK_THAT(failure(data), Contains("spec.sinter:4:11: ") &&
                                Contains("x.gz has records of 2 numbers") &&
                                Contains("x is f32[1, 3]"));
  data = images(folder, 8);
  writeText(folder / "y.gz", idx(0x08, {7}, std::string(7, '\1')));
  CHECK_THAT(failure(data), Contains("y.gz has 7 records") && Contains("x.gz has 8"));
  data = images(folder, 8);
  data["parts"]["train"].erase(1);
  CHECK_THAT(failure(data), Contains("does not fill y"));
  data = images(folder, 8);
  data["parts"]["train"][0]["source"]["file"] = folder / "gone.gz";
  CHECK_THAT(failure(data), Contains("spec.sinter:4:11: cannot open ") && Contains("gone.gz"));
  writeText(folder / "nan.csv", "1,2,0\n3,nan,1\n");
  Json csv = flowers(folder);
  csv["parts"].erase("test");
  for (Json &part : csv["parts"]["train"])
    part["source"]["file"] = folder / "nan.csv";
  CHECK_THAT(failure(csv), Contains("line 2 of") && Contains("nan.csv: x holds nan"));
  data = images(folder, 8, {{{"kind", "divide_into"}, {"value", 1}}});
  CHECK_THAT(failure(data), Contains("record 0 of") && Contains("x holds inf"));
  data = images(folder, 8, Json::array(), {{{"kind", "divide"}, {"value", 2}}});
  CHECK_THAT(failure(data), Contains("record 1 of") && Contains("1 makes no class[10]"));
  data = images(folder, 8, Json::array(), {{{"kind", "multiply"}, {"value", 0.5}}});
  CHECK_THAT(failure(data), Contains("arithmetic with integers"));
}

TEST_CASE("--data moves files, by the longest tail of their path that exists there") {
  const TempFolder folder;
  std::filesystem::create_directories(folder.path / "raw");
  writeText(folder / "raw/x.gz", "");
  writeText(folder / "y.gz", "");
  CHECK(resolvePath("data/raw/x.gz", folder.path.string()) == folder / "raw/x.gz");
  CHECK(resolvePath("/usr/share/y.gz", folder.path.string()) == folder / "y.gz");
  CHECK(resolvePath("a/z.gz", folder.path.string()) == folder / "z.gz");
  CHECK(resolvePath("a/z.gz", "") == "a/z.gz");
}

TEST_CASE("synthetic data has the declared types and is the same each time") {
  Json data = {
      {"name", "d"},
      {"seed", 9},
      {"fields",
       {{{"name", "x"}, {"dtype", "f32"}, {"shape", {4}}},
        {{"name", "y"}, {"dtype", "i32"}, {"classes", 3}, {"shape", Json::array()}}}},
      {"parts",
       {{"train",
         {{{"fields", {"x", "y"}}, {"source", {{"kind", "synthetic"}, {"count", 300}}}}}}}}};
  const Dataset one = load(data, 1), two = load(data, 3);
  std::vector<int> counts(3);
  double sum = 0;
  for (size_t i = 0; i < 300; ++i) {
    CHECK(rowOf(one.parts[0], 0, i) == rowOf(two.parts[0], 0, i));
    ++counts[static_cast<size_t>(one.parts[0].columns[1].valueAt(i))];
    sum += rowOf(one.parts[0], 0, i)[2];
  }
  for (int count : counts)
    CHECK(count > 70);
  CHECK(std::abs(sum / 300) < 0.2);
}
