#include "TestFiles.h"

#include "runtime/Checkpoint.h"
#include "runtime/Error.h"
#include "runtime/OutputFile.h"

#include <csignal>
#include <cstring>
#include <sys/resource.h>

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;

static TensorToWrite tensor(std::string name, Shape shape, std::vector<float> values) {
  return {std::move(name), std::move(shape),
          [values](float *out) { std::copy(values.begin(), values.end(), out); }};
}

/// A file of its own making: length, header, bytes.
static std::string raw(const std::string &header, const std::string &bytes) {
  uint64_t length = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, 8);
  return text + header + bytes;
}

TEST_CASE("tensors and metadata come back with the same bits") {
  const TempFolder folder;
  const std::vector<TensorToWrite> tensors = {tensor("b", {2, 1}, {1.5f, -0.0f}),
                                              tensor("a.weight", {}, {3e-45f})};
  writeSafeTensors(folder / "x.safetensors", {{"note", "a \"quoted\" one"}}, tensors);
  const SafeTensors file(folder / "x.safetensors");
  CHECK(file.metadata().at("note") == "a \"quoted\" one");
  CHECK(file.entries().at("b").shape == Shape{2, 1});
  CHECK(std::signbit(file.read("b")[1]));
  CHECK(file.read("a.weight") == std::vector<float>{3e-45f});
  const std::string bytes = readText(folder / "x.safetensors");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  CHECK((8 + length) % 8 == 0);
  CHECK(bytes.size() == 8 + length + 12);
  CHECK(bytes[8] == '{');
  CHECK_FALSE(std::filesystem::exists(folder / "x.safetensors.tmp"));
}

TEST_CASE("f64, f16 and bf16 are read as f32, integers are refused") {
  const TempFolder folder;
  const double wide = 0.1;
  writeText(folder / "d", raw(R"({"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
                              R"("h":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},)"
                              R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[10,12]},)"
                              R"("i":{"dtype":"I64","shape":[1],"data_offsets":[12,20]}})",
                              std::string(reinterpret_cast<const char *>(&wide), 8) +
                                  std::string("\x00\x3E\xC0\x3F", 4) + std::string(8, '\0')));
  const SafeTensors file(folder / "d");
  CHECK(file.read("d") == std::vector<float>{0.1f});
  CHECK(file.read("h") == std::vector<float>{1.5f});
  CHECK(file.read("b") == std::vector<float>{1.5f});
  CHECK_THAT(messageOf([&] { file.read("i"); }), Contains("i is I64"));
}

TEST_CASE("a file that is damaged in any way is refused, and named") {
  const TempFolder folder;
  const auto message = [&](const std::string &text) {
    writeText(folder / "bad", text);
    return messageOf([&] { SafeTensors file(folder / "bad"); });
  };
  const std::string one = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(message(raw(one, std::string(8, '\0'))).empty());
  CHECK_THAT(message(raw(one, std::string(7, '\0'))),
             Contains("bad") && Contains("cut off: 7 of 8"));
  CHECK_THAT(message(raw(one, std::string(9, '\0'))), Contains("goes on behind"));
  CHECK_THAT(message(raw(one, "").substr(0, 30)), Contains("cut off within its header"));
  CHECK_THAT(message("abc"), Contains("too short"));
  CHECK_THAT(message(std::string(8, '\xff') + "{}"), Contains("no safetensors file"));
  CHECK_THAT(message(raw("{nonsense", "")), Contains("no JSON object"));
  CHECK_THAT(message(raw(R"([1])", "")), Contains("no JSON object"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678")),
             Contains("contradicts itself about a"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}})", "12345678")),
             Contains("contradicts itself about a"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "12345678")),
             Contains("contradicts itself about a") || Contains("strange"));
  CHECK_THAT(
      message(
          raw(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", "")),
      Contains("contradicts itself about a"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":"no","data_offsets":[0,8]}})", "12345678")),
             Contains("strange of a"));
  CHECK_THAT(message(raw(R"({"a":{"shape":[2]}})", "12345678")), Contains("strange of a"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                         R"("b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                         "123456")),
             Contains("overlap or leave gaps"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678")),
             Contains("overlap or leave gaps"));
  CHECK_THAT(message(raw(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                         R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                         "12345678")),
             Contains("no JSON object"));
  CHECK_THAT(messageOf([&] { SafeTensors file(folder / "none"); }), Contains("no such file"));
  CHECK_THAT(messageOf([&] { SafeTensors file(folder.path.string()); }), Contains("it is no file"));
}

TEST_CASE("where the disk is full the old file stays whole, and nothing is left beside it") {
  const TempFolder folder;
  const std::string path = folder / "x.safetensors";
  const std::vector<TensorToWrite> small = {tensor("a", {1}, {1})};
  writeSafeTensors(path, {}, small);
  const std::string before = readText(path);

  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tiny{4096, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tiny);
  const std::vector<TensorToWrite> large = {tensor("a", {10000}, std::vector<float>(10000, 2))};
  const std::string message = messageOf([&] { writeSafeTensors(path, {}, large); });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK_THAT(message, Contains("cannot write " + path) && Contains("File too large"));
  CHECK(readText(path) == before);
  CHECK_FALSE(std::filesystem::exists(path + ".tmp"));

  std::filesystem::create_symlink("/dev/full", path + ".tmp");
  CHECK_THAT(messageOf([&] { writeSafeTensors(path, {}, small); }), Contains("No space left"));
  CHECK(readText(path) == before);
  CHECK_FALSE(std::filesystem::is_symlink(path + ".tmp"));
  CHECK_THAT(messageOf([&] { writeSafeTensors(folder / "no/x", {}, small); }),
             Contains("cannot write"));
}

namespace {

struct Saved {
  std::vector<State> states;
  std::vector<float> block = std::vector<float>(64);

  Saved() {
    State weight;
    weight.name = "enc.weight";
    weight.shape = {2, 3};
    weight.offset = 0;
    weight.layout = Layout{{2, 3}, {1, 0}};
    weight.aliases = {Alias{"dec.weight", false}};
    State mean;
    mean.name = "norm.running_mean";
    mean.kind = StateKind::Buffer;
    mean.shape = {2};
    mean.offset = 64;
    State momentum = weight;
    momentum.name = "enc.weight.momentum";
    momentum.kind = StateKind::Optimizer;
    momentum.aliases.clear();
    momentum.of = "enc.weight";
    momentum.offset = 128;
    states = {weight, mean, momentum};
    for (size_t i = 0; i < block.size(); ++i)
      block[i] = static_cast<float>(i);
  }
  std::vector<const State *> list() const {
    std::vector<const State *> all;
    for (const State &state : states)
      all.push_back(&state);
    return all;
  }
  uint8_t *bytes() { return reinterpret_cast<uint8_t *>(block.data()); }
};

} // namespace

TEST_CASE(
    "a checkpoint holds PyTorch's order; last has optimizer state and position, best has not") {
  const TempFolder folder;
  Saved saved;
  Position position;
  position.run = "LeNet";
  position.seed = 0xffffffffffffffffu;
  position.stage = 1;
  position.epoch = 4;
  position.draw = 1234;
  position.stageStep = 34;
  position.batch = 7;
  position.examples = 60000;
  position.weight = 448;
  position.sums = {0.1 + 0.2, -1e-300, INFINITY};
  position.best = Best{0.3, 3};
  Preprocessing learned;
  learned.statistics["x"] = {{0.1f, 3e-40f}, {1, 2}};
  learned.words["y"] = {"a", "ü"};
  saveCheckpoint(folder / "last", saved.list(), saved.bytes(), learned, {{"run", "LeNet"}},
                 &position);
  saveCheckpoint(folder / "best", saved.list(), saved.bytes(), learned, {}, nullptr);

  const SafeTensors last(folder / "last"), best(folder / "best");
  // memory [3][2] holds 0 … 5: saved [2][3] is its transpose
  CHECK(last.read("enc.weight") == std::vector<float>{0, 2, 4, 1, 3, 5});
  CHECK(last.entries().at("enc.weight").shape == Shape{2, 3});
  CHECK(last.entries().size() == 3);
  CHECK(best.entries().size() == 2);
  CHECK_FALSE(best.entries().contains("optimizer.enc.weight.momentum"));
  CHECK(best.metadata().at("sinter.aliases") == R"({"dec.weight":"enc.weight"})");

  const Position back = readPosition(last);
  CHECK(back.run == "LeNet");
  CHECK(back.seed == position.seed);
  CHECK(back.stage == 1);
  CHECK(back.epoch == 4);
  CHECK(back.draw == 1234);
  CHECK(back.stageStep == 34);
  CHECK(back.batch == 7);
  CHECK(back.examples == 60000);
  CHECK(back.weight == 448);
  CHECK(back.sums == position.sums);
  REQUIRE(back.best);
  CHECK(back.best->value == 0.3);
  CHECK(back.best->epoch == 3);
  CHECK_FALSE(back.stop);
  CHECK(readPreprocessing(last).statistics.at("x").mean == learned.statistics.at("x").mean);
  CHECK(readPreprocessing(best).words == learned.words);
  CHECK_THAT(messageOf([&] { readPosition(best); }), Contains("--init"));

  Saved other;
  std::fill(other.block.begin(), other.block.end(), -1.0f);
  loadStates(last, other.list(), true, other.bytes());
  for (const State &state : saved.states)
    CHECK(std::memcmp(saved.bytes() + state.offset, other.bytes() + state.offset,
                      static_cast<size_t>(state.elements()) * 4) == 0);
}

TEST_CASE("weights load under any alias, tied ones must agree, and every misfit is listed") {
  const TempFolder folder;
  Saved saved;
  const std::vector<float> six = {1, 2, 3, 4, 5, 6};
  const auto load = [&](const std::vector<TensorToWrite> &tensors) {
    writeSafeTensors(folder / "w", {}, tensors);
    return messageOf(
        [&] { loadStates(SafeTensors(folder / "w"), saved.list(), false, saved.bytes()); });
  };
  const TensorToWrite mean = tensor("norm.running_mean", {2}, {1, 2});
  const TensorToWrite batches = tensor("norm.num_batches_tracked", {}, {3});
  CHECK(load({tensor("dec.weight", {2, 3}, six), mean, batches}).empty());
  CHECK(saved.block[1] == 4); // memory is transposed
  CHECK(load({tensor("dec.weight", {2, 3}, six), tensor("enc.weight", {2, 3}, six), mean}).empty());
  CHECK_THAT(load({tensor("dec.weight", {2, 3}, six),
                   tensor("enc.weight", {2, 3}, {1, 2, 3, 4, 5, 7}), mean}),
             Contains("enc.weight and dec.weight are one tensor here and differ there"));
  CHECK_THAT(load({tensor("enc.weight", {3, 2}, six), tensor("extra", {1}, {1})}),
             Contains("enc.weight is [3, 2] there and [2, 3] here") &&
                 Contains("norm.running_mean is missing") && Contains("extra belongs to nothing"));
}

TEST_CASE("a name tied by transpose loads transposed, and must agree with the others") {
  const TempFolder folder;
  State square; // square, so that no shape tells the two apart
  square.name = "enc.weight";
  square.shape = {2, 2};
  square.aliases = {Alias{"dec.weight", true}};
  const std::vector<const State *> list{&square};
  auto write = [&](std::vector<std::pair<std::string, std::vector<float>>> tensors) {
    std::vector<TensorToWrite> all;
    for (const auto &[name, values] : tensors)
      all.push_back(
          {name, {2, 2}, [values](float *out) { std::copy(values.begin(), values.end(), out); }});
    writeSafeTensors(folder / "file", {}, all);
    return SafeTensors(folder / "file");
  };
  std::vector<float> block(4);
  auto *bytes = reinterpret_cast<uint8_t *>(block.data());
  loadStates(write({{"dec.weight", {1, 2, 3, 4}}}), list, false, bytes);
  CHECK(block == std::vector<float>{1, 3, 2, 4});
  loadStates(write({{"dec.weight", {1, 2, 3, 4}}, {"enc.weight", {1, 3, 2, 4}}}), list, false,
             bytes);
  CHECK(block == std::vector<float>{1, 3, 2, 4});
  CHECK_THROWS_AS(loadStates(write({{"dec.weight", {1, 2, 3, 4}}, {"enc.weight", {1, 2, 3, 4}}}),
                             list, false, bytes),
                  Error);
  saveCheckpoint(folder / "saved", list, bytes, {}, {}, nullptr);
  CHECK(SafeTensors(folder / "saved").metadata().at("sinter.aliases") ==
        R"json({"dec.weight":"transpose(enc.weight)"})json");
}
