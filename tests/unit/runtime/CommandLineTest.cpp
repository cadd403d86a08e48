#include "runtime/CommandLine.h"
#include "runtime/Error.h"

#include <catch2/catch.hpp>
#include <limits>
#include <optional>

using namespace sinter::runtime;

namespace {

struct Line {
  std::optional<int64_t> epochs;
  uint64_t seed = 0;
  std::string out;
  bool quiet = false;
  std::vector<std::string> folders;

  std::vector<Flag> flags() {
    return {
        numberFlag("epochs", "How often", epochs, int64_t{0}, int64_t{10}),
        numberFlag("seed", "Of all draws", seed, uint64_t{0}, std::numeric_limits<uint64_t>::max()),
        textFlag("out", "FOLDER", "Where to", out),
        switchFlag("quiet", "Say nothing", quiet, 'q'),
        {"from", "FOLDER", "Where from", [&](std::string_view text) { folders.emplace_back(text); },
         true}};
  }

  void read(std::vector<const char *> words) {
    words.insert(words.begin(), "program");
    readFlags(flags(), static_cast<int>(words.size()), words.data());
  }

  /// What the line is refused with.
  std::string refusal(std::vector<const char *> words) {
    try {
      read(std::move(words));
    } catch (const UsageError &error) {
      return error.what();
    }
    return "";
  }
};

} // namespace

TEST_CASE("flags are read in both spellings, and in any order", "[command line]") {
  Line line;
  line.read({"--epochs=3", "--out", "there", "-q", "--from", "a", "--from=b=c", "--seed",
             "18446744073709551615"});
  CHECK(line.epochs == 3);
  CHECK(line.out == "there");
  CHECK(line.quiet);
  CHECK(line.folders == std::vector<std::string>{"a", "b=c"});
  CHECK(line.seed == std::numeric_limits<uint64_t>::max());
}

TEST_CASE("a second line is read from its beginning", "[command line]") {
  Line first, second;
  first.read({"--quiet", "--epochs", "1"});
  second.read({"--epochs", "2"});
  CHECK(second.epochs == 2);
  CHECK_FALSE(second.quiet);
}

TEST_CASE("a wrong line names what is wrong", "[command line]") {
  const auto has = [](const std::string &what) { return Catch::Contains(what); };
  CHECK_THAT(Line().refusal({"--epochs", "x"}),
             has("--epochs takes a whole number from 0 to 10, not `x`"));
  CHECK_THAT(Line().refusal({"--epochs", "3x"}), has("not `3x`"));
  CHECK_THAT(Line().refusal({"--epochs", "11"}), has("from 0 to 10"));
  CHECK_THAT(Line().refusal({"--epochs", "-1"}), has("not `-1`"));
  CHECK_THAT(Line().refusal({"--seed", "-1"}), has("--seed takes a whole number from 0, not `-1`"));
  CHECK_THAT(Line().refusal({"--epochs"}), has("--epochs wants its N"));
  CHECK_THAT(Line().refusal({"--epochs", "1", "--epochs", "2"}), has("--epochs is given twice"));
  CHECK_THAT(Line().refusal({"--quiet=3"}), has("--quiet takes no value"));
  CHECK_THAT(Line().refusal({"--foo"}), has("--foo is no flag"));
  CHECK_THAT(Line().refusal({"-x"}), has("there is no flag -x"));
  CHECK_THAT(Line().refusal({"word"}), has("`word` belongs to no flag"));
  CHECK_THAT(Line().refusal({"--out", ""}), has("--out FOLDER: there is nothing"));
}

TEST_CASE("the help has two columns and keeps its width", "[command line]") {
  Line line;
  std::vector<Flag> flags = line.flags();
  flags.push_back(
      textFlag("long", "FILE", std::string(40, 'a') + " " + std::string(40, 'b'), line.out));
  CHECK(helpText(flags) == "  --epochs N                How often\n"
                           "  --seed N                  Of all draws\n"
                           "  --out FOLDER              Where to\n"
                           "  -q, --quiet               Say nothing\n"
                           "  --from FOLDER             Where from\n"
                           "  --long FILE               " +
                               std::string(40, 'a') + "\n" + std::string(28, ' ') +
                               std::string(40, 'b') + "\n");
}
