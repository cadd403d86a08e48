#include "Regression.h"
#include "TestFiles.h"

#include "runtime/Npy.h"
#include "runtime/Run.h"
#include "runtime/SafeTensors.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <set>
#include <sys/resource.h>
#include <unistd.h>

using namespace sinter::runtime;
using namespace sinter::runtime::test;
using Catch::Contains;
using Json = nlohmann::json;
using Hook = std::function<void(const Clock &, uint8_t *)>;

namespace {

struct Outcome {
  int code = 0;
  std::string out, err;
};

/// Sends a stream to a file while it lives.
class Redirect {
public:
  Redirect(std::FILE *which, const std::string &file) : stream(which), path(file) {
    std::fflush(stream);
    saved = dup(fileno(stream));
    const int target = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(target, fileno(stream));
    close(target);
  }
  std::string finish() {
    std::fflush(stream);
    dup2(saved, fileno(stream));
    close(saved);
    return readText(path);
  }

private:
  std::FILE *stream;
  std::string path;
  int saved;
};

/// A folder with data for the regression, and runs of its program there.
class Runs {
public:
  Runs() {
    std::string train, test;
    for (int i = 0; i < 15; ++i) {
      const double a = std::sin(i * 1.7), b = std::cos(i * 0.9), c = std::sin(i * 0.3 + 1);
      const std::string line =
          fmt::format("{},{},{},{}\n", a, b, c, 2 * a - b + 0.5 * c + 1 + 0.05 * std::sin(i * 9.0));
      (i < 10 ? train : test) += line;
    }
    writeText(folder / "train.csv", train);
    writeText(folder / "test.csv", test);
    json = regression(folder / "train.csv", folder / "test.csv");
  }

  Outcome operator()(std::vector<std::string> arguments, const Hook &hook = {}) const {
    const Description description = parseDescription(json.dump());
    std::vector<const char *> argv = {"line"};
    for (const std::string &argument : arguments)
      argv.push_back(argument.c_str());
    const auto factory = [&](const Description &, unsigned) {
      return std::make_unique<RegressionExecutor>(hook, json["steps"].size() > 3);
    };
    Redirect out(stdout, folder / "stdout"), err(stderr, folder / "stderr");
    Outcome outcome;
    outcome.code = runProgram(description, factory, static_cast<int>(argv.size()), argv.data());
    outcome.out = out.finish();
    outcome.err = err.finish();
    return outcome;
  }

  /// Two batches are one step, and the report is measured every second step too.
  void accumulate() {
    Json &stage = json["runs"][0]["stages"][0];
    stage["accumulate"] = 2;
    stage["update_step"] = 3;
    stage["reports"][0]["every"] = 2;
    json["steps"].push_back({{"name", "update"}, {"batch", 1}});
    json["states"][2]["init"]["a"] = 0;
  }

  std::string out(const std::string &name) const { return "--out=" + folder / name; }

  std::vector<Json> records(const std::string &file) const {
    std::vector<Json> all;
    std::string line;
    for (char c : readText(folder / file)) {
      if (c != '\n') {
        line.push_back(c);
        continue;
      }
      all.push_back(Json::parse(line));
      line.clear();
    }
    CHECK(line.empty());
    return all;
  }

  TempFolder folder;
  Json json;
};

/// The loss of saved weights over a CSV file, computed the plain way.
double lossOf(const std::string &weights, const std::string &csv) {
  const SafeTensors file(weights);
  const std::vector<float> w = file.read("out.weight"), b = file.read("out.bias");
  double sum = 0;
  int count = 0;
  std::FILE *data = std::fopen(csv.c_str(), "r");
  double x[3], y;
  while (std::fscanf(data, "%lf,%lf,%lf,%lf", &x[0], &x[1], &x[2], &y) == 4) {
    sum += std::pow(w[0] * x[0] + w[1] * x[1] + w[2] * x[2] + b[0] - y, 2);
    ++count;
  }
  std::fclose(data);
  return sum / count;
}

} // namespace

TEST_CASE("a run trains, tells each epoch and leaves metrics and weights") {
  const Runs run;
  const Outcome done = run({run.out("a"), "--epochs", "20", "--log-steps"});
  CHECK(done.code == 0);
  CHECK(done.err.empty());
  CHECK_THAT(done.out, Contains("10 train + 5 test examples, 4 parameters") &&
                           Contains("epoch 20/20  train loss") && Contains("test loss") &&
                           !Contains("\x1b"));
  const std::vector<Json> metrics = run.records("a/metrics.jsonl");
  REQUIRE(metrics.size() == 40);
  for (size_t i = 0; i < metrics.size(); ++i) {
    CHECK(metrics[i].at("epoch") == i / 2 + 1);
    CHECK(metrics[i].at("step") == 3 * (i / 2 + 1));
    CHECK(metrics[i].at("set") == (i % 2 == 0 ? "train" : "test"));
    CHECK(metrics[i].at("error").is_number());
  }
  CHECK(metrics[38].at("loss") < 0.2 * metrics[0].at("loss").get<double>());
  // Five examples in batches of four and one: the mean counts examples, not batches.
  CHECK(metrics[39].at("loss").get<double>() ==
        Approx(lossOf(run.folder / "a/last.safetensors", run.folder / "test.csv")).epsilon(1e-5));
  // The train part's loss is the mean over the epoch's steps: four, four and two examples.
  const std::vector<Json> steps = run.records("a/steps.jsonl");
  REQUIRE(steps.size() == 60);
  const auto loss = [&](size_t i) { return steps[i].at("loss").get<double>(); };
  CHECK(metrics[0].at("loss").get<double>() ==
        Approx(0.4 * loss(0) + 0.4 * loss(1) + 0.2 * loss(2)).epsilon(1e-7));
  CHECK(steps[59].at("step") == 60);
  CHECK(steps[59].at("epoch") == 20);
  // best.safetensors is the epoch of the lowest test loss.
  size_t best = 1;
  for (size_t i = 1; i < metrics.size(); i += 2)
    if (metrics[i].at("loss") < metrics[best].at("loss"))
      best = i;
  const SafeTensors file(run.folder / "a/best.safetensors");
  CHECK(file.metadata().at("epoch") == std::to_string(best / 2 + 1));
  CHECK(file.metadata().at("measure") == "test.loss");
  CHECK_FALSE(file.entries().contains("optimizer.out.weight.momentum"));
  CHECK(SafeTensors(run.folder / "a/last.safetensors")
            .entries()
            .contains("optimizer.out.weight.momentum"));
}

TEST_CASE("the clock says step, last, count, draw and the steps of an epoch") {
  const Runs run;
  std::vector<Clock> clocks;
  run({run.out("a"), "--epochs", "2", "--seed", "99"},
      [&](const Clock &clock, uint8_t *) { clocks.push_back(clock); });
  REQUIRE(clocks.size() == 6);
  for (size_t i = 0; i < 6; ++i) {
    CHECK(clocks[i].step == static_cast<int64_t>(i));
    CHECK(clocks[i].draw == static_cast<int64_t>(i));
    CHECK(clocks[i].last == 6);
    CHECK(clocks[i].count == (i % 3 == 2 ? 2 : 4));
    CHECK(clocks[i].seed == 99);
    CHECK(clocks[i].epoch == 3);
  }
}

TEST_CASE("interrupted anywhere and resumed, a run ends with the same bits and the same records") {
  const Runs run;
  REQUIRE(run({run.out("whole"), "--log-steps"}).code == 0);
  for (int64_t stopAt :
       {0, 1, 2, 7, 8, 14}) { // in the middle, at an epoch's last batch, at the very last
    const std::string name = fmt::format("cut{}", stopAt);
    const Outcome cut = run({run.out(name), "--log-steps"}, [&](const Clock &clock, uint8_t *) {
      if (clock.draw == stopAt)
        std::raise(SIGINT);
    });
    CHECK(cut.code == 130);
    CHECK_THAT(cut.out,
               Contains(fmt::format("stopped at step {}; go on with --resume ", stopAt + 1)) &&
                   Contains(name + "/last.safetensors"));
    const Outcome rest =
        run({run.out(name), "--log-steps", "--resume", run.folder / (name + "/last.safetensors")});
    CHECK(rest.code == 0);
    CHECK(rest.err.empty());
    for (const char *file :
         {"last.safetensors", "best.safetensors", "metrics.jsonl", "steps.jsonl"})
      CHECK(readText(run.folder / (name + "/" + file)) ==
            readText(run.folder / ("whole/" + std::string(file))));
  }
}

TEST_CASE("resuming from an older checkpoint writes no record twice, also into another folder") {
  const Runs run;
  REQUIRE(run({run.out("whole")}).code == 0);
  std::string old;
  const auto keepOld = [&](const Clock &clock, uint8_t *) {
    if (clock.draw == 8) // --checkpoint-every has just written it, within the third epoch
      old = readText(run.folder / "a/last.safetensors");
  };
  REQUIRE(run({run.out("a"), "--checkpoint-every", "4"}, keepOld).code == 0);
  REQUIRE_FALSE(old.empty());
  writeText(run.folder / "a/last.safetensors", old);
  REQUIRE(run({run.out("a"), "--resume", run.folder / "a/last.safetensors"}).code == 0);
  for (const char *file : {"last.safetensors", "metrics.jsonl"})
    CHECK(readText(run.folder / ("a/" + std::string(file))) ==
          readText(run.folder / ("whole/" + std::string(file))));
  writeText(run.folder / "a/last.safetensors", old);
  REQUIRE(run({run.out("b"), "--resume", run.folder / "a/last.safetensors"}).code == 0);
  CHECK(readText(run.folder / "b/last.safetensors") ==
        readText(run.folder / "whole/last.safetensors"));
}

TEST_CASE("several batches are one step, also where a run is interrupted between them") {
  Runs run;
  run.accumulate();
  std::vector<Clock> clocks;
  REQUIRE(run({run.out("whole"), "--log-steps"}, [&](const Clock &clock, uint8_t *) {
            clocks.push_back(clock);
          }).code == 0);
  // Ten examples: batches of 4, 4 and 2, of which the first two are one step.
  REQUIRE(clocks.size() == 15);
  for (size_t i = 0; i < clocks.size(); ++i) {
    CHECK(clocks[i].step == static_cast<int64_t>(i / 3 * 2 + i % 3 / 2));
    CHECK(clocks[i].draw == clocks[i].step);
    CHECK(clocks[i].last == 10);
    CHECK(clocks[i].epoch == 2);
  }
  CHECK(run.records("whole/steps.jsonl").size() == 10);
  // Each epoch ends with a second step: its records of the report, then those of the epoch.
  const std::vector<Json> records = run.records("whole/metrics.jsonl");
  REQUIRE(records.size() == 20);
  for (size_t i = 0; i < records.size(); ++i) {
    CHECK(records[i]["step"] == 2 * (i / 4) + 2);
    CHECK(records[i]["epoch"] == i / 4 + (i % 4 >= 2 ? 1 : 0));
    CHECK(records[i]["error"] == records[i ^ 2]["error"]);
  }

  for (int stopAt = 0; stopAt < 15; ++stopAt) {
    const std::string name = fmt::format("cut{}", stopAt);
    int batch = 0;
    const auto stop = [&](const Clock &, uint8_t *) {
      if (batch++ == stopAt)
        std::raise(SIGINT);
    };
    CHECK(run({run.out(name), "--log-steps"}, stop).code == 130);
    CHECK(run({run.out(name), "--log-steps", "--resume", run.folder / (name + "/last.safetensors")})
              .code == 0);
    for (const char *file :
         {"last.safetensors", "best.safetensors", "metrics.jsonl", "steps.jsonl"}) {
      INFO(file << " stopped at batch " << stopAt);
      CHECK(readText(run.folder / (name + "/" + file)) ==
            readText(run.folder / ("whole/" + std::string(file))));
    }
  }
}

TEST_CASE("a finished run goes on with more epochs") {
  const Runs run;
  REQUIRE(run({run.out("a"), "--epochs", "2"}).code == 0);
  const Outcome more =
      run({run.out("a"), "--epochs", "3", "--resume", run.folder / "a/last.safetensors"});
  CHECK(more.code == 0);
  CHECK_THAT(more.out, Contains("epoch 3/3") && !Contains("epoch 2/3"));
  CHECK(run.records("a/metrics.jsonl").size() == 6);
}

TEST_CASE("--steps ends within an epoch, which is measured and recorded") {
  const Runs run;
  CHECK(run({run.out("a"), "--steps", "4"}).code == 0);
  const std::vector<Json> metrics = run.records("a/metrics.jsonl");
  REQUIRE(metrics.size() == 4);
  CHECK(metrics[3].at("step") == 4);
  CHECK(metrics[3].at("epoch") == 2);
}

TEST_CASE("a loss that is no number ends the run; the checkpoint before it stays") {
  const Runs run;
  const Outcome end = run({run.out("a")}, [](const Clock &clock, uint8_t *state) {
    if (clock.draw == 7)
      reinterpret_cast<float *>(state)[1] = NAN;
  });
  CHECK(end.code == 1);
  CHECK_THAT(end.err, Contains("line.sinter:9:1: error: the loss is nan at step 8, in epoch 3") &&
                          Contains("last.safetensors is from before"));
  CHECK(SafeTensors(run.folder / "a/last.safetensors").metadata().at("epoch") == "2");
}

TEST_CASE("a full disk at checkpoint time is an error, and the old checkpoint stays whole") {
  const Runs run;
  REQUIRE(run({run.out("a"), "--epochs", "1"}).code == 0);
  const std::string before = readText(run.folder / "a/last.safetensors");
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const Outcome full = run({run.out("a"), "--resume", run.folder / "a/last.safetensors"},
                           [&](const Clock &, uint8_t *) {
                             const rlimit tiny{600, old.rlim_max};
                             setrlimit(RLIMIT_FSIZE, &tiny);
                           });
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(full.code == 1);
  CHECK_THAT(full.err, Contains("line: error: cannot write") && Contains("File too large"));
  CHECK(readText(run.folder / "a/last.safetensors") == before);
  CHECK_FALSE(std::filesystem::exists(run.folder / "a/last.safetensors.tmp"));
}

TEST_CASE("stop when ... ends a stage in time, and keep best brings the best weights back") {
  Runs run;
  Json &stage = run.json["runs"][0]["stages"][0];
  stage["epochs"] = 50;
  stage["keep_best"] = {{"set", "test"}, {"name", "error"}};
  stage["stop"] = {{"set", "test"}, {"name", "error"}, {"patience", 2}};
  const auto spoil = [](const Clock &clock, uint8_t *state) {
    if (clock.draw >= 9) // from the fourth epoch on
      reinterpret_cast<float *>(state + at::bias)[0] = 50;
  };
  const Outcome done = run({run.out("a")}, spoil);
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("epoch 5/50") && !Contains("epoch 6/50") &&
                           Contains("the best weights, those of epoch 3, are back"));
  const SafeTensors last(run.folder / "a/last.safetensors"),
      best(run.folder / "a/best.safetensors");
  CHECK(last.read("out.bias") == best.read("out.bias"));
  CHECK(best.metadata().at("measure") == "test.error");
  CHECK(last.read("out.bias")[0] < 5);
  const Outcome again = run({run.out("a"), "--resume", run.folder / "a/last.safetensors"});
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("nothing left to train"));

  // Interrupted while it waits for an improvement, it still stops at the same epoch.
  const Outcome cut = run({run.out("b")}, [&](const Clock &clock, uint8_t *state) {
    spoil(clock, state);
    if (clock.draw == 12)
      std::raise(SIGTERM);
  });
  CHECK(cut.code == 128 + SIGTERM);
  CHECK(run({run.out("b"), "--resume", run.folder / "b/last.safetensors"}, spoil).code == 0);
  CHECK(readText(run.folder / "b/last.safetensors") == readText(run.folder / "a/last.safetensors"));
}

TEST_CASE("stages start optimizer state and step count anew, and go on with draws and shuffles") {
  Runs run;
  Json first = run.json["runs"][0]["stages"][0], second = first;
  first["name"] = "warm";
  first["epochs"] = 2;
  second["name"] = "tune";
  second["epochs"] = 1;
  run.json["runs"][0]["stages"] = {first, second};
  std::vector<Clock> clocks;
  std::vector<float> momentum;
  const Outcome done = run({run.out("a")}, [&](const Clock &clock, uint8_t *state) {
    clocks.push_back(clock);
    momentum.push_back(reinterpret_cast<float *>(state + at::momentum)[0]);
  });
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("warm epoch 2/2") && Contains("tune epoch 1/1"));
  REQUIRE(clocks.size() == 9);
  CHECK(clocks[6].step == 0);
  CHECK(clocks[6].draw == 6);
  CHECK(clocks[6].last == 3);
  CHECK(momentum[5] != 0);
  CHECK(momentum[6] == 0);
  CHECK(run.records("a/metrics.jsonl")[5].at("stage") == "tune");
  CHECK(run.records("a/metrics.jsonl")[5].at("epoch") == 3);

  const Outcome cut = run({run.out("b")}, [](const Clock &clock, uint8_t *) {
    if (clock.draw == 6)
      std::raise(SIGINT);
  });
  CHECK(cut.code == 130);
  CHECK(run({run.out("b"), "--resume", run.folder / "b/last.safetensors"}).code == 0);
  CHECK(readText(run.folder / "b/last.safetensors") == readText(run.folder / "a/last.safetensors"));
}

TEST_CASE("several runs follow each other, each in a folder and with states of its own") {
  Runs run;
  Json second = run.json["runs"][0];
  second["name"] = "Again";
  second["seed"] = 8;
  run.json["runs"].push_back(second);
  for (size_t i = 0; i < 4; ++i)
    run.json["states"][i]["run"] = "Line";
  for (size_t i = 0; i < 4; ++i) {
    Json state = run.json["states"][i];
    state["run"] = "Again";
    run.json["states"].push_back(state);
  }
  CHECK(run({run.out("a"), "--epochs", "1"}).code == 0);
  CHECK(SafeTensors(run.folder / "a/Line/last.safetensors").metadata().at("run") == "Line");
  CHECK(SafeTensors(run.folder / "a/Again/last.safetensors").entries().size() == 4);
  const Outcome resumed =
      run({run.out("a"), "--epochs", "2", "--resume", run.folder / "a/Again/last.safetensors"});
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.out, Contains("Again: ") && !Contains("Line: "));
}

TEST_CASE("--eval measures a file's weights, --init starts from them") {
  const Runs run;
  REQUIRE(run({run.out("a")}).code == 0);
  const std::string best = run.folder / "a/best.safetensors";
  const Outcome measured = run({"--eval", best});
  CHECK(measured.code == 0);
  CHECK_THAT(measured.out,
             Contains(fmt::format("test loss {:.4f}", lossOf(best, run.folder / "test.csv"))));
  const Outcome started = run({run.out("b"), "--init", best, "--epochs", "0"});
  CHECK(started.code == 0);
  CHECK(SafeTensors(run.folder / "b/last.safetensors").read("out.weight") ==
        SafeTensors(best).read("out.weight"));
  CHECK_THAT(run({run.out("b"), "--resume", best}).err, Contains("--init"));
}

TEST_CASE("--predict writes what the predict step gives for each record") {
  const Runs run;
  REQUIRE(run({run.out("a")}).code == 0);
  std::vector<float> x(7 * 3);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i) * 0.1f;
  writeNpy(run.folder / "x.npy", {7, 3}, x);
  const Outcome done = run({run.out("a"), "--predict", run.folder / "x.npy"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("predictions.npy: [7, 1]"));
  const Records predictions = readNpy(run.folder / "a/predictions.npy", "");
  const SafeTensors best(run.folder / "a/best.safetensors");
  const std::vector<float> w = best.read("out.weight"), b = best.read("out.bias");
  for (size_t i = 0; i < 7; ++i)
    CHECK(std::get<std::vector<float>>(predictions.values)[i] ==
          Approx(w[0] * x[3 * i] + w[1] * x[3 * i + 1] + w[2] * x[3 * i + 2] + b[0]));
  writeNpy(run.folder / "wide.npy", {7, 4}, std::vector<float>(28));
  const Outcome wide = run({run.out("a"), "--predict", "x=" + run.folder / "wide.npy"});
  CHECK(wide.code == 1);
  CHECK_THAT(wide.err, Contains("records of 4 numbers, and x is f32[3]"));
  CHECK(run({run.out("none"), "--predict", run.folder / "x.npy"}).code == 2);
}

TEST_CASE("predictions of class logits are counted by class") {
  Runs run;
  run.json["data"][0]["fields"].push_back(
      {{"name", "kind"}, {"dtype", "i32"}, {"classes", 1}, {"shape", Json::array()}});
  REQUIRE(run({run.out("a"), "--epochs", "0"}).code == 1); // the parts do not fill `kind`
  for (const char *part : {"train", "test"})
    run.json["data"][0]["parts"][part].push_back(
        {{"fields", {"kind"}},
         {"source", {{"kind", "synthetic"}, {"count", part == std::string("train") ? 10 : 5}}}});
  REQUIRE(run({run.out("a"), "--epochs", "1"}).code == 0);
  writeNpy(run.folder / "x.npy", {2, 3}, std::vector<float>(6));
  CHECK_THAT(run({run.out("a"), "--predict", run.folder / "x.npy"}).out,
             Contains("record 1: kind 0") && Contains("kind 0: 2 records"));
}

TEST_CASE("--bench reads no file and prints one line of JSON") {
  Runs run;
  for (Json &part : run.json["data"][0]["parts"]["train"])
    part["source"]["file"] = "/nowhere";
  const Outcome bench = run({"--bench", "25", "--threads", "2"});
  CHECK(bench.code == 0);
  REQUIRE(std::count(bench.out.begin(), bench.out.end(), '\n') == 1);
  const Json json = Json::parse(bench.out);
  CHECK(json.at("steps") == 25);
  CHECK(json.at("threads") == 2);
  CHECK(json.at("gflop") == Approx(1e-3));
  CHECK(json.at("min_ms") <= json.at("p10_ms"));
  CHECK(json.at("p10_ms") <= json.at("median_ms"));
  CHECK(json.at("median_ms") <= json.at("p90_ms"));
  CHECK(json.at("first_step_ms").is_number());
  CHECK(json.at("peak_rss_mib") > 1);
  // Rounded to a tenth each.
  const double plan = json.at("plan_mib"), parts = json.at("arena_mib").get<double>() +
                                                   json.at("state_mib").get<double>() +
                                                   json.at("data_mib").get<double>();
  CHECK(plan == Approx(parts).margin(0.2));
  if (json.at("peak_gflop_per_s") > 0)
    CHECK(json.at("share_of_peak") > 0);
  else
    CHECK(json.at("share_of_peak").is_null());
}

TEST_CASE("--block names the train block that is timed") {
  Runs run;
  Json other = run.json["runs"][0];
  other["name"] = "other";
  run.json["runs"].push_back(other);
  CHECK(run({"--bench", "1", "--block", "other"}).code == 0);
  const Outcome unknown = run({"--bench", "1", "--block", "none"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err,
             Contains("no train block is called `none`; there is ") && Contains(", other"));
  const Outcome idle = run({"--block", "other"});
  CHECK(idle.code == 2);
  CHECK_THAT(idle.err, Contains("--block names what --bench and --profile time"));
}

TEST_CASE("--profile says so where there are no kernels to time, and runs alone") {
  Runs run;
  const Outcome none = run({"--profile", "3"});
  CHECK(none.code == 1);
  CHECK_THAT(none.err, Contains("--profile times compiled kernels"));
  CHECK(run({"--profile", "3", "--bench", "3"}).code == 2);
}

TEST_CASE("data moves with --data, and what is missing is said at the spec's place") {
  Runs run;
  for (const char *part : {"train", "test"})
    for (Json &fill : run.json["data"][0]["parts"][part])
      fill["source"]["file"] = fmt::format("elsewhere/{}.csv", part);
  const Outcome missing = run({run.out("a")});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("line.sinter:4:11: error: cannot open elsewhere/train.csv: "
                                   "there is no such file"));
  const std::string folder = run.folder.path.string();
  CHECK(run({run.out("a"), "--epochs", "1", "--data", "points=" + folder}).code == 0);
  CHECK(run({run.out("a"), "--epochs", "1", "--data", folder}).code == 0);
}

TEST_CASE("a wrong command line is exit code 2 and says what is wrong") {
  const Runs run;
  const auto wrong = [&](const std::vector<std::string> &arguments, const char *what) {
    const Outcome outcome = run(arguments);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Contains("line: error: ") && Contains(what));
  };
  wrong({"--nonsense"}, "--nonsense");
  wrong({"--epochs", "some"}, "--epochs");
  wrong({"--epochs", "1", "--steps", "1"}, "exclude each other");
  wrong({"--threads", "0"}, "--threads");
  wrong({"--data", "other=/x"}, "no data is called `other`; there is points");
  wrong({"--resume", "a", "--init", "b"}, "exclude each other");
  REQUIRE(run({run.out("a"), "--epochs", "1"}).code == 0);
  wrong({run.out("a"), "--seed", "8", "--resume", run.folder / "a/last.safetensors"}, "seed 7");
}

TEST_CASE("--help and --version answer on stdout; --quiet is silent") {
  const Runs run;
  const Outcome help = run({"--help"}), version = run({"--version"});
  CHECK(help.code == 0);
  for (const char *flag : {"--epochs", "--steps", "--seed", "--threads", "--data", "--out",
                           "--resume", "--init", "--eval", "--predict", "--quiet", "--bench",
                           "--log-steps", "--checkpoint-every", "--version"})
    CHECK_THAT(help.out, Contains(flag));
  CHECK(version.code == 0);
  CHECK_THAT(version.out, Contains("line, compiled by Sinter") && Contains("line.sinter"));
  const Outcome quiet = run({"--quiet", run.out("a")});
  CHECK(quiet.code == 0);
  CHECK(quiet.out.empty());
  CHECK(quiet.err.empty());
}

TEST_CASE("a checkpoint of other data cannot be resumed in the middle of an epoch") {
  const Runs run;
  run({run.out("a")}, [](const Clock &clock, uint8_t *) {
    if (clock.draw == 1)
      std::raise(SIGINT);
  });
  const std::string train = readText(run.folder / "train.csv");
  writeText(run.folder / "train.csv", train + "1,2,3,4\n");
  const Outcome resumed = run({run.out("a"), "--resume", run.folder / "a/last.safetensors"});
  CHECK(resumed.code == 1);
  CHECK_THAT(resumed.err,
             Contains("in the middle of an epoch of 10 examples") && Contains("has 11 now"));
}
