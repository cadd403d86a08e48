//===- TrainBlock.h - one train block on its way to a Train -----------------------------------===//
// Private to this folder. TrainChecker.cpp sorts a block's lines into stages, TrainGraphs.cpp makes graphs of objectives, reports
// and the model, TrainSettings.cpp says who is trained by what, TrainPenalties.cpp what holds weights back.
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

/// An instance of a model that the block runs: the trained one or a teacher.
struct ModelInstance {
  const syntax::ModelDeclaration *model = nullptr;
  const syntax::Arguments *parameters = nullptr; ///< what stands in its […]
  std::string name;                              ///< in the block: the model's or the teacher's
  std::string prefix; ///< of names of parameters, layers and nets: "" or "Big:"
  Instance root;
  ParameterStore store;
  std::vector<LayerRegularizer> regularizers;
  /// By input types: the results, as values of the net's graph.
  std::map<std::string, Value> netShapes;
  std::map<std::string, std::string> netNames;
  std::map<std::string, std::vector<bool>> netColumns; ///< by name: results made of `pairwise`
  bool batchMatters = false; ///< a net has a `pairwise`, so its types depend on the batch
  bool ran = false;
  bool broken = false; ///< so parameters may be missing

  bool complete() const { return ran && !broken; }
};

/// A teacher of the block, or of one stage.
struct TeacherWork {
  const syntax::TeacherStatement *statement = nullptr;
  ModelInstance instance;
  double decay = 0; ///< of an average
  int64_t every = 1;
  bool named = false; ///< some line names it
  bool good = true;
  std::map<std::string, std::string>
      shared; ///< parameter to that of the trained model which is the same
};

/// One stage on its way: the lines that hold for it, then what they come to.
struct StageWork {
  Stage stage;
  Single single;
  Span nameSpan;                                     ///< of the stage's name
  std::vector<const syntax::TrainStatement *> lines; ///< those outside the stages first
  size_t blockLines = 0;                             ///< how many of them stand outside
  std::map<std::string, TeacherWork *> teachers;     ///< those that it may name
  std::set<std::string> shared; ///< parameters and buffers that a `share` holds, by primary name
  GraphBuilder graph;
  std::vector<Regularizer> scheduled; ///< those that stand in `graph` as penalties, λ being 1 here
  std::map<std::string, ValueId> fields;
  std::map<std::pair<const ModelInstance *, std::vector<ValueId>>, Value> calls;
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
  Value callModel(StageWork &work, ModelInstance &instance, const Evaluator::Inputs *inputs,
                  Span place);
  /// The fields named like the instance's inputs; nothing after an error.
  std::optional<std::vector<ValueId>> fieldsFor(StageWork &work, const ModelInstance &instance,
                                                Span place);
  /// What a net depends on: its inputs' types, and the batch where it has a `pairwise`.
  std::string netKey(const StageWork &work, const ModelInstance &instance,
                     const std::vector<ValueId> &operands) const;
  Value runNet(StageWork &work, ModelInstance &instance, const std::vector<ValueId> &operands,
               Span place, const std::vector<Span> &spans);
  bool dependsOnModel(const Graph &graph, ValueId value) const;
  void finishParameters();

  //===-- TrainLoads.cpp
  void settleLoads(const SelectorTable &selectors);
  std::vector<Load> settleLoads(const std::vector<syntax::TrainStatement> &statements,
                                const SelectorTable &selectors, bool &good);

  //===-- Teachers.cpp
  void declareTeachers();
  std::unique_ptr<TeacherWork> makeTeacher(const syntax::TeacherStatement &statement,
                                           const std::string &stage);
  bool settleAverage(TeacherWork &teacher);
  void keepAverages(StageWork &work);
  Value callTeacher(StageWork &work, TeacherWork &teacher, const Evaluator::Inputs *inputs,
                    Span place);
  void checkTeacherNames(StageWork &work);
  void settleShares(const SelectorTable &selectors);
  void settleShare(StageWork &work, const syntax::ShareStatement &share, bool once,
                   const SelectorTable &selectors);
  void checkShared(StageWork &work, const SelectorTable &selectors);
  std::optional<Load> loadOf(const TeacherWork &teacher);
  void finishTeachers();
  //===-- TrainPenalties.cpp
  void settleRegularizers(StageWork &work, const SelectorTable &selectors);
  void evaluatePenalty(StageWork &work, const syntax::RegularizeStatement &written);
  void settleConstraints(StageWork &work, const SelectorTable &selectors);
  void settleRecompute(StageWork &work, const SelectorTable &selectors);
  void warnOfDecay(StageWork &work);

  //===-- TrainSettings.cpp
  void settleLengths(StageWork &work);
  void settleFrozen(StageWork &work, const SelectorTable &selectors);
  void settleOptimizers(StageWork &work, const SelectorTable &selectors);
  void settleMeasures(StageWork &work);
  void checkLines(StageWork &work);
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
  ModelInstance trained;
  std::vector<std::unique_ptr<TeacherWork>> teachers;
  Single block;
  std::vector<std::unique_ptr<StageWork>> works;
  TrainNames names;
};

} // namespace sinter::semantics
