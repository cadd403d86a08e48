//===- TrainBlock.h - one train block on its way to a Train -----------------------------------===//
// Private to this folder. TrainChecker.cpp sorts a block's lines into stages, TrainGraphs.cpp makes graphs of objectives, reports
// and the model, TrainSettings.cpp says who is trained by what.
#pragma once

#include "compiler/semantics/Evaluator.h"
#include "compiler/semantics/Selectors.h"
#include "compiler/semantics/TrainChecker.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sinter::semantics {

/// What may stand once in a block and once in a stage, whose own then counts.
struct Single {
  const syntax::ObjectiveStatement *objective = nullptr;
  const syntax::SeedStatement *seed = nullptr;
  const syntax::BatchStatement *batch = nullptr;
  const syntax::AccumulateStatement *accumulate = nullptr;
  const syntax::LengthStatement *length = nullptr;
  const syntax::PrecisionStatement *precision = nullptr;
  const syntax::ClipStatement *clip = nullptr;
  const syntax::StopStatement *stop = nullptr;
  const syntax::KeepBestStatement *keepBest = nullptr;

  void override(const Single &own) {
    auto take = [](auto &mine, const auto &other) { mine = other ? other : mine; };
    take(objective, own.objective);
    take(batch, own.batch);
    take(accumulate, own.accumulate);
    take(length, own.length);
    take(precision, own.precision);
    take(clip, own.clip);
    take(stop, own.stop);
    take(keepBest, own.keepBest);
  }
};

/// One stage on its way: the lines that hold for it, then what they come to.
struct StageWork {
  Stage stage;
  Single single;
  Span nameSpan;                                     ///< of the stage's name
  std::vector<const syntax::TrainStatement *> lines; ///< those outside the stages first
  GraphBuilder graph;
  std::map<std::string, ValueId> fields;
  std::map<std::vector<ValueId>, Value> calls;
  std::shared_ptr<Scope> scope;
  bool good = true;
};

/// Checks one train block.
class TrainChecker {
public:
  TrainChecker(Session &session, const syntax::TrainDeclaration &declaration,
               const std::map<std::string, CheckedData> &datas, const TrainsByName &earlier)
      : session(session), engine(session.engine), declaration(declaration), datas(datas),
        earlier(earlier) {}

  std::optional<Train> run();

private:
  //===-- TrainChecker.cpp
  bool findModelAndData();
  void collect(const std::vector<syntax::TrainStatement> &statements, Single &single, bool inStage);
  void makeStages();
  void missing(StageWork &work, const char *statement, const std::string &help,
               bool (*has)(const StageWork &));
  void settleStage(StageWork &work, const SelectorTable &selectors);

  //===-- TrainGraphs.cpp
  void evaluateStage(StageWork &work);
  void evaluateReport(StageWork &work, const syntax::ReportStatement &report);
  Evaluator evaluatorOf(StageWork &work);
  std::optional<ValueId> scalar(StageWork &work, const syntax::Expr &expr, const Value &value,
                                const char *what);
  std::optional<Value> field(StageWork &work, const std::string &name, Span place);
  Value callModel(StageWork &work, const Evaluator::Inputs *inputs, Span place);
  Value runNet(StageWork &work, const std::vector<ValueId> &operands, Span place,
               const std::vector<Span> &spans);
  void finishParameters();

  //===-- TrainLoads.cpp
  void settleLoads(const SelectorTable &selectors);
  std::vector<Load> settleLoads(const std::vector<syntax::TrainStatement> &statements,
                                const SelectorTable &selectors, bool &good);

  //===-- TrainSettings.cpp
  void settleLengths(StageWork &work);
  void settleFrozen(StageWork &work, const SelectorTable &selectors);
  void settleRegularizers(StageWork &work, const SelectorTable &selectors);
  void settleOptimizers(StageWork &work, const SelectorTable &selectors);
  void settleMeasures(StageWork &work);
  void checkLines(StageWork &work);
  void warnOfDecay(StageWork &work);
  std::optional<Measure> measure(StageWork &work, const syntax::Measure &written);
  bool trains(const StageWork &work, const std::string &parameter) const;
  std::optional<int64_t> positive(const syntax::Expr &expr, const std::string &what);

  Session &session;
  syntax::Engine &engine;
  const syntax::TrainDeclaration &declaration;
  const std::map<std::string, CheckedData> &datas;
  const TrainsByName &earlier;
  const syntax::ModelDeclaration *model = nullptr;
  const CheckedData *data = nullptr;

  Train train;
  Instance root;
  ParameterStore store;
  std::vector<LayerRegularizer> layerRegularizers;
  /// By input types: the results, as values of the net's graph.
  std::map<std::string, Value> netShapes;
  std::map<std::string, std::string> netNames;
  bool modelRan = false;
  bool modelBroken = false; ///< so parameters may be missing
  Single block;
  std::vector<std::unique_ptr<StageWork>> works;
  TrainNames names;
};

} // namespace sinter::semantics
